//! A sample repaired by the recipes of the set in use, and verified: the result is scanned, and nothing may be found in it.

use super::sample::Failure;
use crate::definitions::Active;
use scanner::cage::{Fault, Pool};
use scanner::definitions::repair::{Anchors, RecipeError, apply};
use scanner::file::{Flow, Form, KIND_BYTES_MIN, Limits, Member};
use scanner::ruleset::Scratch;
use scanner::scan::{Extent, Verdict};

/// Recipes applied one after the other: a file that several infected needs several.
const ROUNDS_MAX: usize = 8;

/// A repaired sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaired {
    /// What it became.
    pub bytes: Vec<u8>,
    /// Whose recipes were applied, in their order.
    pub signatures: Vec<String>,
}

/// Why a sample is not repaired.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotRepaired {
    /// Nothing is found in it, so there is nothing to repair.
    #[error("nothing is found in it with the definitions in use: no repair is necessary")]
    NotNecessary,
    /// The definitions say how to detect it and not how to repair it.
    #[error("the definitions in use have no repair recipe for {0}")]
    NoRecipe(String),
    /// It is found in a file within this one.
    #[error("{name} is found in {path} within it: only a file itself can be repaired, not what it contains")]
    Within {
        /// The signature.
        name: String,
        /// Where, from the outside inwards.
        path: String,
    },
    /// The recipe is for another file.
    #[error("the repair recipe for {name} does not fit: {error}")]
    Recipe {
        /// The signature.
        name: String,
        /// What does not fit.
        error: RecipeError,
    },
    /// It is found again after its recipe was applied.
    #[error("after its repair {0} is still found")]
    StillFound(String),
    /// It cannot be scanned.
    #[error("it cannot be scanned: {0}")]
    Failed(String),
}

/// Repairs a sample's bytes. Blocks.
///
/// # Errors
/// See [`NotRepaired`].
pub fn repair(pool: &Pool, active: &Active, bytes: Vec<u8>, limits: &Limits) -> Result<Repaired, NotRepaired> {
    let mut scratch = Scratch::default();
    let mut repaired = Repaired { bytes, signatures: Vec::new() };
    loop {
        let verdict = verdict(pool, active, &mut scratch, &repaired.bytes, limits)?;
        // What was not looked at may hold what was to be repaired.
        if verdict.buffers_cut_short > 0 {
            return Err(NotRepaired::Failed("its signatures took more work than allowed".to_owned()));
        }
        let Some(next) = next(active, &verdict, &repaired)? else { return Ok(repaired) };
        repaired.bytes = applied(pool, active, next, &repaired.bytes, limits)?;
        repaired.signatures.push(active.detector.name(next).to_owned());
    }
}

/// The signature whose recipe is to be applied next; `None` when nothing is found any more.
fn next(active: &Active, verdict: &Verdict, so_far: &Repaired) -> Result<Option<u32>, NotRepaired> {
    let name = |signature: u32| active.detector.name(signature).to_owned();
    let Some(first) = verdict.detections().next() else {
        return if so_far.signatures.is_empty() { Err(NotRepaired::NotNecessary) } else { Ok(None) };
    };
    let has_recipe = |signature: u32| active.repairs.contains_key(active.detector.name(signature));
    let usable = verdict.detections().find(|found| found.path.is_empty() && has_recipe(found.signature));
    let Some(usable) = usable else {
        let found = verdict.detections().find(|found| has_recipe(found.signature)).unwrap_or(first);
        let name = name(found.signature);
        return Err(if has_recipe(found.signature) {
            NotRepaired::Within { name, path: found.path.join("/") }
        } else if so_far.signatures.is_empty() {
            NotRepaired::NoRecipe(name)
        } else {
            NotRepaired::StillFound(name)
        });
    };
    let name = name(usable.signature);
    if so_far.signatures.contains(&name) || so_far.signatures.len() >= ROUNDS_MAX {
        return Err(NotRepaired::StillFound(name));
    }
    Ok(Some(usable.signature))
}

fn verdict(
    pool: &Pool,
    active: &Active,
    scratch: &mut Scratch,
    bytes: &[u8],
    limits: &Limits,
) -> Result<Verdict, NotRepaired> {
    if bytes.len() < KIND_BYTES_MIN {
        return Ok(Verdict::default());
    }
    let open = |see: &mut dyn FnMut(Member<'_>) -> Flow| pool.walk(bytes, limits, see);
    let mut untried = Vec::new();
    let verdict = active.detector.view().scan(scratch, Extent::Whole, &mut untried, open).map_err(failed)?;
    match untried.into_iter().next() {
        // What was not looked at may hold what was to be repaired.
        Some(why) => Err(NotRepaired::Failed(why)),
        None => Ok(verdict),
    }
}

/// Applies the first recipe for a signature that fits.
fn applied(
    pool: &Pool,
    active: &Active,
    signature: u32,
    bytes: &[u8],
    limits: &Limits,
) -> Result<Vec<u8>, NotRepaired> {
    let name = active.detector.name(signature);
    let (mut matches, mut entry_point) = (Vec::new(), None);
    pool.walk(bytes, limits, &mut |member| {
        if member.depth == 0 && member.form == Form::Raw {
            matches = active.detector.ruleset.anchors(signature, &member);
            entry_point = member.executable.and_then(|executable| executable.entry);
        }
        Flow::Stop
    })
    .map_err(failed)?;
    let anchors = Anchors { matches: &matches, entry_point };
    let mut misfit = None;
    for recipe in active.repairs.get(name).into_iter().flatten() {
        match apply(recipe, bytes, anchors) {
            Ok(bytes) => return Ok(bytes),
            Err(error) => misfit = misfit.or(Some(error)),
        }
    }
    let name = name.to_owned();
    Err(match misfit {
        Some(error) => NotRepaired::Recipe { name, error },
        None => NotRepaired::NoRecipe(name),
    })
}

fn failed(fault: Fault) -> NotRepaired {
    NotRepaired::Failed(fault.to_string())
}

impl From<Failure> for NotRepaired {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Gone => Self::Failed("it is not here any more".to_owned()),
            Failure::Down(why) | Failure::Sample(why) => Self::Failed(why),
        }
    }
}
