//! Keeps the allocator from holding what a burst left behind.
//!
//! glibc gives each thread an arena and keeps freed pages in all of them: after a burst an idle server would
//! hold several times what it uses. Two arenas are enough for a handful of threads that rarely allocate.

#![allow(unsafe_code)]

/// Limits the allocator's arenas; called once, before threads start.
pub fn limit_arenas() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: mallopt takes two integers, touches the allocator's own settings under its own lock, and may be
    // called at any time; a parameter it does not know is refused with 0, which changes nothing.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 2);
    }
}

/// Gives freed pages back to the system. Takes milliseconds on a large heap: call it while idle.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: malloc_trim locks each arena itself and frees only pages that hold no allocation.
    unsafe {
        libc::malloc_trim(0);
    }
}
