//! Where a signature's patterns stand in a buffer: what the positions of a repair recipe are measured from.

use super::Ruleset;
use super::needle::Needle;
use super::place::places;
use super::scan::WORK_MAX;
use super::spans::Spans;
use super::verify;
use crate::file::Member;

impl Ruleset {
    /// The first match of each sub-signature of a signature in a buffer, as byte ranges, the shortest where several begin at
    /// one place; of a signature that is one pattern the one match, of one that is a digest nothing. A search that takes
    /// more work than a scan may counts as no match.
    #[must_use]
    pub fn anchors(&self, signature: u32, member: &Member<'_>) -> Vec<Option<(u64, u64)>> {
        let rule = self.logicals.iter().find(|rule| rule.signature == signature);
        let first = rule.map_or(0, |rule| rule.first_tally);
        let mut anchors = vec![None; rule.map_or(0, |rule| rule.tallies as usize)];
        for needle in self.needles.iter().filter(|needle| needle.signature == signature) {
            let number = needle.tally.map_or(0, |tally| (tally - first) as usize);
            if anchors.len() <= number {
                anchors.resize(number + 1, None);
            }
            anchors[number] = first_match(needle, member);
        }
        anchors
    }
}

fn first_match(needle: &Needle, member: &Member<'_>) -> Option<(u64, u64)> {
    let mut work = WORK_MAX;
    let starts = places(needle.offset, member.bytes.len(), member.executable);
    for start in verify::begins(&needle.pattern, member.bytes, starts, &mut work)? {
        let one = || Spans::one(start, start);
        if needle.find(member.bytes, one(), &mut work)?.is_empty() {
            continue;
        }
        let ends = verify::ends(&needle.pattern, member.bytes, one(), &mut work)?;
        let (end, _) = *ends.ranges().first()?;
        return Some((start as u64, end as u64));
    }
    None
}
