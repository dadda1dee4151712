//! Reading a mapped page that the disk cannot give raises SIGBUS. The handler here puts a page of zeroes in its
//! place when the address lies in one of our maps, so that the checksum of what was there names the damage; any
//! other SIGBUS ends the program as it would without us.
//!
//! 1. The table of maps is fixed and lock-free: a signal handler may neither allocate nor wait.
//! 2. An entry is filled end first, start last, and emptied start first, so the handler never sees half of one.
#![allow(unsafe_code)] // A signal handler and a fixed mapping have no safe face.

use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Maps that can be guarded at once: 4 TiB of segments at their largest size.
const MAPS_MAX: usize = 16_384;

struct Entry {
    start: AtomicUsize,
    end: AtomicUsize,
}

static TABLE: [Entry; MAPS_MAX] = [const { Entry { start: AtomicUsize::new(0), end: AtomicUsize::new(0) } }; MAPS_MAX];
/// Entries at and past this were never used, so the handler need not look.
static HIGH: AtomicUsize = AtomicUsize::new(0);
static INSTALL: Once = Once::new();
static PAGES: AtomicUsize = AtomicUsize::new(0);

/// Pages that were replaced by zeroes since the program started.
#[cfg(test)]
pub(super) fn replaced_pages() -> usize {
    PAGES.load(Ordering::Relaxed)
}

/// Keeps one map in the table.
pub(super) struct Guard {
    at: usize,
}

impl Guard {
    /// Guards a map; `None` when the table is full.
    pub(super) fn register(start: usize, bytes: usize) -> Option<Self> {
        INSTALL.call_once(install);
        for (at, entry) in TABLE.iter().enumerate() {
            if entry.end.compare_exchange(0, start + bytes, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                entry.start.store(start, Ordering::Release);
                HIGH.fetch_max(at + 1, Ordering::AcqRel);
                return Some(Self { at });
            }
        }
        None
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        TABLE[self.at].start.store(0, Ordering::Release);
        TABLE[self.at].end.store(0, Ordering::Release);
    }
}

fn install() {
    // SAFETY: the handler has the signature that SA_SIGINFO asks for and calls only what a handler may call;
    // the structure is zeroed, which is a valid empty action, before its fields are set.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_sigbus as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        libc::sigemptyset(&mut action.sa_mask);
        libc::sigaction(libc::SIGBUS, &action, std::ptr::null_mut());
    }
}

extern "C" fn on_sigbus(_signal: libc::c_int, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    // SAFETY: the kernel passes a valid siginfo to an SA_SIGINFO handler, and SIGBUS fills its address.
    let address = unsafe { (*info).si_addr() } as usize;
    let high = HIGH.load(Ordering::Acquire);
    let ours = address != 0
        && TABLE[..high].iter().any(|entry| {
            let start = entry.start.load(Ordering::Acquire);
            start != 0 && (start..entry.end.load(Ordering::Acquire)).contains(&address)
        });
    // SAFETY: for an address inside one of our read-only maps, a fixed anonymous page over the faulting page
    // replaces only memory that this program mapped itself; mmap is a plain system call, fit for a handler. For any
    // other address the default action is restored, and returning repeats the fault, which then ends the program.
    unsafe {
        if ours {
            let page = libc::sysconf(libc::_SC_PAGESIZE) as usize;
            let at = (address & !(page - 1)) as *mut libc::c_void;
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
            if libc::mmap(at, page, libc::PROT_READ, flags, -1, 0) != libc::MAP_FAILED {
                PAGES.fetch_add(1, Ordering::Relaxed);
                return;
            }
        }
        libc::signal(libc::SIGBUS, libc::SIG_DFL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{Disk, PlainDisk, ReadMode};

    #[test]
    fn a_page_that_cannot_be_read_shows_as_zeroes_and_its_neighbour_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cut");
        std::fs::write(&path, vec![9_u8; 8192]).unwrap();
        let file = PlainDisk::new().open(&path, ReadMode::Map).unwrap();
        // Something outside cuts the file under the map, which is how a lost page looks to a reader.
        std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(4096).unwrap();
        let before = replaced_pages();
        let mut page = [1_u8; 4096];
        file.read_at(4096, &mut page).unwrap();
        assert_eq!(page, [0; 4096]);
        assert_eq!(replaced_pages(), before + 1);
        file.read_at(0, &mut page).unwrap();
        assert_eq!(page, [9; 4096]);
    }
}
