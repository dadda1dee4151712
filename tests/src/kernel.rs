//! Calls into the kernel that std does not offer.
#![allow(unsafe_code, reason = "ioctl, prctl and io_uring_setup have no safe form in std")]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// `FS_IOC_SHUTDOWN`, which ext4, xfs and f2fs share: `_IOR('X', 125, __u32)`.
const SHUTDOWN: libc::c_ulong = 0x8004_587d;
/// Do not flush the journal first: whatever is not durable is gone (`XFS_FSOP_GOING_FLAGS_NOLOGFLUSH`).
const NO_LOG_FLUSH: u32 = 2;

/// Takes the power from a mounted file system: every later write fails and what was not synced is lost.
///
/// # Errors
/// The file system has no such call, or the caller is not root.
pub fn shut_down(mount: &Path) -> io::Result<()> {
    let folder = File::open(mount)?;
    let how = NO_LOG_FLUSH;
    // SAFETY: the call reads one u32 behind the pointer, which outlives it, and the descriptor is open.
    match unsafe { libc::ioctl(folder.as_raw_fd(), SHUTDOWN, &raw const how) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Asks for a small ring and gives it back.
///
/// # Errors
/// The kernel has none, or the host forbids it.
pub fn try_io_uring() -> io::Result<()> {
    /// Bytes of `struct io_uring_params`, all of which may be zero.
    const PARAMS_BYTES: usize = 120;
    let mut params = [0_u64; PARAMS_BYTES / 8];
    // SAFETY: the kernel reads and writes exactly PARAMS_BYTES behind the pointer, which is aligned for u64.
    let ring = unsafe { libc::syscall(libc::SYS_io_uring_setup, 4, params.as_mut_ptr()) };
    if ring < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a ring that was given is a descriptor of ours that nothing else knows.
    unsafe { libc::close(ring as libc::c_int) };
    Ok(())
}

/// Makes a program die with the thread that starts it, so that a failed test leaves nothing running.
pub fn die_with_parent(command: &mut Command) -> &mut Command {
    // SAFETY: the closure runs between fork and exec and makes one system call, which is async-signal-safe.
    unsafe {
        command.pre_exec(|| match libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        })
    }
}
