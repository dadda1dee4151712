//! Logical signatures: whether a buffer meets the block, and whether the numbers of matches meet the expression.

use crate::definitions::Expression;
use crate::definitions::logical::{ByteCompare, ByteOrder, Compare, Notation, Range, TargetBlock};
use crate::file::Member;

/// How often each sub-signature of one signature matched in one buffer, and where last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// How often.
    pub count: u32,
    /// Where the last match begins.
    pub last: usize,
}

/// Whether an expression holds for these counts.
pub(crate) fn holds(expression: &Expression, tallies: &[Tally]) -> bool {
    let count = |index: u8| tallies.get(usize::from(index)).map_or(0, |tally| tally.count);
    match expression {
        Expression::Matched(index) => count(*index) > 0,
        Expression::All(terms) => terms.iter().all(|term| holds(term, tallies)),
        Expression::AnyOf(terms) => terms.iter().any(|term| holds(term, tallies)),
        Expression::Count { of, compare, matches, distinct_min } => {
            let mut numbers = Vec::new();
            of.numbers(&mut numbers);
            let sum: u64 = numbers.iter().map(|index| u64::from(count(*index))).sum();
            let distinct = numbers.iter().filter(|index| count(**index) > 0).count();
            // Terms under `&` that are not all there count as nothing, as observed in ClamAV.
            let sum = if matches!(**of, Expression::All(_)) && !holds(of, tallies) { 0 } else { sum };
            compares(*compare, sum, u64::from(*matches)) && distinct >= *distinct_min as usize
        }
    }
}

fn compares(compare: Compare, number: u64, with: u64) -> bool {
    match compare {
        Compare::Equal => number == with,
        Compare::Greater => number > with,
        Compare::Less => number < with,
    }
}

/// Whether a buffer is what a block describes, its target aside.
pub(crate) fn describes(block: &TargetBlock, member: &Member<'_>) -> bool {
    let within = |range: Option<Range>, number: Option<u64>| {
        range.is_none_or(|range| {
            number.and_then(|number| u32::try_from(number).ok()).is_some_and(|number| range.contains(number))
        })
    };
    within(block.file_size, Some(member.file_bytes))
        && within(block.entry_point, member.executable.and_then(|executable| executable.entry))
        && within(block.sections, member.executable.map(|executable| executable.sections.len() as u64))
        && block.container.as_deref().is_none_or(|name| match member.containers.last() {
            None => name == "ANY",
            Some(kind) => name == kind.field_name(),
        })
        && intermediates(block, member)
}

fn intermediates(block: &TargetBlock, member: &Member<'_>) -> bool {
    let wanted = &block.intermediates;
    let Some(first) = member.containers.len().checked_sub(wanted.len()) else { return false };
    wanted.iter().zip(&member.containers[first..]).all(|(name, kind)| &**name == "ANY" || &**name == kind.field_name())
}

/// Whether the number beside the last match of the trigger compares as it should.
pub(crate) fn compares_bytes(compare: &ByteCompare, trigger: Tally, bytes: &[u8]) -> bool {
    if trigger.count == 0 {
        return false;
    }
    let from = i64::try_from(trigger.last).ok().and_then(|last| last.checked_add(compare.offset));
    let Some(from) = from.and_then(|from| usize::try_from(from).ok()) else { return false };
    let Some(field) = bytes.get(from..).and_then(|rest| rest.get(..compare.length as usize)) else { return false };
    number(compare, field)
        .is_some_and(|number| compare.comparisons.iter().all(|(how, with)| compares(*how, number, *with)))
}

/// The number that a field of a buffer holds.
fn number(compare: &ByteCompare, field: &[u8]) -> Option<u64> {
    if compare.notation == Notation::Binary {
        let push = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        return Some(match compare.order {
            ByteOrder::Big => field.iter().fold(0, push),
            ByteOrder::Little => field.iter().rev().fold(0, push),
        });
    }
    let blanks = field.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let text = &field[blanks..];
    let prefixed = text.len() > 2 && text[0] == b'0' && matches!(text[1], b'x' | b'X');
    let hexadecimal = match compare.notation {
        Notation::Hexadecimal => true,
        Notation::Automatic => prefixed,
        _ => false,
    };
    let text = if hexadecimal && prefixed { &text[2..] } else { text };
    let is_digit = |byte: &&u8| if hexadecimal { byte.is_ascii_hexdigit() } else { byte.is_ascii_digit() };
    let digits = text.iter().take_while(is_digit).count();
    // With the lowest byte first ClamAV does not insist on a full field.
    let insists = compare.exact && compare.order == ByteOrder::Big;
    if digits == 0 || (insists && (digits < text.len() || blanks > 0)) {
        return None;
    }
    let radix = if hexadecimal { 16 } else { 10 };
    let value = |digits: Vec<u8>| {
        digits.into_iter().try_fold(0u64, |number, digit| {
            let digit = (digit as char).to_digit(16)?;
            number.checked_mul(radix)?.checked_add(digit.into())
        })
    };
    let digits = &text[..digits];
    if compare.order == ByteOrder::Little && hexadecimal {
        // Pairs of digits are bytes, the lowest first.
        return value(digits.rchunks(2).flatten().copied().collect());
    }
    value(digits.to_vec())
}
