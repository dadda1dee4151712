//! A recipe from samples whose originals are known.

use super::jump;
use super::step::apply;
use super::{Base, Pair, Position, Step, different_originals, limits, places};
use std::collections::BTreeSet;
use std::ops::Range;

/// Patched bytes of one pair that are looked at: one `write` can hold as many.
const PATCHED_BYTES_MAX: usize = limits::REPAIR_WRITE_BYTES_MAX;
/// Patches so near to each other are one: between them a byte was replaced by an equal one.
const PATCH_GAP_BYTES: usize = 4;
/// Originals that must agree before their bytes are written into files whose original is not known.
const WRITE_ORIGINALS_MIN: usize = 3;
/// Bytes of different originals that must be found at the same place before they count as saved there.
const SAVED_BYTES_MIN: usize = 6;

/// Which files a recipe is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Those of the pairs and no others.
    TheseFiles,
    /// Also files whose original is not known.
    WholeFamily,
}

/// The way in which the pairs grew.
struct Growth {
    /// What removes it.
    remove: Option<Step>,
    /// What saved bytes are measured from: they are in what was appended. None if it was not appended.
    base: Option<Base>,
}

/// The steps that turn each sample into its original; none if there are no single ones. O(n) to compare, and for each
/// patched place one pass over a block of at most 1 MiB.
pub(super) fn derive(pairs: &[Pair<'_>], literals: &[&[u8]], reach: Reach) -> Option<Vec<Step>> {
    let found: Vec<Found<'_>> = pairs.iter().map(|pair| Found::new(*pair, literals)).collect::<Option<_>>()?;
    growths(&found)?.into_iter().find_map(|growth| {
        let mut steps = match growth.base {
            Some(base) => patches(&found, base, reach)?,
            None => Vec::new(),
        };
        steps.extend(growth.remove);
        found.iter().all(|found| found.is_restored(&steps)).then_some(steps)
    })
}

/// A pair with the places of the literals.
struct Found<'a> {
    pair: Pair<'a>,
    places: Vec<Option<Range<usize>>>,
    grown: usize,
}

impl<'a> Found<'a> {
    fn new(pair: Pair<'a>, literals: &[&[u8]]) -> Option<Found<'a>> {
        let grown = pair.sample.len().checked_sub(pair.original.len())?;
        Some(Found { pair, places: places(pair.sample, literals), grown })
    }

    fn is_restored(&self, steps: &[Step]) -> bool {
        apply(steps, self.pair.sample, &self.places).is_some_and(|result| result == self.pair.original)
    }

    /// Where a base is in the sample.
    fn place(&self, base: Base) -> Option<i64> {
        let first = self.places.first().and_then(Option::as_ref);
        let place = match base {
            Base::Start => 0,
            Base::End => self.pair.sample.len(),
            Base::Match(_) => first?.start,
            Base::Behind(_) => first?.end,
        };
        i64::try_from(place).ok()
    }

    /// The first changed places of the original's bytes; none if they are too many to be patches.
    fn patched(&self) -> Option<Vec<usize>> {
        let both = self.pair.original.iter().zip(self.pair.sample).enumerate();
        let differing = both.filter(|(_, (before, after))| before != after).map(|(at, _)| at);
        let patched: Vec<usize> = differing.take(PATCHED_BYTES_MAX + 1).collect();
        (patched.len() <= PATCHED_BYTES_MAX).then_some(patched)
    }
}

/// What may have been done to all pairs, the simplest first.
fn growths(found: &[Found<'_>]) -> Option<Vec<Growth>> {
    let grown = found.first()?.grown;
    let by_same = found.iter().all(|found| found.grown == grown);
    if by_same && grown == 0 {
        return Some(vec![Growth { remove: None, base: Some(Base::End) }]);
    }
    let start = Position::new(Base::Start, 0);
    let mut growths = Vec::new();
    if by_same {
        let to = Position::new(Base::Start, i64::try_from(grown).ok()?);
        growths.push(Growth { remove: Some(Step::Drop { bytes: grown }), base: Some(Base::End) });
        growths.push(Growth { remove: Some(Step::Cut { from: start, to }), base: None });
    }
    let (first, behind) = (Base::Match(0), Base::Behind(0));
    let end_of_original = |found: &Found<'_>| found.pair.original.len();
    if let Some(at) = same_distance(found, first, end_of_original) {
        growths.push(Growth { remove: Some(Step::Truncate { at }), base: Some(first) });
    }
    if let Some(to) = same_distance(found, behind, |found| found.grown) {
        growths.push(Growth { remove: Some(Step::Cut { from: start, to }), base: None });
    }
    Some(growths)
}

/// A place as a position, if it is at the same distance from a base in all pairs.
fn same_distance(found: &[Found<'_>], base: Base, place: impl Fn(&Found<'_>) -> usize) -> Option<Position> {
    let distance = |found: &Found<'_>| i64::try_from(place(found)).ok()?.checked_sub(found.place(base)?);
    let first = distance(found.first()?)?;
    found.iter().all(|found| distance(found) == Some(first)).then_some(Position::new(base, first))
}

/// The steps that undo what was changed within the host.
fn patches(found: &[Found<'_>], base: Base, reach: Reach) -> Option<Vec<Step>> {
    let mut places: BTreeSet<usize> = BTreeSet::new();
    for found in found {
        places.extend(found.patched()?);
    }
    let samples: Vec<&[u8]> = found.iter().map(|found| found.pair.sample).collect();
    if let Some(jump) = jump::common(&samples).filter(|_| places.first().is_some_and(|first| *first < 5)) {
        places.extend(0..jump.bytes);
    }
    let ranges = ranges(places);
    let is_short = ranges.len() < limits::REPAIR_STEPS_MAX;
    is_short.then(|| ranges.into_iter().map(|range| patch(found, base, reach, range)).collect())?
}

/// Neighbouring places as ranges.
fn ranges(places: BTreeSet<usize>) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for place in places {
        match ranges.last_mut().filter(|last| place - last.end <= PATCH_GAP_BYTES) {
            Some(last) => last.end = place + 1,
            None => ranges.push(place..place + 1),
        }
    }
    ranges
}

/// The step that gives one range of the originals back.
fn patch(found: &[Found<'_>], base: Base, reach: Reach, range: Range<usize>) -> Option<Step> {
    let contents: Vec<&[u8]> =
        found.iter().map(|found| found.pair.original.get(range.clone())).collect::<Option<_>>()?;
    let to = Position::new(Base::Start, i64::try_from(range.start).ok()?);
    if let Some(from) = saved_at(found, base, &contents) {
        return Some(Step::Copy { from, bytes: range.len(), to });
    }
    let pairs: Vec<Pair<'_>> = found.iter().map(|found| found.pair).collect();
    let is_known = reach == Reach::TheseFiles || different_originals(&pairs) >= WRITE_ORIGINALS_MIN;
    let is_same = contents.iter().all(|content| *content == contents[0]);
    let is_short = range.len() <= limits::REPAIR_WRITE_BYTES_MAX;
    (is_known && is_same && is_short).then(|| Step::Write { at: to, bytes: contents[0].into() })
}

/// The only place in what was appended, at the same distance from a base in all pairs, that holds these contents.
fn saved_at(found: &[Found<'_>], base: Base, contents: &[&[u8]]) -> Option<Position> {
    let different: BTreeSet<&[u8]> = contents.iter().copied().collect();
    let bytes = contents.first()?.len();
    if different.len() * bytes < SAVED_BYTES_MIN {
        return None;
    }
    let first = found.first()?;
    let (host, origin) = (first.pair.original.len(), first.place(base)?);
    let appended = &first.pair.sample[host..];
    let appended = &appended[..appended.len().min(limits::BLOCK_BYTES_MAX)];
    let holds = |found: &Found<'_>, content: &[u8], plus: i64| {
        let at = found.place(base).and_then(|place| usize::try_from(place + plus).ok());
        at.filter(|at| *at >= found.pair.original.len()).and_then(|at| found.pair.sample.get(at..at + content.len()))
            == Some(content)
    };
    let plus_of = |at: usize| (host + at) as i64 - origin;
    let in_first = appended.windows(bytes).enumerate().filter(|(_, window)| *window == contents[0]);
    let in_all = |plus: &i64| found.iter().zip(contents).all(|(found, content)| holds(found, content, *plus));
    let mut places = in_first.map(|(at, _)| plus_of(at)).filter(in_all);
    let place = places.next()?;
    places.next().is_none().then_some(Position::new(base, place))
}
