//! A package comes in: verified, compiled, stored, used.

use super::Definitions;
use super::active::NotUsable;
use model::Sequence;

/// What was installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// Its number.
    pub sequence: Sequence,
    /// The set that was used before; `None` for the first.
    pub before: Option<Sequence>,
    /// Signatures in it.
    pub signatures: usize,
    /// Lines that give nothing.
    pub complaints: usize,
}

/// Why nothing was installed.
#[derive(Debug, thiserror::Error)]
pub enum NotInstalled {
    /// Another is being installed.
    #[error("another set of definitions is being installed: try again when it is done")]
    Busy,
    /// It is not newer than what is here.
    #[error("definitions {} are not newer than {}, which are here: a set that is to be used again needs a higher number", given.0, newest.0)]
    NotNewer {
        /// The number that came.
        given: Sequence,
        /// The highest here.
        newest: Sequence,
    },
    /// It is another than was asked for.
    #[error("definitions {} were asked for, and {} came", asked.0, given.0)]
    OtherNumber {
        /// The number that was asked for.
        asked: Sequence,
        /// The number that came.
        given: Sequence,
    },
    /// It cannot be used.
    #[error(transparent)]
    NotUsable(#[from] NotUsable),
    /// It cannot be stored.
    #[error("definitions {} cannot be stored in {dir}: {error}", sequence.0)]
    Disk {
        /// Which.
        sequence: Sequence,
        /// Where.
        dir: String,
        /// What the system said.
        error: std::io::Error,
    },
}

impl Definitions {
    /// Installs a package that has to be the one that was asked for: another is somebody's mistake or somebody's attempt to
    /// bring an estate past sets that it has not seen. Blocks.
    ///
    /// # Errors
    /// As [`Definitions::install`].
    pub fn install_asked(&self, bytes: &[u8], asked: Sequence) -> Result<Installed, NotInstalled> {
        let given = self.number_of(bytes)?;
        if given != asked {
            return Err(NotInstalled::OtherNumber { asked, given });
        }
        self.install(bytes)
    }

    /// Installs a package and uses it from then on. Blocks for as long as compiling takes.
    ///
    /// # Errors
    /// See [`NotInstalled`]; nothing has changed then.
    pub fn install(&self, bytes: &[u8]) -> Result<Installed, NotInstalled> {
        let Some(_one) = self.installing.try_lock() else { return Err(NotInstalled::Busy) };
        let package = self.open(bytes)?;
        let sequence = Sequence(package.manifest.sequence);
        let dir = self.library.dir_of(sequence);
        let disk = |error| NotInstalled::Disk { sequence, dir: dir.display().to_string(), error };
        // Also above what is used: a set on disk that cannot be used is not gone back behind.
        let newest = self.library.sequences().map_err(disk)?.last().copied();
        if let Some(newest) = newest.filter(|newest| *newest >= sequence) {
            return Err(NotInstalled::NotNewer { given: sequence, newest });
        }
        let active = self.compiled(&package)?;
        let before = self.active().map(|active| active.sequence);
        let (signatures, complaints) = (active.detector.len(), active.complaints.len());
        let disk = |error| NotInstalled::Disk { sequence, dir: dir.display().to_string(), error };
        self.library.put(bytes, &package).map_err(disk)?;
        self.cell.set(active);
        tracing::info!(sequence = sequence.0, signatures, complaints, "definitions are in use");
        Ok(Installed { sequence, before, signatures, complaints })
    }
}
