//! Every buffer of a sample against a ruleset.

use super::verdict::Verdict;
use crate::file::{Digests, Flow, Form, Member, Outcome};
use crate::ruleset::{Ruleset, Scratch};

/// How much of a sample is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Up to the first buffer in which something is found that counts.
    FirstFinding,
    /// All of it.
    Whole,
}

/// Rules of another kind than a ruleset's, tried on the same buffers. Gives the numbers of those that hold, which begin
/// where the ruleset's end; `false` when not all could be tried.
pub type Beside<'a> = dyn FnMut(&Member<'_>, &mut dyn FnMut(u32)) -> bool + 'a;

/// Scans a sample. `open` walks through it, here or in the cage, and hands every buffer to what it is given.
///
/// # Errors
/// Those of `open`. What was found until then is lost: a sample that kills its worker has no verdict.
pub fn scan<E>(
    ruleset: &Ruleset,
    scratch: &mut Scratch,
    extent: Extent,
    open: impl FnOnce(&mut dyn FnMut(Member<'_>) -> Flow) -> Result<Outcome, E>,
) -> Result<Verdict, E> {
    scan_beside(ruleset, scratch, extent, &mut |_, _| true, open)
}

/// As [`scan()`], with other rules tried beside the ruleset. Allowances suppress what these find too.
///
/// # Errors
/// Those of `open`.
pub fn scan_beside<E>(
    ruleset: &Ruleset,
    scratch: &mut Scratch,
    extent: Extent,
    beside: &mut Beside<'_>,
    open: impl FnOnce(&mut dyn FnMut(Member<'_>) -> Flow) -> Result<Outcome, E>,
) -> Result<Verdict, E> {
    let mut verdict = Verdict::default();
    // For each open container whether it or one around it is allowed.
    let mut allowed: Vec<bool> = Vec::new();
    let outcome = open(&mut |member| {
        let depth = member.depth as usize;
        if member.form == Form::Raw {
            allowed.truncate(depth);
            let around = allowed.last().copied().unwrap_or(false);
            // A depth is skipped where a form that is not a file holds one.
            allowed.resize(depth, around);
            allowed.push(around || (member.digests == Digests::Counted && ruleset.allows(member.bytes)));
        }
        let is_allowed = allowed.get(depth).or(allowed.last()).copied().unwrap_or(false);
        let mut is_whole =
            ruleset.scan(&member, scratch, &mut |signature| verdict.add(signature, member.path, is_allowed));
        if extent == Extent::Whole || !verdict.is_infected() {
            is_whole &= beside(&member, &mut |rule| verdict.add(rule, member.path, is_allowed));
        }
        verdict.buffers_cut_short += u32::from(!is_whole);
        if extent == Extent::FirstFinding && verdict.is_infected() { Flow::Stop } else { Flow::On }
    })?;
    Ok(Verdict { outcome, ..verdict })
}
