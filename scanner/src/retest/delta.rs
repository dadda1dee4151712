//! What is different between two sets of definitions, ready to be asked of shelves and matched against samples.

use super::digests::Digests;
use super::required::required;
use crate::definitions::{Definitions, Kind, Signature, diff};
use crate::grams::{Query, Rule, Unindexable, Window};
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
    /// Those of its own signatures, and behind them what is watched for others.
    pub(super) queries: Vec<Query>,
    literals: Vec<Literal>,
    /// Where what is watched begins.
    watched: u32,
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
            match required(signature).and_then(|literals| Some((query(rule, &literals).ok()??, literals))) {
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
            watched: literals.len() as u32,
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

    /// Adds what rules of another kind have changed: names that are gone, and names of which some rules went and some are
    /// there.
    pub fn withdraw<'a>(
        &mut self,
        gone: impl IntoIterator<Item = &'a str>,
        doubtful: impl IntoIterator<Item = &'a str>,
    ) {
        self.gone.extend(gone.into_iter().map(Box::from));
        self.doubtful.extend(doubtful.into_iter().map(Box::from));
    }

    /// Makes names that are gone doubtful where another kind still has them.
    pub fn doubt(&mut self, is_there: impl Fn(&str) -> bool) {
        self.doubtful.extend(self.gone.extract_if(.., |name| is_there(name)));
    }

    /// Adds a new rule of another kind: one of these literals is in every buffer in which it holds. A sample that has one is
    /// to be scanned with the whole new set.
    ///
    /// # Errors
    /// One of them cannot be asked for, so any sample may be concerned.
    pub fn watch(&mut self, rule: &Rule, literals: &[impl AsRef<[u8]>]) -> Result<(), Unindexable> {
        let literals: Vec<Box<[u8]>> = literals.iter().map(|literal| literal.as_ref().into()).collect();
        if let Some(query) = query(rule, &literals)? {
            self.queries.push(query);
            self.literals.push(Literal { finders: literals.iter().map(|literal| finder(literal)).collect() });
        }
        Ok(())
    }

    /// Whether a literal is that of a rule of another kind.
    #[must_use]
    pub fn is_watched(&self, literal: u32) -> bool {
        literal >= self.watched
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
        self.ruleset.is_empty()
            && self.queries.is_empty()
            && self.gone.is_empty()
            && self.doubtful.is_empty()
            && self.allow_changed.is_empty()
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

/// Blocks that can hold one of these literals; `None` when there are none.
fn query(rule: &Rule, literals: &[Box<[u8]>]) -> Result<Option<Query>, Unindexable> {
    let mut whole: Option<Query> = None;
    for literal in literals {
        let one = Query::one(rule, Window::new(literal))?;
        whole = Some(match whole {
            Some(query) => query.or(one),
            None => one,
        });
    }
    Ok(whole)
}

fn finder(literal: &[u8]) -> memchr::memmem::Finder<'static> {
    memchr::memmem::Finder::new(literal).into_owned()
}
