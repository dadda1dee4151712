//! The sets of definitions that are here, and the one that is used.
//!
//! ```text
//! package -> Package         defcast    signature, digests and sizes verified
//! Package -> Active          active     loaded and compiled, off to the side
//! Active  -> definitions/N   library    on disk under its number, all or nothing
//! Active  -> used            cell       swapped as a whole; whoever scans keeps the one it began with
//! ```
//!
//! 1. A set that cannot be verified, loaded or compiled, or is not newer, changes nothing.
//! 2. A set is on disk before it is used.
//! 3. One set is installed at a time.

mod active;
mod announce;
mod cell;
mod install;
mod library;

pub use active::{Active, NotUsable, definitions_of, loaded, sources_of, yara_of};
pub use announce::announce;
pub use cell::{Cell, State};
pub use install::{Installed, NotInstalled};
pub use library::{Held, Library};

use crate::scanning::YaraRules;
use defcast::keys::{KeyError, TrustedKeys};
use defcast::package::{Limits, Package};
use model::Sequence;
use parking_lot::Mutex;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use yara::Report;

/// The definitions of a daemon.
pub struct Definitions {
    library: Library,
    keys: Vec<PathBuf>,
    /// Where keys may be put while the server runs.
    own_keys: PathBuf,
    /// The `lazaret` that is started to run YARA rules.
    program: PathBuf,
    cell: Cell,
    installing: Mutex<()>,
}

impl Definitions {
    /// Those of a data directory, vouched for by these keys, files or folders, and those in `keys` in it. None is used
    /// before [`Definitions::load_newest`].
    pub fn new(data: &Path, keys: Vec<PathBuf>, program: PathBuf) -> Self {
        Self {
            library: Library::new(&data.join("definitions")),
            keys,
            own_keys: data.join("keys"),
            program,
            cell: Cell::default(),
            installing: Mutex::default(),
        }
    }

    /// What is used.
    pub fn state(&self) -> Arc<State> {
        self.cell.state()
    }

    /// The set that is used, if one is.
    pub fn active(&self) -> Option<Arc<Active>> {
        self.cell.active()
    }

    /// The sets on disk.
    pub fn library(&self) -> &Library {
        &self.library
    }

    /// Keys whose packages are taken; read anew, so that one that is put there or taken away counts at once.
    ///
    /// # Errors
    /// One of them cannot be read.
    pub fn trusted(&self) -> Result<TrustedKeys, KeyError> {
        let own = self.own_keys.is_dir().then(|| self.own_keys.clone());
        TrustedKeys::read(&self.keys.iter().cloned().chain(own).collect::<Vec<_>>())
    }

    /// A set on disk, verified again.
    ///
    /// # Errors
    /// It is not there, damaged, or signed by a key that is not trusted any more.
    pub fn package(&self, sequence: Sequence) -> Result<Package, NotUsable> {
        let bytes = self.library.read(sequence).map_err(|error| NotUsable::Unreadable { sequence, error })?;
        self.open(&bytes)
    }

    /// A package that a stranger may have made, verified.
    ///
    /// # Errors
    /// It does not hold, or the keys cannot be read.
    pub fn open(&self, bytes: &[u8]) -> Result<Package, NotUsable> {
        let trusted = self.trusted().map_err(NotUsable::Keys)?;
        Package::open(bytes, &trusted, Limits::default()).map_err(NotUsable::Package)
    }

    /// The number of a package that a stranger may have made; only its manifest is verified.
    ///
    /// # Errors
    /// As [`Definitions::open`].
    pub fn number_of(&self, bytes: &[u8]) -> Result<Sequence, NotUsable> {
        let trusted = self.trusted().map_err(NotUsable::Keys)?;
        let (manifest, _) = Package::manifest_of(bytes, &trusted, Limits::default()).map_err(NotUsable::Package)?;
        Ok(Sequence(manifest.sequence))
    }

    /// A verified package made ready for scanning. Blocks.
    ///
    /// # Errors
    /// See [`NotUsable`].
    pub fn compiled(&self, package: &Package) -> Result<Active, NotUsable> {
        Active::of(package, &self.program)
    }

    /// What came of the YARA rules of two sets; nothing is compiled where both have the same. Blocks.
    ///
    /// # Errors
    /// No worker gets ready with them.
    pub fn yara_reports(&self, one: &Package, other: &Package) -> Result<(Report, Report), NotUsable> {
        let (one, other) = (yara_of(one), yara_of(other));
        if one == other {
            return Ok(Default::default());
        }
        let report = |files: &[(&str, &[u8])]| match files.is_empty() {
            true => Ok(Report::default()),
            false => YaraRules::start(&self.program, files, 0).map(|rules| rules.report().clone()),
        };
        Ok((report(&one).map_err(NotUsable::Yara)?, report(&other).map_err(NotUsable::Yara)?))
    }

    /// Loads and uses the newest set on disk, if there is one. Blocks for as long as compiling takes.
    pub fn load_newest(&self) {
        let _one = self.installing.lock();
        let newest = match self.library.sequences() {
            Ok(sequences) => sequences.last().copied(),
            Err(error) => {
                let why = format!("the directory of definitions cannot be read: {error}");
                tracing::error!(%error, "the directory of definitions cannot be read: nothing is scanned");
                self.cell.failed(why);
                return;
            }
        };
        let Some(sequence) = newest else { return };
        self.cell.loading();
        match self.package(sequence).and_then(|package| self.compiled(&package)) {
            Ok(active) => {
                tracing::info!(sequence = sequence.0, signatures = active.detector.len(), "definitions are in use");
                self.cell.set(active);
            }
            Err(error) => {
                tracing::error!(sequence = sequence.0, %error, "definitions cannot be used: nothing is scanned");
                self.cell.failed(error.to_string());
            }
        }
    }
}
