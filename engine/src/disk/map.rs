//! The only file that maps memory, and the two system calls that the standard library does not wrap.
#![allow(unsafe_code)] // mmap, statvfs and fallocate have no safe face in the crates we carry.

use super::{ReadFile, sigbus};
use memmap2::Mmap;
use std::ffi::CString;
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// A sealed file, mapped read-only at its length.
pub(super) struct MappedFile {
    file: File,
    map: Option<Mmap>,
    guard: Option<sigbus::Guard>,
    bytes: u64,
}

impl MappedFile {
    /// Maps `file`. When the table of guarded maps is full the file is read by `pread` instead.
    pub(super) fn new(file: File) -> io::Result<Self> {
        let bytes = file.metadata()?.len();
        if bytes == 0 {
            return Ok(Self { file, map: None, guard: None, bytes });
        }
        // SAFETY: the file is sealed: this program never writes or truncates it again (invariant 4 of the seam).
        // If something outside cuts it, or the disk cannot read it, the guard below turns the fault into zeroes,
        // which the checksums name as damage; the mapping itself stays valid memory.
        let map = unsafe { Mmap::map(&file)? };
        match sigbus::Guard::register(map.as_ptr() as usize, map.len()) {
            Some(guard) => Ok(Self { file, map: Some(map), guard: Some(guard), bytes }),
            None => Ok(Self { file, map: None, guard: None, bytes }),
        }
    }
}

impl Drop for MappedFile {
    fn drop(&mut self) {
        // The guard goes first: an address that is no longer mapped must not be guarded.
        drop(self.guard.take());
    }
}

impl ReadFile for MappedFile {
    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let Some(map) = &self.map else { return self.file.read_exact_at(out, offset) };
        let from = usize::try_from(offset).ok().and_then(|from| map.get(from..)?.get(..out.len()));
        match from {
            Some(bytes) => {
                out.copy_from_slice(bytes);
                Ok(())
            }
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn mapped(&self) -> Option<&[u8]> {
        self.map.as_deref()
    }
}

/// Bytes an ordinary user may still write to the filesystem of `dir`.
pub(super) fn free_bytes(dir: &Path) -> io::Result<u64> {
    let path = CString::new(dir.as_os_str().as_bytes())?;
    let mut answer = MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: `path` is a terminated string that lives through the call, and `answer` has the size the call fills.
    if unsafe { libc::statvfs(path.as_ptr(), answer.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call returned 0, so it filled the whole structure.
    let answer = unsafe { answer.assume_init() };
    Ok(answer.f_bavail.saturating_mul(answer.f_frsize))
}

/// Reserves a range; filesystems that cannot are left to find the space when they write.
pub(super) fn allocate(file: RawFd, offset: u64, bytes: u64) -> io::Result<()> {
    let (Ok(offset), Ok(bytes)) = (i64::try_from(offset), i64::try_from(bytes)) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    // SAFETY: a call on a descriptor that the caller owns; no memory is passed.
    if unsafe { libc::fallocate(file, libc::FALLOC_FL_KEEP_SIZE, offset, bytes) } == 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::EOPNOTSUPP | libc::ENOSYS) => Ok(()),
        _ => Err(error),
    }
}
