//! redb: a copy-on-write tree in one file, one writer at a time, natural group commit on top.

use super::Store;
use crate::group::Group;
use crate::pack::Packed;
use anyhow::Result;
use redb::{Database, Durability, TableDefinition};
use std::path::Path;

const SAMPLES: TableDefinition<'_, [u8; 32], &[u8]> = TableDefinition::new("samples");
/// The machine of reference has 24 GiB; the default of 1 GiB is what a sample store would leave it at.
const CACHE_BYTES: usize = 1 << 30;

pub struct Redb(Group);

impl Store for Redb {
    fn open(dir: &Path) -> Result<Self> {
        let database = Database::builder().set_cache_size(CACHE_BYTES).create(dir.join("peer.redb"))?;
        Ok(Self(Group::start(move |batch| {
            let mut write = database.begin_write()?;
            // One sync a commit: the default of a durable commit, without its slower two-phase form.
            write.set_durability(Durability::Immediate)?;
            {
                let mut samples = write.open_table(SAMPLES)?;
                for packed in batch {
                    samples.insert(packed.digest, packed.value.as_slice())?;
                }
            }
            Ok(write.commit()?)
        })))
    }

    fn put(&self, packed: Packed) -> Result<()> {
        self.0.put(packed)
    }

    fn close(self) -> Result<()> {
        self.0.close()
    }
}
