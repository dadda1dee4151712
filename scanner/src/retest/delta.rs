//! What is different between two sets of definitions, ready to be asked of shelves and matched against samples.

use super::digests::Digests;
use super::required::required;
use crate::definitions::{Definitions, Kind, Signature, diff};
use crate::grams::{Query, Rule, Window};
use crate::ruleset::{CompileError, Limits, Ruleset};
use std::collections::BTreeSet;

/// Literals of which one has to be in a buffer that a new signature matches.
#[derive(Debug)]
pub struct Literal {
    finders: Vec<memchr::memmem::Finder<'static>>,
}

impl Literal {
    /// Whether one of them is in these bytes.
    #[must_use]
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        self.finders.iter().any(|finder| finder.find(bytes).is_some())
    }

    /// Whether one of them can begin at the end of these bytes and go on behind them.
    #[must_use]
    pub fn may_cross(&self, bytes: &[u8]) -> bool {
        let begins = |finder: &memchr::memmem::Finder<'_>| {
            let needle = finder.needle();
            (1..needle.len()).any(|begun| bytes.ends_with(&needle[..begun]))
        };
        self.finders.iter().any(begins)
    }
}

/// The difference between two sets.
pub struct Delta {
    /// What is new, with the allowances of the new set.
    ruleset: Ruleset,
    /// What is new and cannot be asked of a shelf.
    swept: Option<Ruleset>,
    swept_names: Vec<Box<str>>,
    /// Names that no signature of the new set has.
    gone: BTreeSet<Box<str>>,
    /// Names of which some signatures went and some are there.
    doubtful: BTreeSet<Box<str>>,
    pub(super) files: Digests,
    pub(super) sections: Digests,
    pub(super) allowed: Digests,
    pub(super) allow_changed: Digests,
    pub(super) queries: Vec<Query>,
    literals: Vec<Literal>,
}

impl Delta {
    /// Compares two sets; `rule` is that of the shelves that will be asked. Memory and time follow the difference, but
    /// for the comparison itself, which is O(n log n).
    ///
    /// # Errors
    /// What is new is too large.
    pub fn between(old: &Definitions, new: &Definitions, rule: &Rule, limits: Limits) -> Result<Self, CompileError> {
        let difference = diff(old, new);
        let added: Vec<&Signature> =
            difference.to_scan().iter().filter_map(|index| new.signatures.get(*index as usize)).collect();
        let revoked = difference.to_revoke();
        let revoked: BTreeSet<&str> =
            revoked.iter().filter_map(|index| old.signatures.get(*index as usize)).map(|left| &*left.name).collect();
        let still: BTreeSet<&str> = match revoked.is_empty() {
            true => BTreeSet::new(),
            false => {
                new.signatures.iter().map(|signature| &*signature.name).filter(|name| revoked.contains(name)).collect()
            }
        };
        let (doubtful, gone) = revoked.into_iter().partition::<Vec<&str>, _>(|name| still.contains(name));
        let (mut queries, mut literals, mut swept) = (Vec::new(), Vec::new(), Vec::new());
        for signature in added.iter().filter(|signature| matches!(signature.kind, Kind::Body(_) | Kind::Logical(_))) {
            match required(signature).and_then(|literals| Some((query(rule, &literals)?, literals))) {
                Some((query, required)) => {
                    queries.push(query);
                    literals.push(Literal { finders: required.iter().map(|literal| finder(literal)).collect() });
                }
                None => swept.push(*signature),
            }
        }
        let hashes = |sections: bool| {
            (0_u32..).zip(&added).filter_map(move |(index, signature)| match &signature.kind {
                Kind::Hash(hash) if !sections => Some((hash, index)),
                Kind::SectionHash(hash) if sections => Some((hash, index)),
                _ => None,
            })
        };
        let changed = |set: &Definitions, indices: &[u32]| -> Vec<_> {
            indices.iter().filter_map(|index| set.allow.get(*index as usize)).map(|allow| allow.hash).collect()
        };
        let mut allow_changed = changed(new, &difference.allow_added);
        allow_changed.extend(changed(old, &difference.allow_removed));
        let compile = |signatures: &[&Signature]| {
            let signatures = signatures.iter().map(|signature| (*signature).clone()).collect();
            Ruleset::compile(Definitions { signatures, allow: new.allow.clone(), ..Definitions::default() }, limits)
        };
        Ok(Self {
            files: Digests::new(hashes(false)),
            sections: Digests::new(hashes(true)),
            allowed: Digests::new(new.allow.iter().map(|allow| (&allow.hash, 0))),
            allow_changed: Digests::new(allow_changed.iter().map(|hash| (hash, 0))),
            ruleset: compile(&added)?,
            swept_names: swept.iter().map(|signature| signature.name.clone()).collect(),
            swept: if swept.is_empty() { None } else { Some(compile(&swept)?) },
            gone: gone.into_iter().map(Box::from).collect(),
            doubtful: doubtful.into_iter().map(Box::from).collect(),
            queries,
            literals,
        })
    }

    /// What is new, as a set of its own: samples that are candidates are scanned with it.
    #[must_use]
    pub fn ruleset(&self) -> &Ruleset {
        &self.ruleset
    }

    /// What is new and has no literal to ask for: every sample is scanned with it. `None` when there is no such signature.
    #[must_use]
    pub fn swept(&self) -> Option<&Ruleset> {
        self.swept.as_ref()
    }

    /// Names of what must be swept.
    #[must_use]
    pub fn swept_names(&self) -> &[Box<str>] {
        &self.swept_names
    }

    /// New signatures.
    #[must_use]
    pub fn added(&self) -> usize {
        self.ruleset.len()
    }

    /// Names that no signature has any more: findings of such a name are dropped.
    #[must_use]
    pub fn gone(&self) -> &BTreeSet<Box<str>> {
        &self.gone
    }

    /// Names of which some signatures went and some are there: samples with a finding of such a name are scanned with the
    /// whole new set.
    #[must_use]
    pub fn doubtful(&self) -> &BTreeSet<Box<str>> {
        &self.doubtful
    }

    /// The literals of a candidate.
    #[must_use]
    pub fn literal(&self, number: u32) -> Option<&Literal> {
        self.literals.get(number as usize)
    }

    /// Whether nothing has changed that any sample could notice.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ruleset.is_empty() && self.gone.is_empty() && self.doubtful.is_empty() && self.allow_changed.is_empty()
    }

    /// What a sample's matches become, where nothing but the new signatures is to be looked for: `before` without names that
    /// are gone, and `found`. A name that counts in one of them counts. Names are unique, and ascending in what comes back.
    #[must_use]
    pub fn merge(&self, before: Vec<(String, bool)>, found: Vec<(String, bool)>) -> Vec<(String, bool)> {
        let kept = before.into_iter().filter(|(name, _)| !self.gone.contains(name.as_str()));
        let mut merged: Vec<(String, bool)> = kept.chain(found).collect();
        // A match that counts sorts before one of the same name that does not.
        merged.sort_unstable();
        merged.dedup_by(|next, kept| next.0 == kept.0);
        merged
    }
}

/// Blocks that can hold one of these literals; `None` when one of them cannot be asked for.
fn query(rule: &Rule, literals: &[Box<[u8]>]) -> Option<Query> {
    let mut queries = literals.iter().map(|literal| Query::one(rule, Window::new(literal)));
    let first = queries.next()?.ok()?;
    queries.try_fold(first, |query, more| Some(query.or(more.ok()?)))
}

fn finder(literal: &[u8]) -> memchr::memmem::Finder<'static> {
    memchr::memmem::Finder::new(literal).into_owned()
}
