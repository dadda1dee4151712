//! Threads that may fall behind give way to those that someone waits for.
#![allow(unsafe_code)] // setpriority has no safe face in the crates we carry.

/// Niceness of the catalogue's owner and of the background passes. Behind a burst the catalogue's lag grows, is visible,
/// and is bounded; the answers to clients are not held up meanwhile.
const BACKGROUND_NICE: libc::c_int = 5;

/// Lowers the calling thread's priority for good. A host that does not allow it leaves things as they are.
pub fn run_in_background() {
    // SAFETY: a system call without memory; on Linux 0 names the calling thread alone.
    unsafe {
        libc::setpriority(libc::PRIO_PROCESS, 0, BACKGROUND_NICE);
    }
}
