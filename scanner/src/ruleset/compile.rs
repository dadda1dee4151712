//! Definitions become a ruleset: every pattern filed under a literal, every digest in a table.

use super::choose::choose;
use super::condition::{Tally, holds};
use super::digests::DigestTable;
use super::needle::Needle;
use super::{CompileError, Hit, Limits, LogicalRule, Ruleset, Unusable, UnusableWhy};
use crate::definitions::logical::{ByteOrder, Modifiers, Neighbours, Notation};
use crate::definitions::{Definitions, Expression, Kind, Logical, Signature, Subsignature};
use crate::literal::{self, Literal, LiteralSet};

impl Ruleset {
    /// Compiles definitions, off to the side of whatever is in use.
    ///
    /// Signatures that this matcher cannot answer are named in [`Ruleset::unusable`]; all others are in the set.
    ///
    /// # Errors
    /// The prediction of its memory passes the limit; nothing large has been allocated then.
    pub fn compile(definitions: Definitions, limits: Limits) -> Result<Self, CompileError> {
        let Definitions { signatures, allow, .. } = definitions;
        let mut parts = Parts::default();
        let mut names = Vec::with_capacity(signatures.len());
        let (mut files, mut sections) = (Vec::new(), Vec::new());
        for (index, signature) in (0u32..).zip(signatures) {
            let Signature { name, kind, .. } = signature;
            match kind {
                Kind::Hash(hash) => files.push((hash, index)),
                Kind::SectionHash(hash) => sections.push((hash, index)),
                Kind::ImportHash(_) => {
                    parts.unusable.push(Unusable { name: name.clone(), why: UnusableWhy::ImportHash })
                }
                Kind::Body(body) => parts.needles.push(Needle {
                    signature: index,
                    tally: None,
                    target: body.target.number(),
                    offset: body.offset,
                    pattern: body.pattern,
                    neighbours: Neighbours::Free,
                    counted: false,
                }),
                Kind::Logical(logical) => {
                    if let Err(why) = parts.logical(index, *logical) {
                        parts.unusable.push(Unusable { name: name.clone(), why });
                    }
                }
            }
            names.push(name);
        }
        let Parts { needles, logicals, tallies, unusable } = parts;
        let (literals, hits, swept) = file(&needles, limits)?;
        let unconditional =
            (0u32..).zip(&logicals).filter(|(_, rule)| rule.holds_unmatched).map(|(at, _)| at).collect();
        let allow_hashes: Vec<_> = allow.iter().map(|allow| &allow.hash).zip(0..).collect();
        let ruleset = Self {
            names: names.into(),
            files: DigestTable::new(files.iter().map(|(hash, index)| (hash, *index))),
            sections: DigestTable::new(sections.iter().map(|(hash, index)| (hash, *index))),
            allow: DigestTable::new(allow_hashes.into_iter()),
            needles: needles.into(),
            literals,
            hits: hits.into(),
            swept: swept.into(),
            logicals: logicals.into(),
            unconditional,
            tallies,
            unusable: unusable.into(),
        };
        let memory_bytes = ruleset.memory_bytes() as u64;
        if memory_bytes > limits.memory_bytes_max {
            return Err(CompileError::TooLarge { bytes: memory_bytes, memory_bytes_max: limits.memory_bytes_max });
        }
        Ok(ruleset)
    }
}

#[derive(Default)]
struct Parts {
    needles: Vec<Needle>,
    logicals: Vec<LogicalRule>,
    tallies: u32,
    unusable: Vec<Unusable>,
}

impl Parts {
    fn logical(&mut self, signature: u32, logical: Logical) -> Result<(), UnusableWhy> {
        let unusable = logical.subsignatures.iter().find_map(|subsignature| match subsignature {
            Subsignature::Macro { .. } => Some(UnusableWhy::Macro),
            Subsignature::ByteCompare(compare)
                if compare.notation == Notation::Automatic && compare.order == ByteOrder::Little =>
            {
                Some(UnusableWhy::ByteCompare)
            }
            Subsignature::ByteCompare(_) | Subsignature::Body { .. } => None,
        });
        if let Some(why) = unusable {
            return Err(why);
        }
        let Logical { block, expression, subsignatures } = logical;
        let mut counted = vec![false; subsignatures.len()];
        count(&expression, &mut counted);
        let first_tally = self.tallies;
        self.tallies += subsignatures.len() as u32;
        let mut compares = Vec::new();
        for subsignature in &subsignatures {
            if let Subsignature::ByteCompare(compare) = subsignature {
                counted[usize::from(compare.trigger)] = true;
            }
        }
        for (tally, subsignature) in (0u8..).zip(subsignatures) {
            match subsignature {
                Subsignature::ByteCompare(compare) => compares.push((tally, compare)),
                Subsignature::Macro { .. } => {}
                Subsignature::Body { offset, pattern, modifiers } => {
                    for form in forms(modifiers, pattern) {
                        self.needles.push(Needle {
                            signature,
                            tally: Some(first_tally + u32::from(tally)),
                            target: block.target.number(),
                            offset,
                            pattern: form.0,
                            neighbours: form.1,
                            counted: counted[usize::from(tally)],
                        });
                    }
                }
            }
        }
        let none = vec![Tally::default(); counted.len()];
        let holds_unmatched = holds(&expression, &none);
        self.logicals.push(LogicalRule {
            signature,
            block,
            expression,
            first_tally,
            tallies: counted.len() as u32,
            compares: compares.into(),
            holds_unmatched,
        });
        Ok(())
    }
}

fn forms(modifiers: Modifiers, pattern: crate::definitions::Pattern) -> Vec<(crate::definitions::Pattern, Neighbours)> {
    if modifiers == Modifiers::default() {
        return vec![(pattern, Neighbours::Free)];
    }
    modifiers.forms(&pattern).into_iter().map(|form| (form.pattern, form.neighbours)).collect()
}

/// Marks the sub-signatures whose every match counts.
fn count(expression: &Expression, counted: &mut [bool]) {
    match expression {
        Expression::Matched(_) => {}
        Expression::All(terms) | Expression::AnyOf(terms) => terms.iter().for_each(|term| count(term, counted)),
        Expression::Count { of, .. } => {
            let mut numbers = Vec::new();
            of.numbers(&mut numbers);
            for number in numbers {
                if let Some(counted) = counted.get_mut(usize::from(number)) {
                    *counted = true;
                }
            }
        }
    }
}

/// Files every needle under its literals; those without one are swept.
fn file(needles: &[Needle], limits: Limits) -> Result<(LiteralSet, Vec<Hit>, Vec<u32>), CompileError> {
    let (mut choices, mut hits, mut swept) = (Vec::new(), Vec::new(), Vec::new());
    for (index, needle) in (0u32..).zip(needles) {
        let chosen = choose(&needle.pattern);
        if chosen.is_empty() {
            swept.push(index);
        }
        // Two literals of one match would count it twice.
        let local = needle.is_local() && (chosen.len() == 1 || !needle.counted);
        for choice in chosen {
            let exact = choice.before.max == Some(choice.before.min);
            let before = u32::try_from(choice.before.min).ok().filter(|_| exact && local);
            hits.push(Hit { needle: index, before });
            choices.push((choice.bytes, choice.case));
        }
    }
    let literals: Vec<Literal<'_>> = choices.iter().map(|(bytes, case)| Literal { bytes, case: *case }).collect();
    let limits = literal::CompileLimits { memory_bytes_max: limits.memory_bytes_max };
    let literals = LiteralSet::compile(&literals, &limits).map_err(CompileError::Literals)?;
    Ok((literals, hits, swept))
}
