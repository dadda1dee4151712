//! A package made ready for scanning.

use crate::scanning::{Detector, YaraRules, is_yara};
use defcast::keys::KeyError;
use defcast::package::{Package, PackageError};
use model::Sequence;
use scanner::definitions::repair::Recipe;
use scanner::definitions::{Definitions, LoadError, Options, Source, load};
use scanner::ruleset::{CompileError, Limits, Ruleset};
use std::collections::HashMap;
use std::path::Path;
use yara::StartError;

/// A set of definitions in use. It never changes; whoever scans holds it until it is done.
pub struct Active {
    /// Its number.
    pub sequence: Sequence,
    /// Tested, or made automatically in answer to a sample.
    pub certified: bool,
    /// What finds.
    pub detector: Detector,
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
    /// Its YARA rules are too large, or no worker gets ready with them.
    #[error(transparent)]
    Yara(StartError),
}

/// Lines that are kept to be shown.
const COMPLAINTS_MAX: usize = 1000;

/// A package's files but for YARA rules, loaded.
///
/// # Errors
/// They cannot be loaded at all; single lines are accounted for in what comes back.
pub fn definitions_of(package: &Package) -> Result<Definitions, NotUsable> {
    loaded(&sources_of(package))
}

/// A package's files but for YARA rules.
pub fn sources_of(package: &Package) -> Vec<Source<'_>> {
    let files = package.files.iter().filter(|(name, _)| !is_yara(name));
    files.map(|(name, bytes)| Source { name, bytes }).collect()
}

/// Files loaded as every package is.
///
/// # Errors
/// They cannot be loaded at all.
pub fn loaded(sources: &[Source<'_>]) -> Result<Definitions, NotUsable> {
    load(sources, Options::default()).map_err(NotUsable::Load)
}

/// A package's files of YARA rules.
pub fn yara_of(package: &Package) -> Vec<(&str, &[u8])> {
    let files = package.files.iter().filter(|(name, _)| is_yara(name));
    files.map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect()
}

impl Active {
    /// Loads and compiles a verified package; `program` is started to run YARA rules. Blocks; memory is bounded.
    ///
    /// # Errors
    /// See [`NotUsable`].
    pub fn of(package: &Package, program: &Path) -> Result<Self, NotUsable> {
        let definitions = definitions_of(package)?;
        let mut complaints: Vec<String> = definitions.complaints().map(|(_, text)| text).take(COMPLAINTS_MAX).collect();
        let mut repairs: HashMap<Box<str>, Vec<Recipe>> = HashMap::new();
        for recipe in &definitions.repairs {
            repairs.entry(recipe.signature.clone()).or_default().push(recipe.clone());
        }
        let ruleset = Ruleset::compile(definitions, Limits::default()).map_err(NotUsable::Compile)?;
        let unusable = ruleset.unusable().iter().map(|unusable| format!("{}: {}", unusable.name, unusable.why));
        complaints.extend(unusable.take(COMPLAINTS_MAX));
        let yara = yara_of(package);
        let yara = match yara.is_empty() {
            true => None,
            false => Some(YaraRules::start(program, &yara, ruleset.len()).map_err(NotUsable::Yara)?),
        };
        if let Some(report) = yara.as_ref().map(YaraRules::report) {
            complaints.extend(report.complaints.iter().take(COMPLAINTS_MAX).map(ToString::to_string));
        }
        let detector = Detector { ruleset, yara };
        if detector.is_empty() {
            return Err(NotUsable::Empty);
        }
        Ok(Self {
            sequence: Sequence(package.manifest.sequence),
            certified: package.manifest.certified,
            detector,
            repairs,
            complaints,
        })
    }
}
