//! The seam on system calls: direct, data-synchronous `pwrite`, `pread`, and the map of sealed files.

use super::map::MappedFile;
use super::{AlignedBuf, Disk, LaneFile, PAGE_BYTES, ReadFile, ReadMode};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Zeroes written in one call when space is prepared.
const ZERO_BYTES: usize = 1 << 20;

/// The filesystem of this host.
#[derive(Debug)]
pub struct PlainDisk {
    sync: bool,
}

impl PlainDisk {
    /// A disk whose writes are durable.
    #[must_use]
    pub fn new() -> Self {
        Self { sync: true }
    }

    /// A disk that answers before anything is durable. It exists for the control run of the power-cut test,
    /// which must lose data on it; never store anything of value with it.
    #[must_use]
    pub fn without_syncs() -> Self {
        Self { sync: false }
    }

    fn lane_options(&self) -> OpenOptions {
        let mut options = OpenOptions::new();
        let flags = if self.sync { libc::O_DIRECT | libc::O_DSYNC } else { 0 };
        options.read(true).write(true).mode(0o600).custom_flags(flags | libc::O_CLOEXEC);
        options
    }

    /// Filesystems without direct I/O (tmpfs of older kernels, some FUSE) are served through the page cache.
    fn open_lane(&self, path: &Path, create: bool) -> io::Result<Box<dyn LaneFile>> {
        let file = match self.lane_options().create_new(create).open(path) {
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
                let flags = if self.sync { libc::O_DSYNC } else { 0 };
                // The refused open may have left the empty file behind.
                self.lane_options().create(create).custom_flags(flags | libc::O_CLOEXEC).open(path)?
            }
            other => other?,
        };
        Ok(Box::new(PlainLane { file, sync: self.sync }))
    }
}

impl Default for PlainDisk {
    fn default() -> Self {
        Self::new()
    }
}

impl Disk for PlainDisk {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        fs::read_dir(dir)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    fn create_lane(&self, path: &Path) -> io::Result<Box<dyn LaneFile>> {
        self.open_lane(path, true)
    }

    fn reopen_lane(&self, path: &Path) -> io::Result<Box<dyn LaneFile>> {
        self.open_lane(path, false)
    }

    fn open(&self, path: &Path, mode: ReadMode) -> io::Result<Arc<dyn ReadFile>> {
        let file = File::open(path)?;
        match mode {
            ReadMode::Map => Ok(Arc::new(MappedFile::new(file)?)),
            ReadMode::Pread => Ok(Arc::new(PreadFile { bytes: file.metadata()?.len(), file })),
        }
    }

    fn write_small(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let parent = path.parent().unwrap_or(Path::new("."));
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(".new");
        let temporary = parent.join(name);
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary).and_then(
            |file| {
                file.write_all_at(bytes, 0)?;
                Ok(file)
            },
        )?;
        if self.sync {
            file.sync_all()?;
        }
        fs::rename(&temporary, path)?;
        self.sync_dir(parent)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn unlink(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        if self.sync { File::open(dir)?.sync_all() } else { Ok(()) }
    }

    fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
        super::map::free_bytes(dir)
    }

    fn lock(&self, dir: &Path) -> io::Result<Box<dyn Send + Sync>> {
        let path = dir.join("LOCK");
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
        let began = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Box::new(file)),
                Err(fs::TryLockError::WouldBlock) if began.elapsed() < LOCK_PATIENCE => {
                    std::thread::sleep(LOCK_PATIENCE / 20);
                }
                Err(fs::TryLockError::WouldBlock) => return Err(io::ErrorKind::WouldBlock.into()),
                Err(fs::TryLockError::Error(error)) => return Err(error),
            }
        }
    }
}

/// A killed process can be survived for a moment by a child that it was about to start, which has its descriptors, and the lock
/// with them, until it becomes another program.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);

struct PlainLane {
    file: File,
    sync: bool,
}

impl LaneFile for PlainLane {
    fn write_durable(&mut self, offset: u64, bytes: AlignedBuf) -> (AlignedBuf, io::Result<()>) {
        // The descriptor is data-synchronous: the call returns when the bytes, and the size they need, are durable.
        let outcome = self.file.write_all_at(bytes.as_slice(), offset);
        (bytes, outcome)
    }

    fn allocate(&mut self, offset: u64, bytes: u64) -> io::Result<()> {
        super::map::allocate(self.file.as_raw_fd(), offset, bytes)
    }

    fn prepare(&mut self, offset: u64, bytes: u64) -> io::Result<()> {
        let mut zeroes = AlignedBuf::with_capacity(ZERO_BYTES);
        zeroes.extend_from_slice(&vec![0; (bytes as usize).min(ZERO_BYTES)]);
        zeroes.pad_to(PAGE_BYTES);
        let end = offset + bytes;
        let mut at = offset;
        while at < end {
            let run = (end - at).min(zeroes.len() as u64) as usize;
            self.file.write_all_at(&zeroes.as_slice()[..run], at)?;
            at += run as u64;
        }
        Ok(())
    }

    fn finish(&mut self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)?;
        if self.sync { self.file.sync_all() } else { Ok(()) }
    }
}

struct PreadFile {
    file: File,
    bytes: u64,
}

impl ReadFile for PreadFile {
    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(out, offset)
    }

    fn mapped(&self) -> Option<&[u8]> {
        None
    }
}
