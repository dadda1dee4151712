//! Two packages of definitions become a change that shelves can be asked about.

use crate::definitions::{Definitions as Library, NotUsable, loaded, sources_of};
use crate::scanning::YARA_PREFIX;
use defcast::package::Package;
use engine::Engine;
use engine::catalogue::CatalogueError;
use model::SampleId;
use scanner::definitions::Parts;
use scanner::grams::Rule;
use scanner::retest::Delta;
use scanner::ruleset::{CompileError, Limits};
use std::collections::BTreeSet;

/// The change that shelves are asked about, with what the catalogue says of it.
pub struct Change {
    /// What is new, and what is gone.
    pub delta: Delta,
    /// Samples with a finding of a name that is gone.
    pub gone: BTreeSet<SampleId>,
    /// Samples with a finding of a name of which some signatures went and some are there.
    pub doubtful: BTreeSet<SampleId>,
}

/// Why the difference of two sets cannot be asked of shelves.
#[derive(Debug, thiserror::Error)]
pub enum NotAsked {
    /// One of them cannot be loaded.
    #[error(transparent)]
    NotUsable(#[from] NotUsable),
    /// What is new is too large.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// Any buffer may hold what a new rule needs.
    #[error("the new rule {0} needs no bytes that an index could be asked for")]
    Anywhere(String),
}

/// Does two things at once.
pub fn both<A: Send, B>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B) -> (A, B) {
    std::thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        // It panics where the other would have.
        (one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), other)
    })
}

/// Compares two verified packages, by the rule of the shelves. Blocks.
///
/// # Errors
/// See [`NotAsked`].
pub fn delta(library: &Library, old: &Package, new: &Package, rule: &Rule) -> Result<Delta, NotAsked> {
    let (old_sources, new_sources) = (sources_of(old), sources_of(new));
    let parts = Parts::of(&old_sources, &new_sources);
    let (only_old, only_new) = match &parts {
        Some(parts) => (parts.only_old(), parts.only_new()),
        None => (old_sources.clone(), new_sources.clone()),
    };
    let (before, after) = both(|| loaded(&only_old), || loaded(&only_new));
    let (before, after) = (before?, after?);
    let mut delta = Delta::between(&before, &after, rule, Limits::default())?;
    let (old_rules, new_rules) = library.yara_reports(old, new)?;
    let change = yara::Change::between(&old_rules, &new_rules);
    for added in &change.added {
        let atoms = added.atoms.as_ref().ok_or_else(|| NotAsked::Anywhere(added.signature.clone()))?;
        delta.watch(rule, atoms).map_err(|_| NotAsked::Anywhere(added.signature.clone()))?;
    }
    delta.withdraw(change.gone.iter().copied(), change.doubtful.iter().copied());
    // A name is gone when no rule has it, no new signature, and none that both sets have.
    let rules: BTreeSet<&str> = new_rules.rules.iter().map(|rule| rule.signature.as_str()).collect();
    let names = after.signatures.iter().map(|signature| &*signature.name);
    let signatures: BTreeSet<&str> = names.filter(|name| name.starts_with(YARA_PREFIX)).collect();
    let gone = delta.gone().clone();
    let shared = parts.as_ref().map(|parts| parts.shared(gone.iter().map(|name| &**name))).unwrap_or_default();
    delta.doubt(|name| rules.contains(name) || signatures.contains(name) || shared.contains(name));
    Ok(delta)
}

impl Change {
    /// Looks up who is concerned by what went.
    ///
    /// # Errors
    /// The catalogue cannot be read.
    pub fn new(engine: &Engine, delta: Delta) -> Result<Self, CatalogueError> {
        // A million names may be gone, but only what was found is looked up.
        let found: Vec<String> = match delta.gone().is_empty() && delta.doubtful().is_empty() {
            true => Vec::new(),
            false => engine.catalogue().signatures_found()?,
        };
        let concerned = |names: &BTreeSet<Box<str>>| {
            let mut samples = BTreeSet::new();
            for name in found.iter().filter(|name| names.contains(name.as_str())) {
                samples.extend(engine.catalogue().samples_with(name)?);
            }
            Ok(samples)
        };
        let (gone, doubtful) = (concerned(delta.gone())?, concerned(delta.doubtful())?);
        Ok(Self { delta, gone, doubtful })
    }
}
