//! Sets on disk: `definitions/<sequence>/`, the package as it came and its files beside it, so that a person finds a set
//! by its number and another program can use its files.
//!
//! 1. A directory with a number for its name is complete: it gets that name last, after everything in it is synced.
//! 2. What is read is the package; the files beside it are for others.

use defcast::package::Package;
use model::Sequence;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// The package in a set's directory.
const PACKAGE: &str = "package.lzd";
/// The directory of its files there.
const FILES: &str = "files";

/// The directory of all sets.
#[derive(Debug)]
pub struct Library {
    dir: PathBuf,
}

/// A set on disk, by what its name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its number.
    pub sequence: Sequence,
    /// Bytes of its package.
    pub package_bytes: u64,
}

impl Library {
    /// The sets in `dir`, which is made when the first comes.
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// Where a set lies.
    pub fn dir_of(&self, sequence: Sequence) -> PathBuf {
        self.dir.join(sequence.0.to_string())
    }

    /// Numbers of the sets, ascending.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn sequences(&self) -> io::Result<Vec<Sequence>> {
        let entries = match std::fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut sequences = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            let number =
                name.to_str().and_then(|name| name.parse().ok().filter(|number: &u64| number.to_string() == name));
            sequences.extend(number.map(Sequence));
        }
        sequences.sort_unstable();
        Ok(sequences)
    }

    /// The sets with their sizes, ascending.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn held(&self) -> io::Result<Vec<Held>> {
        let held = self.sequences()?.into_iter().map(|sequence| {
            let package_bytes =
                std::fs::metadata(self.dir_of(sequence).join(PACKAGE)).map_or(0, |metadata| metadata.len());
            Held { sequence, package_bytes }
        });
        Ok(held.collect())
    }

    /// The package of a set.
    ///
    /// # Errors
    /// It is not there, or cannot be read.
    pub fn read(&self, sequence: Sequence) -> io::Result<Vec<u8>> {
        std::fs::read(self.dir_of(sequence).join(PACKAGE))
    }

    /// Puts a set under its number; durable when this returns.
    ///
    /// # Errors
    /// As the system gives them, a set of this number among them; nothing is left then but a directory that the next
    /// attempt clears away.
    pub fn put(&self, bytes: &[u8], package: &Package) -> io::Result<()> {
        let target = self.dir_of(Sequence(package.manifest.sequence));
        if target.exists() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let coming = self.dir.join("coming");
        match std::fs::remove_dir_all(&coming) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let files = coming.join(FILES);
        DirBuilder::new().recursive(true).mode(0o700).create(&files)?;
        write(&coming.join(PACKAGE), bytes)?;
        for (name, bytes) in &package.files {
            // The package has checked that a name is one plain component.
            write(&files.join(name), bytes)?;
        }
        for dir in [&files, &coming] {
            File::open(dir)?.sync_all()?;
        }
        std::fs::rename(&coming, &target)?;
        File::open(&self.dir)?.sync_all()
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
