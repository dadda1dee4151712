//! fjall: key-value separation, one journal, natural group commit on top.

use super::Store;
use crate::group::Group;
use crate::pack::Packed;
use anyhow::Result;
use fjall::{CompressionType, Database, KeyspaceCreateOptions, KvSeparationOptions, PersistMode};
use std::path::Path;

/// Values are sealed already: compressing them again would only cost time.
const SEPARATION_BYTES_MIN: u32 = 512;

pub struct Fjall(Group);

impl Store for Fjall {
    fn open(dir: &Path) -> Result<Self> {
        let database = Database::builder(dir).journal_compression(CompressionType::None).open()?;
        let samples = database.keyspace("samples", || {
            let blobs = KvSeparationOptions::default()
                .compression(CompressionType::None)
                .separation_threshold(SEPARATION_BYTES_MIN);
            KeyspaceCreateOptions::default().with_kv_separation(Some(blobs))
        })?;
        Ok(Self(Group::start(move |batch| {
            let mut write = database.batch().durability(Some(PersistMode::SyncAll));
            for packed in batch {
                write.insert(&samples, packed.digest, packed.value);
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
