//! SQLite: one connection owned by the committing thread, WAL, synchronous=FULL.

use super::Store;
use crate::group::Group;
use crate::pack::Packed;
use anyhow::Result;
use rusqlite::Connection;
use std::path::Path;

pub struct Sqlite(Group);

impl Store for Sqlite {
    fn open(dir: &Path) -> Result<Self> {
        let mut connection = Connection::open(dir.join("peer.sqlite"))?;
        // FULL syncs the log at each commit, which is what makes WAL durable. 8 KiB pages serve blobs
        // of these sizes better than the default 4 KiB.
        connection.execute_batch(
            "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;
             CREATE TABLE sample (id INTEGER PRIMARY KEY, digest BLOB NOT NULL, value BLOB NOT NULL);",
        )?;
        Ok(Self(Group::start(move |batch| {
            let transaction = connection.transaction()?;
            {
                let mut insert = transaction.prepare_cached("INSERT INTO sample (digest, value) VALUES (?1, ?2)")?;
                for packed in &batch {
                    insert.execute((&packed.digest[..], &packed.value[..]))?;
                }
            }
            Ok(transaction.commit()?)
        })))
    }

    fn put(&self, packed: Packed) -> Result<()> {
        self.0.put(packed)
    }

    fn close(self) -> Result<()> {
        self.0.close()
    }
}
