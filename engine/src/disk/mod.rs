//! The I/O seam: every byte that reaches or leaves the disk goes through [`Disk`].
//!
//! 1. A write is one operation, [`LaneFile::write_durable`]: when it says yes the bytes survive power loss.
//! 2. After a failed write nobody may ask again for the same bytes; the caller's writer is dead.
//! 3. A name (create, rename, unlink) is durable only after [`Disk::sync_dir`] on its directory.
//! 4. A mapped file is never truncated.
//!
//! Three implementations are real: [`plain`] (system calls), [`uring`] (io_uring on its own thread) and
//! [`simulated`] (a disk in memory that fails on request). [`null`] does nothing and measures the roof.

mod aligned;
mod map;
mod null;
mod plain;
mod sigbus;
mod simulated;
mod uring;

pub use aligned::{AlignedBuf, PAGE_BYTES};
pub use null::NullDisk;
pub use plain::PlainDisk;
pub use simulated::{Call, Fault, FaultPlan, SimulatedDisk};
pub use uring::UringDisk;

use std::io;
use std::path::Path;
use std::sync::Arc;

/// How sealed segments are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReadMode {
    /// Mapped read-only at exactly their length.
    #[default]
    Map,
    /// By `pread`, for hosts where a fault in a mapping is unwelcome.
    Pread,
}

/// Which implementation of the seam serves a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IoMode {
    /// The plain one: it was as fast or faster at every concurrency but one when measured.
    #[default]
    Auto,
    /// System calls.
    Plain,
    /// io_uring; refused with a clear error where the host forbids it.
    Uring,
}

/// Opens the implementation that `mode` names.
///
/// # Errors
/// The host forbids io_uring and `mode` asked for it.
pub fn disk(mode: IoMode) -> io::Result<Arc<dyn Disk>> {
    match mode {
        IoMode::Auto | IoMode::Plain => Ok(Arc::new(PlainDisk::new())),
        IoMode::Uring => Ok(Arc::new(UringDisk::start()?)),
    }
}

/// A filesystem as the engine needs it. All calls block.
pub trait Disk: Send + Sync + 'static {
    /// Makes a directory and its parents, readable by their owner only.
    ///
    /// # Errors
    /// As the system gives them; a directory that is there already is no error.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;

    /// Names of the files in a directory, in no order.
    ///
    /// # Errors
    /// As the system gives them.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// Makes a new file for a writer's lane.
    ///
    /// # Errors
    /// `AlreadyExists` when the name is taken: names are never reused.
    fn create_lane(&self, path: &Path) -> io::Result<Box<dyn LaneFile>>;

    /// Opens a lane file again, to close it after recovery.
    ///
    /// # Errors
    /// As the system gives them.
    fn reopen_lane(&self, path: &Path) -> io::Result<Box<dyn LaneFile>>;

    /// Opens a file for reading. With [`ReadMode::Map`] the file must have its final length.
    ///
    /// # Errors
    /// As the system gives them.
    fn open(&self, path: &Path, mode: ReadMode) -> io::Result<Arc<dyn ReadFile>>;

    /// Makes a small file durable under its name, all or nothing: temporary name, sync, rename, directory sync.
    /// Readable by its owner only.
    ///
    /// # Errors
    /// As the system gives them; the old content then still stands.
    fn write_small(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Gives a file its final name, replacing what bears it.
    ///
    /// # Errors
    /// As the system gives them.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file. Readers that hold it open keep it.
    ///
    /// # Errors
    /// As the system gives them.
    fn unlink(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a directory durable.
    ///
    /// # Errors
    /// As the system gives them.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Bytes that an ordinary user may still write to the filesystem of `dir`.
    ///
    /// # Errors
    /// As the system gives them.
    fn free_bytes(&self, dir: &Path) -> io::Result<u64>;

    /// Takes the exclusive lock of a data directory, until the returned value is dropped.
    ///
    /// # Errors
    /// `WouldBlock` when another process holds it.
    fn lock(&self, dir: &Path) -> io::Result<Box<dyn Send + Sync>>;
}

/// A file with one writer. Offsets and lengths of writes are multiples of [`PAGE_BYTES`].
pub trait LaneFile: Send {
    /// Writes and syncs; the buffer comes back for reuse.
    ///
    /// # Errors
    /// As the system gives them. The state of the written range is then unknown.
    fn write_durable(&mut self, offset: u64, bytes: AlignedBuf) -> (AlignedBuf, io::Result<()>);

    /// Reserves disk space for a range, so that a full disk is met here and not in a write.
    ///
    /// # Errors
    /// `StorageFull` when there is no room; nothing was written.
    fn allocate(&mut self, offset: u64, bytes: u64) -> io::Result<()>;

    /// Writes zeroes ahead of the lane, so that later syncs need no journal commit for fresh blocks.
    ///
    /// # Errors
    /// As the system gives them; harmless to the lane.
    fn prepare(&mut self, offset: u64, bytes: u64) -> io::Result<()>;

    /// Cuts the file to its final length and syncs it. Nothing is written afterwards.
    ///
    /// # Errors
    /// As the system gives them.
    fn finish(&mut self, bytes: u64) -> io::Result<()>;
}

/// A file that is read by many.
pub trait ReadFile: Send + Sync {
    /// Its length when it was opened.
    fn bytes(&self) -> u64;

    /// Fills `out` from `offset`.
    ///
    /// # Errors
    /// `UnexpectedEof` past the end; otherwise as the system gives them.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()>;

    /// The whole file, when it is mapped. A page that cannot be read shows as zeroes, and the checksum
    /// of what lies there names the damage.
    fn mapped(&self) -> Option<&[u8]>;
}
