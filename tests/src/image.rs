//! A file system in a sparse file, mounted through a loop device, whose power can be cut.
//! 1. One image is mounted at a time in a process: [`Image`] holds the turn while it lives.
//! 2. Dropping it unmounts, also when a test panics; what an earlier, killed run left mounted is
//!    unmounted before the first image of this one.

use crate::capability::scratch;
use crate::kernel;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, Once};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// xfs refuses to be made smaller than 300 MiB; the file is sparse.
const IMAGE_BYTES: u64 = 400 << 20;
/// A file system that stays busy for so long has a file open in this process.
const BUSY_MAX: Duration = Duration::from_secs(10);
const BUSY_PAUSE: Duration = Duration::from_millis(5);
const PREFIX: &str = "lazaret-power-";

/// What the image is formatted with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileSystem {
    /// Debian's default.
    Ext4,
    /// Red Hat's default.
    Xfs,
}

/// A formatted image and its mount point.
pub struct Image {
    file_system: FileSystem,
    folder: TempDir,
    mounted: bool,
    _turn: MutexGuard<'static, ()>,
}

impl Image {
    /// What it is formatted with.
    #[must_use]
    pub fn file_system(&self) -> FileSystem {
        self.file_system
    }

    /// Makes and formats an image; it is not mounted yet.
    ///
    /// # Errors
    /// The formatting program is missing or refuses.
    pub fn new(kind: FileSystem) -> io::Result<Self> {
        static TURN: Mutex<()> = Mutex::new(());
        static SWEEP: Once = Once::new();
        // A test that panicked while it had the turn unmounted its image on the way out.
        let turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        SWEEP.call_once(unmount_left_over);
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(scratch())?;
        let image = Self { file_system: kind, folder, mounted: false, _turn: turn };
        File::create_new(image.file())?.set_len(IMAGE_BYTES)?;
        fs::create_dir(image.root())?;
        let file = image.file();
        match kind {
            FileSystem::Ext4 => run(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(file))?,
            FileSystem::Xfs => run(Command::new("mkfs.xfs").args(["-q", "-f"]).arg(file))?,
        }
        Ok(image)
    }

    /// Where it is mounted.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        self.folder.path().join("mount")
    }

    /// Mounts it, which replays its journal after a cut.
    ///
    /// # Errors
    /// No loop device, no right to mount, or a broken file system.
    pub fn mount(&mut self) -> io::Result<()> {
        run(Command::new("mount").args(["-o", "loop"]).arg(self.file()).arg(self.root()))?;
        self.mounted = true;
        Ok(())
    }

    /// Takes its power: what was not synced is gone after the next mount.
    ///
    /// # Errors
    /// As [`kernel::shut_down`].
    pub fn cut_power(&self) -> io::Result<()> {
        kernel::shut_down(&self.root())
    }

    /// Unmounts it. The kernel closes the files of a killed ring a moment after its process has ended, so
    /// a busy file system is asked again for a while.
    ///
    /// # Errors
    /// Something still holds a file open there.
    pub fn unmount(&mut self) -> io::Result<()> {
        let deadline = Instant::now() + BUSY_MAX;
        loop {
            match run(Command::new("umount").arg(self.root())) {
                Ok(()) => break,
                Err(error) if Instant::now() >= deadline => return Err(error),
                Err(_) => std::thread::sleep(BUSY_PAUSE),
            }
        }
        self.mounted = false;
        Ok(())
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("image")
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        if self.mounted {
            // Lazily: on the way out of a failed test something may still be open there.
            let _ = run(Command::new("umount").arg("--lazy").arg(self.root()));
        }
    }
}

/// Unmounts the images of a run that was killed. Another run of these tests in the same work tree at the
/// same time is not supported.
fn unmount_left_over() {
    let Ok(mounts) = fs::read_to_string("/proc/mounts") else { return };
    let folder = scratch();
    for mount in mounts.lines().filter_map(|line| line.split_whitespace().nth(1)).map(Path::new) {
        let ours = mount.strip_prefix(&folder).is_ok_and(|rest| rest.to_string_lossy().starts_with(PREFIX));
        if ours {
            // One that cannot be unmounted does not stand in the way of a new one.
            let _ = run(Command::new("umount").arg("--lazy").arg(mount));
        }
    }
}

/// Runs an administrator's program to its end.
fn run(command: &mut Command) -> io::Result<()> {
    let path = std::env::var("PATH").unwrap_or_default();
    let command = command.env("PATH", format!("{path}:/usr/sbin:/sbin")).stdin(Stdio::null());
    let output = command.output().map_err(|error| io::Error::other(format!("{}: {error}", program(command))))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{} ended with {}: {}", program(command), output.status, said.trim())))
}

fn program(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::Capability;
    use std::io::Write;

    #[test]
    fn a_power_cut_keeps_what_was_synced_and_loses_what_was_not() {
        for kind in [FileSystem::Ext4, FileSystem::Xfs] {
            if !Capability::PowerCut(kind).is_here() {
                continue;
            }
            let mut image = Image::new(kind).unwrap();
            image.mount().unwrap();
            let root = image.root();
            let mut synced = File::create_new(root.join("synced")).unwrap();
            synced.write_all(b"durable").unwrap();
            synced.sync_all().unwrap();
            File::open(&root).unwrap().sync_all().unwrap();
            fs::write(root.join("unsynced"), b"gone").unwrap();
            drop(synced);
            image.cut_power().unwrap();
            assert!(fs::write(root.join("late"), b"refused").is_err(), "nothing is written after a cut");
            image.unmount().unwrap();
            image.mount().unwrap();
            assert_eq!(fs::read(root.join("synced")).unwrap(), b"durable");
            assert!(!root.join("unsynced").exists(), "on {kind:?} what was not synced is gone");
            image.unmount().unwrap();
        }
    }
}
