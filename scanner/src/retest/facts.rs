//! What is kept of one sample: for every buffer that the scanner matched what a later signature may ask for.

use super::digests::FileFact;
use crate::file::{Digests, Form, Kind, Member};
use crate::grams::{BlockGrams, Filler, Rule};
use std::ops::Deref;

/// A block that is stored as it is: its number in the sample. Any other buffer's carries this mark.
pub(super) const WITHIN: u32 = 1 << 31;

/// What is kept of one sample.
#[derive(Debug, Default)]
pub struct Facts {
    /// Of every buffer that digests of files look at.
    pub(super) files: Vec<FileFact>,
    /// Of every section that digests of sections look at.
    pub(super) sections: Vec<FileFact>,
    /// Grams of every block of every buffer; the reference is the block's number in the sample, or has [`WITHIN`] set.
    pub(super) blocks: Vec<(u32, BlockGrams)>,
    pub(super) plain_bytes: u64,
}

impl Facts {
    /// Bytes that it holds in memory, about half of the buffers it was made from.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let facts = (self.files.len() + self.sections.len()) * size_of::<FileFact>();
        facts + self.blocks.iter().map(|(_, grams)| grams.memory_bytes()).sum::<usize>()
    }
}

/// Collects facts while a sample is walked; its scratch is used again for the next.
#[derive(Debug)]
pub struct FactsBuilder<R> {
    filler: Filler<R>,
    facts: Facts,
}

impl<R: Deref<Target = Rule>> FactsBuilder<R> {
    /// A builder whose grams are asked for by this rule.
    #[must_use]
    pub fn new(rule: R) -> Self {
        Self { filler: Filler::new(rule), facts: Facts::default() }
    }

    /// Takes a buffer; every buffer of the sample must be shown.
    pub fn take(&mut self, member: &Member<'_>) {
        if member.digests == Digests::Counted {
            self.facts.files.push(FileFact::of(member.bytes));
        }
        if let Some(executable) = member.executable.filter(|_| member.kind == Kind::Pe) {
            let sections = executable.sections.iter().map(|section| FileFact::of(section.slice(member.bytes)));
            self.facts.sections.extend(sections);
        }
        let stored = member.depth == 0 && member.form == Form::Raw;
        let blocks = self.filler.blocks(member.bytes).zip(0_u32..);
        self.facts.blocks.extend(blocks.map(|(grams, number)| (if stored { number } else { WITHIN }, grams)));
        self.facts.plain_bytes += member.bytes.len() as u64;
    }

    /// The sample is done; what it gave is handed out, and the next begins. What a walk that failed has left is dropped by
    /// calling this too.
    pub fn finish(&mut self) -> Facts {
        std::mem::take(&mut self.facts)
    }
}
