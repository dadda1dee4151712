//! A disk that keeps nothing: the same program on it shows how far the real disk is from the roof.

use super::{AlignedBuf, Disk, LaneFile, ReadFile, ReadMode};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Says yes to every write and forgets it. For benches only: nothing can be read back.
#[derive(Debug, Default)]
pub struct NullDisk;

impl Disk for NullDisk {
    fn create_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, _dir: &Path) -> io::Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn create_lane(&self, _path: &Path) -> io::Result<Box<dyn LaneFile>> {
        Ok(Box::new(Self))
    }

    fn reopen_lane(&self, _path: &Path) -> io::Result<Box<dyn LaneFile>> {
        Ok(Box::new(Self))
    }

    fn open(&self, _path: &Path, _mode: ReadMode) -> io::Result<Arc<dyn ReadFile>> {
        Ok(Arc::new(Self))
    }

    fn write_small(&self, _path: &Path, _bytes: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn rename(&self, _from: &Path, _to: &Path) -> io::Result<()> {
        Ok(())
    }

    fn unlink(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }

    fn free_bytes(&self, _dir: &Path) -> io::Result<u64> {
        Ok(u64::MAX)
    }

    fn lock(&self, _dir: &Path) -> io::Result<Box<dyn Send + Sync>> {
        Ok(Box::new(()))
    }
}

impl LaneFile for NullDisk {
    fn write_durable(&mut self, _offset: u64, bytes: AlignedBuf) -> (AlignedBuf, io::Result<()>) {
        (bytes, Ok(()))
    }

    fn allocate(&mut self, _offset: u64, _bytes: u64) -> io::Result<()> {
        Ok(())
    }

    fn prepare(&mut self, _offset: u64, _bytes: u64) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self, _bytes: u64) -> io::Result<()> {
        Ok(())
    }
}

impl ReadFile for NullDisk {
    fn bytes(&self) -> u64 {
        0
    }

    fn read_at(&self, _offset: u64, _out: &mut [u8]) -> io::Result<()> {
        Err(io::Error::new(io::ErrorKind::NotFound, "the null disk kept nothing"))
    }

    fn mapped(&self) -> Option<&[u8]> {
        None
    }
}
