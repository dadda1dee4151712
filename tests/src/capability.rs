//! What this kernel and this user can do. A test that needs more says so instead of passing in
//! silence, and where nothing may be skipped that is a failure unless `.ci/capabilities` lists it.

use crate::image::{FileSystem, Image};
use crate::kernel;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A thing that some machines lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capability {
    /// A ring can be set up.
    IoUring,
    /// Files of the work tree's file system can be opened for direct writes.
    DirectIo,
    /// An image can be formatted, loop-mounted, shut down and mounted again.
    PowerCut(FileSystem),
}

impl Capability {
    /// All, in the order of cost.
    pub const ALL: [Self; 4] =
        [Self::IoUring, Self::DirectIo, Self::PowerCut(FileSystem::Ext4), Self::PowerCut(FileSystem::Xfs)];

    /// The name in `.ci/capabilities`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::IoUring => "io_uring",
            Self::DirectIo => "o_direct",
            Self::PowerCut(FileSystem::Ext4) => "power_cut_ext4",
            Self::PowerCut(FileSystem::Xfs) => "power_cut_xfs",
        }
    }

    /// Tries it.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn probe(self) -> Result<(), String> {
        match self {
            Self::IoUring => kernel::try_io_uring().map_err(|error| format!("io_uring_setup: {error}")),
            Self::DirectIo => try_direct().map_err(|error| format!("a direct write: {error}")),
            Self::PowerCut(kind) => try_power_cut(kind).map_err(|error| error.to_string()),
        }
    }

    /// Whether a test may go on. Probed once for each process.
    ///
    /// # Panics
    /// It is missing, nothing may be skipped, and `.ci/capabilities` does not list it.
    #[must_use]
    pub fn is_here(self) -> bool {
        static PROBED: [OnceLock<Result<(), String>>; 4] = [const { OnceLock::new() }; 4];
        let place = Self::ALL.iter().position(|each| *each == self).unwrap_or_default();
        match PROBED[place].get_or_init(|| self.probe()) {
            Ok(()) => true,
            Err(reason) => {
                let line = unavailable(self, reason);
                assert!(!must_have(self), "{line}, and .ci/capabilities does not list it");
                print(&line);
                false
            }
        }
    }
}

/// The line that says what was not tested.
#[must_use]
pub fn unavailable(capability: Capability, reason: &str) -> String {
    format!("UNAVAILABLE {} {reason}", capability.name())
}

/// Whether its absence is a failure.
#[must_use]
pub fn must_have(capability: Capability) -> bool {
    let asked = |name| std::env::var(name).is_ok_and(|value| value == "1" || value == "true");
    (asked("LAZARET_REQUIRE_ALL") || asked("CI")) && !is_listed(&listing(), capability.name())
}

fn listing() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.ci/capabilities")).unwrap_or_default()
}

fn is_listed(listing: &str, name: &str) -> bool {
    listing.lines().any(|line| line.split_whitespace().next() == Some(name))
}

#[allow(clippy::print_stdout, reason = "the line must reach the person who reads the run")]
fn print(line: &str) {
    println!("{line}");
}

/// A folder for images and stores on the file system of the build, which is a real disk where /tmp may
/// be memory.
#[must_use]
pub fn scratch() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/scratch");
    // A folder that cannot be made is reported by whatever is put into it.
    let _ = fs::create_dir_all(&folder);
    folder.canonicalize().unwrap_or(folder)
}

fn try_direct() -> io::Result<()> {
    let folder = tempfile::tempdir_in(scratch())?;
    let path = folder.path().join("direct");
    OpenOptions::new().write(true).create_new(true).custom_flags(libc::O_DIRECT | libc::O_DSYNC).open(path)?;
    Ok(())
}

fn try_power_cut(kind: FileSystem) -> io::Result<()> {
    let mut image = Image::new(kind)?;
    image.mount()?;
    image.cut_power()?;
    image.unmount()?;
    image.mount()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_names_capabilities_at_the_start_of_a_line() {
        let listing = "# io_uring is fine\npower_cut_xfs no xfsprogs there\n";
        assert!(is_listed(listing, "power_cut_xfs"));
        assert!(!is_listed(listing, "io_uring"));
    }
}
