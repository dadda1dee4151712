//! The peers, each behind the same three operations.

mod files;
mod fjall;
mod postgres;
mod redb;
mod redis;
mod rocksdb;
mod sqlite;

pub use self::files::Files;
pub use self::fjall::Fjall;
pub use self::postgres::Postgres;
pub use self::redb::Redb;
pub use self::redis::Redis;
pub use self::rocksdb::RocksDb;
pub use self::sqlite::Sqlite;

use crate::pack::Packed;
use anyhow::Result;
use std::path::Path;

/// A store that many threads write to.
pub trait Store: Sized + Sync {
    /// Opens an empty store in an empty folder.
    fn open(dir: &Path) -> Result<Self>;
    /// Returns when the sample would survive a power cut.
    fn put(&self, packed: Packed) -> Result<()>;
    /// The process that writes, where it is not this one.
    fn server(&self) -> Option<u32> {
        None
    }
    /// Ends the store's threads and closes its files.
    fn close(self) -> Result<()>;
}
