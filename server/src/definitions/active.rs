//! A package made ready for scanning.

use defcast::keys::KeyError;
use defcast::package::{Package, PackageError};
use model::Sequence;
use scanner::definitions::repair::Recipe;
use scanner::definitions::{Definitions, LoadError, Options, Source, load};
use scanner::ruleset::{CompileError, Limits, Ruleset};
use std::collections::HashMap;

/// A set of definitions in use. It never changes; whoever scans holds it until it is done.
pub struct Active {
    /// Its number.
    pub sequence: Sequence,
    /// Tested, or made automatically in answer to a sample.
    pub certified: bool,
    /// What finds.
    pub ruleset: Ruleset,
    /// What repairs, by signature.
    pub repairs: HashMap<Box<str>, Vec<Recipe>>,
    /// Lines that give nothing, as sentences.
    pub complaints: Vec<String>,
}

/// Why a package cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NotUsable {
    /// It is not on disk, or the disk said no.
    #[error("definitions {} cannot be read: {error}", sequence.0)]
    Unreadable {
        /// Which.
        sequence: Sequence,
        /// What the system said.
        error: std::io::Error,
    },
    /// The keys that could vouch for it cannot be read.
    #[error(transparent)]
    Keys(KeyError),
    /// Its signature, digests or sizes do not hold.
    #[error(transparent)]
    Package(PackageError),
    /// Its files cannot be loaded.
    #[error("the definitions cannot be loaded: {0}")]
    Load(LoadError),
    /// Its files hold nothing that finds anything.
    #[error("there is no usable signature among the definitions")]
    Empty,
    /// It is too large.
    #[error(transparent)]
    Compile(CompileError),
}

/// Lines that are kept to be shown.
const COMPLAINTS_MAX: usize = 1000;

/// A package's files, loaded.
///
/// # Errors
/// They cannot be loaded at all; single lines are accounted for in what comes back.
pub fn definitions_of(package: &Package) -> Result<Definitions, NotUsable> {
    let sources: Vec<Source<'_>> = package.files.iter().map(|(name, bytes)| Source { name, bytes }).collect();
    load(&sources, Options::default()).map_err(NotUsable::Load)
}

impl Active {
    /// Loads and compiles a verified package. Blocks; memory is bounded.
    ///
    /// # Errors
    /// See [`NotUsable`].
    pub fn of(package: &Package) -> Result<Self, NotUsable> {
        let definitions = definitions_of(package)?;
        if definitions.signatures.is_empty() {
            return Err(NotUsable::Empty);
        }
        let mut complaints: Vec<String> = definitions.complaints().map(|(_, text)| text).take(COMPLAINTS_MAX).collect();
        let mut repairs: HashMap<Box<str>, Vec<Recipe>> = HashMap::new();
        for recipe in &definitions.repairs {
            repairs.entry(recipe.signature.clone()).or_default().push(recipe.clone());
        }
        let ruleset = Ruleset::compile(definitions, Limits::default()).map_err(NotUsable::Compile)?;
        let unusable = ruleset.unusable().iter().map(|unusable| format!("{}: {}", unusable.name, unusable.why));
        complaints.extend(unusable.take(COMPLAINTS_MAX));
        Ok(Self {
            sequence: Sequence(package.manifest.sequence),
            certified: package.manifest.certified,
            ruleset,
            repairs,
            complaints,
        })
    }
}
