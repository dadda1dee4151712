//! One buffer through a ruleset.

use super::condition::{Tally, compares_bytes, describes, holds};
use super::place::places;
use super::spans::Spans;
use super::{LogicalRule, Ruleset};
use crate::definitions::Anchor;
use crate::file::{Digests, Kind, Member};
use crate::literal::{LiteralId, PART_BYTES};

/// Places that are looked at behind the literals in one buffer, at most: about a second's worth.
pub const WORK_MAX: u64 = 1 << 30;

/// What scanning needs beside the ruleset; reused from buffer to buffer, of any ruleset.
#[derive(Default)]
pub struct Scratch {
    /// For each needle the number of the buffer in which nothing more is asked of it.
    settled: Vec<u32>,
    /// The number of the buffer at hand, from 1.
    buffer: u32,
    /// For each sub-signature of all logical signatures.
    tallies: Vec<Tally>,
    /// Tallies that are not zero.
    touched: Vec<u32>,
    /// Whole-buffer searches, collected behind the literals so that each is made once.
    wide: Vec<u32>,
}

impl Scratch {
    fn begin(&mut self, ruleset: &Ruleset) {
        for touched in self.touched.drain(..) {
            if let Some(tally) = self.tallies.get_mut(touched as usize) {
                *tally = Tally::default();
            }
        }
        self.wide.clear();
        self.tallies.resize(ruleset.tallies as usize, Tally::default());
        if self.settled.len() != ruleset.needles.len() || self.buffer == u32::MAX {
            self.settled.clear();
            self.settled.resize(ruleset.needles.len(), 0);
            self.buffer = 0;
        }
        self.buffer += 1;
    }
}

impl Ruleset {
    /// Calls for every signature found in a buffer, in no order, at least once each. `false` when the bound on work was
    /// reached and some may be missing.
    pub fn scan(&self, member: &Member<'_>, scratch: &mut Scratch, found: &mut dyn FnMut(u32)) -> bool {
        scratch.begin(self);
        if member.digests == Digests::Counted {
            self.files.find(member.bytes, found);
        }
        if let Some(executable) = member.executable.filter(|_| member.kind == Kind::Pe && !self.sections.is_empty()) {
            executable.sections.iter().for_each(|section| self.sections.find(section.slice(member.bytes), found));
        }
        let mut look = Look { ruleset: self, member, work: WORK_MAX, enough: true, found };
        let hit = |literal: LiteralId, at| look.hit(scratch, literal.0, at);
        if member.bytes.len() < 2 * PART_BYTES {
            self.literals.scan(member.bytes, hit);
        } else {
            let threads = std::thread::available_parallelism().map_or(1, usize::from);
            self.literals.scan_split(threads, member.bytes, hit);
        }
        let wide = std::mem::take(&mut scratch.wide);
        wide.iter().chain(&self.swept).for_each(|needle| look.search(scratch, *needle));
        scratch.wide = wide;
        look.conclude(scratch);
        look.enough
    }

    /// Whether an allowance names these bytes.
    pub fn allows(&self, bytes: &[u8]) -> bool {
        let mut allows = false;
        if !self.allow.is_empty() {
            self.allow.find(bytes, &mut |_| allows = true);
        }
        allows
    }

    /// The logical signature that a tally belongs to.
    fn logical_of(&self, tally: u32) -> usize {
        self.logicals.partition_point(|rule| rule.first_tally <= tally) - 1
    }
}

/// One buffer being looked at.
struct Look<'a> {
    ruleset: &'a Ruleset,
    member: &'a Member<'a>,
    work: u64,
    enough: bool,
    found: &'a mut dyn FnMut(u32),
}

impl Look<'_> {
    /// A literal stands at a place.
    fn hit(&mut self, scratch: &mut Scratch, literal: u32, at: usize) {
        let hit = self.ruleset.hits[literal as usize];
        let needle = &self.ruleset.needles[hit.needle as usize];
        let settled = scratch.settled[hit.needle as usize] == scratch.buffer;
        if settled || !self.looks_here(needle.target) {
            return;
        }
        let Some(before) = hit.before else {
            scratch.settled[hit.needle as usize] = scratch.buffer;
            scratch.wide.push(hit.needle);
            return;
        };
        let Some(start) = at.checked_sub(before as usize) else { return };
        if needle.offset.anchor != Anchor::Any
            && !places(needle.offset, self.member.bytes.len(), self.member.executable).holds(start)
        {
            return;
        }
        let Some(places) = needle.find(self.member.bytes, Spans::one(start, start), &mut self.work) else {
            self.enough = false;
            return;
        };
        if !places.is_empty() {
            self.matched(scratch, hit.needle, 1, start);
        }
    }

    /// A needle is searched for in the whole buffer.
    fn search(&mut self, scratch: &mut Scratch, index: u32) {
        let needle = &self.ruleset.needles[index as usize];
        if !self.looks_here(needle.target) {
            return;
        }
        let starts = places(needle.offset, self.member.bytes.len(), self.member.executable);
        match needle.find(self.member.bytes, starts, &mut self.work) {
            None => self.enough = false,
            Some(places) => {
                if let Some(last) = places.last() {
                    self.matched(scratch, index, places.len(), *last);
                }
            }
        }
    }

    fn matched(&mut self, scratch: &mut Scratch, index: u32, count: usize, last: usize) {
        let needle = &self.ruleset.needles[index as usize];
        if !needle.counted {
            scratch.settled[index as usize] = scratch.buffer;
        }
        let Some(at) = needle.tally else { return (self.found)(needle.signature) };
        let tally = &mut scratch.tallies[at as usize];
        if tally.count == 0 {
            scratch.touched.push(at);
        }
        tally.count = tally.count.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        tally.last = tally.last.max(last);
    }

    /// Logical signatures of which something matched, and those that need nothing.
    fn conclude(&mut self, scratch: &mut Scratch) {
        let mut rules: Vec<usize> = scratch.touched.iter().map(|tally| self.ruleset.logical_of(*tally)).collect();
        rules.extend(self.ruleset.unconditional.iter().map(|rule| *rule as usize));
        rules.sort_unstable();
        rules.dedup();
        for rule in rules {
            let rule = &self.ruleset.logicals[rule];
            if self.looks_here(rule.block.target.number()) && self.holds(scratch, rule) {
                (self.found)(rule.signature);
            }
        }
    }

    fn holds(&self, scratch: &mut Scratch, rule: &LogicalRule) -> bool {
        if !describes(&rule.block, self.member) {
            return false;
        }
        let first = rule.first_tally as usize;
        for (index, compare) in &rule.compares {
            let trigger = scratch.tallies[first + usize::from(compare.trigger)];
            if compares_bytes(compare, trigger, self.member.bytes) {
                let at = first + usize::from(*index);
                scratch.tallies[at] = Tally { count: 1, last: trigger.last };
                scratch.touched.push(at as u32);
            }
        }
        holds(&rule.expression, &scratch.tallies[first..first + rule.tallies as usize])
    }

    /// Whether signatures of a target look at this buffer.
    fn looks_here(&self, target: u8) -> bool {
        let targets = self.member.targets;
        targets.own.map(|own| own as u8) == Some(target) || (targets.any && target == 0)
    }
}
