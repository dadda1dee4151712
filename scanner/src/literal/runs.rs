//! Windows that several literals are filed under.
//!
//! The literals of one window and offset are a run, sorted by their bytes. A short run is compared one by
//! one. In a long one a search finds the last literal that does not come after the buffer's bytes: all that
//! begin these bytes are that one or begin it in turn, so each knows the longest other that begins it. A
//! window that a hundred thousand literals share therefore costs seventeen compares.

use super::texts::{Place, Texts};
use std::cmp::Ordering;

/// Runs of up to so many are compared one by one.
const COMPARED_MAX: usize = 4;
/// No other literal of the run begins this one.
const NONE: u32 = u32::MAX;

/// A literal filed under a window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filed {
    /// Slot of the window.
    pub(super) slot: u32,
    /// Where the window begins in the literal.
    pub(super) offset: u8,
    /// Which literal.
    pub(super) text: Place,
}

struct Run {
    start: u32,
    len: u32,
    offset: u8,
    /// Whether the next run belongs to another window.
    last: bool,
}

struct Member {
    text: Place,
    /// Place in the run of the longest other that begins this one.
    parent: u32,
}

/// All windows with several literals.
#[derive(Default)]
pub(super) struct Runs {
    runs: Vec<Run>,
    members: Vec<Member>,
    folded: bool,
}

impl Runs {
    /// Memory for each literal that came to a taken window, at most, while the runs are made: lists grow by
    /// doubling, and a run may have one member beside the first.
    pub(super) const MAKING_BYTES: u64 = 2 * (size_of::<Filed>() + 2 * size_of::<Member>() + size_of::<Run>()) as u64;

    pub(super) fn new(folded: bool) -> Self {
        Self { folded, ..Self::default() }
    }

    /// Takes what is filed under one window and returns the number of its first run.
    pub(super) fn add(&mut self, filed: &mut [Filed], texts: &Texts) -> u32 {
        let first = self.runs.len() as u32;
        filed.sort_unstable_by(|a, b| (a.offset, texts.get(a.text)).cmp(&(b.offset, texts.get(b.text))));
        for run in filed.chunk_by(|a, b| a.offset == b.offset) {
            let start = self.members.len();
            let mut open: Vec<u32> = Vec::new();
            for (place, filed) in run.iter().enumerate() {
                let text = texts.get(filed.text);
                let begins = |place: u32| text.starts_with(texts.get(run[place as usize].text));
                while open.pop_if(|&mut place| !begins(place)).is_some() {}
                self.members.push(Member { text: filed.text, parent: open.last().copied().unwrap_or(NONE) });
                open.push(place as u32);
            }
            let len = run.len() as u32;
            self.runs.push(Run { start: start as u32, len, offset: run[0].offset, last: false });
        }
        if let Some(run) = self.runs.last_mut() {
            run.last = true;
        }
        first
    }

    /// Calls for each literal of a window that is in the buffer, with the window at `at`.
    pub(super) fn find(
        &self,
        first: u32,
        texts: &Texts,
        haystack: &[u8],
        at: usize,
        mut found: impl FnMut(Place, usize),
    ) {
        for run in &self.runs[first as usize..] {
            if let Some(start) = at.checked_sub(usize::from(run.offset)) {
                self.find_in(run, texts, &haystack[start..], |text| found(text, start));
            }
            if run.last {
                break;
            }
        }
    }

    fn find_in(&self, run: &Run, texts: &Texts, rest: &[u8], mut found: impl FnMut(Place)) {
        let members = &self.members[run.start as usize..][..run.len as usize];
        if members.len() <= COMPARED_MAX {
            for member in members.iter().filter(|member| begins(texts.get(member.text), rest, self.folded)) {
                found(member.text);
            }
            return;
        }
        let behind = members.partition_point(|member| order(texts.get(member.text), rest, self.folded).is_le());
        let mut place = (behind as u32).checked_sub(1).unwrap_or(NONE);
        while place != NONE {
            let member = &members[place as usize];
            if begins(texts.get(member.text), rest, self.folded) {
                found(member.text);
            }
            place = member.parent;
        }
    }

    /// Asks for a run before it is needed; see `Texts::touch`.
    #[inline]
    pub(super) fn touch(&self, first: u32) -> u32 {
        self.runs[first as usize].start
    }

    /// Members of the longest run.
    pub(super) fn len_max(&self) -> usize {
        self.runs.iter().map(|run| run.len as usize).max().unwrap_or(0)
    }

    /// Windows with several literals.
    pub(super) fn windows(&self) -> usize {
        self.runs.iter().filter(|run| run.last).count()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.runs.capacity() * size_of::<Run>() + self.members.capacity() * size_of::<Member>()
    }

    pub(super) fn shrink(&mut self) {
        self.runs.shrink_to_fit();
        self.members.shrink_to_fit();
    }
}

/// Whether a literal begins the rest of the buffer; a folded literal is in lower case already.
#[inline]
pub(super) fn begins(text: &[u8], rest: &[u8], folded: bool) -> bool {
    match rest.get(..text.len()) {
        Some(same_len) if folded => same_len.eq_ignore_ascii_case(text),
        Some(same_len) => same_len == text,
        None => false,
    }
}

fn order(text: &[u8], rest: &[u8], folded: bool) -> Ordering {
    if folded { text.iter().copied().cmp(rest.iter().map(u8::to_ascii_lowercase)) } else { text.cmp(rest) }
}
