//! Whether a pattern stands in a buffer at any of given places, exactly.
//!
//! All places are followed at once, as ranges, so that no choice is ever taken back: the work is at most
//! (bytes of the buffer) x (bytes of the pattern), whatever gaps and alternates it has.
//!
//! A pattern's *segments* lie between its gaps of more than one length (and fixed gaps of 128 bytes and more). What a
//! boundary means depends on whether it stands at an edge of its segment, as observed in ClamAV.

use super::spans::Spans;
use crate::definitions::Pattern;
use crate::definitions::limits::FIXED_GAP_MAX;
use crate::definitions::pattern::{Alternates, Boundary, BoundaryKind, Gap, Part, Polarity};

/// Ranges at least this long are searched for their first byte string instead of compared place by place.
const SEARCHED_MIN: usize = 32;

/// Where the last segment of matches that start at one of `starts` begins, one entry for each match, ascending.
/// This is what ClamAV counts. `work` is lowered by the places looked at; `None` when it does not suffice.
pub(crate) fn matches(pattern: &Pattern, bytes: &[u8], starts: Spans, work: &mut u64) -> Option<Vec<usize>> {
    let last = pattern.parts.iter().rposition(is_separator).map_or(0, |separator| separator + 1);
    let here = follow(&pattern.parts, 0..last, bytes, starts, work)?;
    let mut found = Vec::new();
    let len_min = pattern.parts[last..].iter().map(|part| part.length().min).sum::<u64>();
    let Some(latest) = usize::try_from(len_min).ok().and_then(|len| bytes.len().checked_sub(len)) else {
        return Some(found);
    };
    let here = here.within(0, latest);
    // The first part thins the places, all at once; the rest is followed for each that is left.
    let places = first_places(&pattern.parts[last..], bytes, &here, work)?;
    for place in places {
        let ends = follow(&pattern.parts, last..pattern.parts.len(), bytes, Spans::one(place, place), work)?;
        if !ends.is_empty() {
            found.push(place);
        }
    }
    Some(found)
}

/// Places among `starts` at which the first part of the pattern stands, ascending. `work` as in [`matches`].
pub(crate) fn begins(pattern: &Pattern, bytes: &[u8], starts: Spans, work: &mut u64) -> Option<Vec<usize>> {
    first_places(&pattern.parts, bytes, &starts.within(0, bytes.len()), work)
}

/// Where matches that start at one of `starts` end. `work` as in [`matches`].
pub(crate) fn ends(pattern: &Pattern, bytes: &[u8], starts: Spans, work: &mut u64) -> Option<Spans> {
    follow(&pattern.parts, 0..pattern.parts.len(), bytes, starts, work)
}

fn first_places(parts: &[Part], bytes: &[u8], here: &Spans, work: &mut u64) -> Option<Vec<usize>> {
    let Some(Part::Bytes(wanted)) = parts.first() else {
        let count: usize = here.ranges().iter().map(|(from, to)| to - from + 1).sum();
        *work = work.checked_sub(count as u64)?;
        return Some(here.ranges().iter().flat_map(|(from, to)| *from..=*to).collect());
    };
    let ends = exactly(bytes, here, wanted, work)?;
    Some(ends.ranges().iter().flat_map(|(from, to)| *from..=*to).map(|end| end - wanted.len()).collect())
}

/// Whether a part separates two segments.
fn is_separator(part: &Part) -> bool {
    match part {
        Part::Gap(gap) => gap.max != Some(gap.min) || gap.min >= FIXED_GAP_MAX,
        _ => false,
    }
}

/// Where matches of `parts[range]` that start at one of `starts` end, each as the place behind its last byte.
fn follow(parts: &[Part], range: std::ops::Range<usize>, bytes: &[u8], starts: Spans, work: &mut u64) -> Option<Spans> {
    let mut here = starts.within(0, bytes.len());
    for index in range {
        if here.is_empty() {
            break;
        }
        here = match &parts[index] {
            Part::Bytes(wanted) => exactly(bytes, &here, wanted, work)?,
            Part::Masked(wanted) => fixed(bytes, &here, wanted.len(), work, |at| {
                at.iter().zip(wanted).all(|(byte, wanted)| byte & wanted.mask == wanted.value)
            })?,
            Part::Gap(gap) => beyond(*gap, &here, bytes.len()),
            Part::Alternates(alternates) => choice(alternates, bytes, &here, work)?,
            Part::Boundary(boundary) => {
                let left = index == 0 || is_separator(&parts[index - 1]);
                let right = parts.get(index + 1).is_none_or(is_separator);
                at_boundary(*boundary, left, right, bytes, &here, work)?
            }
        };
    }
    Some(here)
}

fn beyond(gap: Gap, here: &Spans, len: usize) -> Spans {
    let far = |to: usize| gap.max.map_or(len, |max| to.saturating_add(max as usize));
    let moved = |range: &(usize, usize)| (range.0.saturating_add(gap.min as usize), far(range.1));
    Spans::union(here.ranges().iter().map(moved).collect()).within(0, len)
}

fn choice(alternates: &Alternates, bytes: &[u8], here: &Spans, work: &mut u64) -> Option<Spans> {
    if !alternates.is_positive() {
        let choices = &alternates.choices;
        let len = alternates.plain_len().unwrap_or(0);
        return fixed(bytes, here, len, work, |at| choices.iter().all(|choice| choice.as_bytes() != Some(at)));
    }
    let mut reached = Vec::new();
    for choice in &alternates.choices {
        reached.extend_from_slice(follow(&choice.parts, 0..choice.parts.len(), bytes, here.clone(), work)?.ranges());
    }
    Some(Spans::union(reached))
}

/// The places behind a byte string.
fn exactly(bytes: &[u8], here: &Spans, wanted: &[u8], work: &mut u64) -> Option<Spans> {
    let Some(last) = bytes.len().checked_sub(wanted.len()) else { return Some(Spans::default()) };
    let mut reached = Vec::new();
    for (from, to) in here.within(0, last).ranges() {
        *work = work.checked_sub((to - from + 1) as u64)?;
        if to - from < SEARCHED_MIN {
            let found = (*from..=*to).filter(|start| bytes[*start..].starts_with(wanted));
            reached.extend(found.map(|start| (start + wanted.len(), start + wanted.len())));
            continue;
        }
        let finder = memchr::memmem::Finder::new(wanted);
        let (mut at, end) = (*from, to + wanted.len());
        while let Some(next) = finder.find(&bytes[at..end]) {
            let behind = at + next + wanted.len();
            reached.push((behind, behind));
            at += next + 1;
        }
    }
    Some(Spans::union(reached))
}

/// The places behind `len` bytes that `holds`.
fn fixed(bytes: &[u8], here: &Spans, len: usize, work: &mut u64, holds: impl Fn(&[u8]) -> bool) -> Option<Spans> {
    let mut reached = Vec::new();
    let Some(last) = bytes.len().checked_sub(len) else { return Some(Spans::default()) };
    for (from, to) in here.within(0, last).ranges() {
        *work = work.checked_sub((to - from + 1) as u64)?;
        let found = (*from..=*to).filter(|start| holds(&bytes[*start..*start + len]));
        reached.extend(found.map(|start| (start + len, start + len)));
    }
    Some(Spans::union(reached))
}

/// The places behind a boundary: at the edge of a segment the same places, within one those behind the byte (or the
/// line end) it takes.
fn at_boundary(
    boundary: Boundary,
    left: bool,
    right: bool,
    bytes: &[u8],
    here: &Spans,
    work: &mut u64,
) -> Option<Spans> {
    let wanted = boundary.polarity == Polarity::Positive;
    let mut reached = Vec::new();
    for (from, to) in here.ranges() {
        *work = work.checked_sub((to - from + 1) as u64)?;
        for place in *from..=*to {
            let before = place.checked_sub(1).map(|at| bytes[at]);
            let (next, after) = (bytes.get(place).copied(), bytes.get(place + 1).copied());
            let behind = if left {
                (before.is_none_or(|byte| is_before(boundary.kind, byte)) == wanted).then_some(place)
            } else if right {
                (next.is_none_or(|byte| is_behind(boundary.kind, byte, after)) == wanted).then_some(place)
            } else {
                within(boundary.kind, wanted, next, after).map(|taken| place + taken)
            };
            reached.extend(behind.map(|behind| (behind, behind)));
        }
    }
    Some(Spans::union(reached))
}

/// Whether a byte may stand before a boundary at the left edge of a segment: each byte was tried with ClamAV.
fn is_before(kind: BoundaryKind, byte: u8) -> bool {
    match kind {
        BoundaryKind::Word => b" -./<@_".contains(&byte),
        BoundaryKind::Line => byte == b'\n',
        BoundaryKind::NonAlphanumeric => !byte.is_ascii_alphanumeric(),
    }
}

/// Whether a byte may stand behind a boundary at the right edge of a segment.
fn is_behind(kind: BoundaryKind, byte: u8, after: Option<u8>) -> bool {
    match kind {
        BoundaryKind::Word => b"\n\r \"'-/=>_".contains(&byte),
        BoundaryKind::Line => byte == b'\n' || (byte == b'\r' && after == Some(b'\n')),
        BoundaryKind::NonAlphanumeric => !byte.is_ascii_alphanumeric(),
    }
}

/// How many bytes a boundary within a segment takes, if it stands there.
fn within(kind: BoundaryKind, wanted: bool, next: Option<u8>, after: Option<u8>) -> Option<usize> {
    let next = next?;
    let taken = match kind {
        BoundaryKind::Word => b"\n\r \"'-./<=>@_".contains(&next).then_some(1),
        BoundaryKind::Line if next == b'\r' && after == Some(b'\n') => Some(2),
        BoundaryKind::Line => (next == b'\n').then_some(1),
        BoundaryKind::NonAlphanumeric => (!next.is_ascii_alphanumeric()).then_some(1),
    };
    if wanted { taken } else { taken.is_none().then_some(1) }
}
