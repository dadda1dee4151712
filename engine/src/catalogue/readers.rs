//! The connections that read: a fixed number, opened when first needed, handed out one at a time. Reads never wait
//! for the writer.

use super::bounds::READER_WAIT_MAX;
use super::error::CatalogueError;
use super::schema;
use crossbeam_channel::{Receiver, Sender, bounded};
use rusqlite::Connection;
use std::path::{Path, PathBuf};

/// A pool of read connections.
#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    cache_bytes: usize,
    count: usize,
    /// A slot holds a connection once one was opened for it.
    idle: (Sender<Option<Connection>>, Receiver<Option<Connection>>),
}

impl Readers {
    pub fn new(path: &Path, count: usize, cache_bytes: usize) -> Self {
        let count = count.max(1);
        let idle = bounded(count);
        for _ in 0..count {
            // There is room for exactly `count`.
            let _ = idle.0.send(None);
        }
        Self { path: path.to_path_buf(), cache_bytes, count, idle }
    }

    /// Runs `read` on one consistent state of the file.
    ///
    /// # Errors
    /// No connection came free in time, or reading failed.
    pub fn read<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, CatalogueError> {
        let Ok(slot) = self.idle.1.recv_timeout(READER_WAIT_MAX) else {
            return Err(CatalogueError::Busy { readers: self.count, waited_ms: READER_WAIT_MAX.as_millis() as u64 });
        };
        let lent = Lent { readers: self, connection: slot };
        lent.run(read).map_err(|error| CatalogueError::of(&self.path, &error))
    }
}

/// A slot on loan; it goes back whatever happens to the reading.
struct Lent<'r> {
    readers: &'r Readers,
    connection: Option<Connection>,
}

impl Lent<'_> {
    fn run<T>(mut self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => schema::open_reader(&self.readers.path, self.readers.cache_bytes)?,
        };
        let connection = self.connection.insert(connection);
        let transaction = connection.unchecked_transaction()?;
        let value = read(&transaction)?;
        transaction.commit()?;
        Ok(value)
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        // The slot was taken from the channel, so there is room for it.
        let _ = self.readers.idle.0.send(self.connection.take());
    }
}
