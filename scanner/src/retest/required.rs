//! The literals of which every buffer that a signature matches contains at least one.

use crate::definitions::logical::{Compare, Modifiers};
use crate::definitions::pattern::Part;
use crate::definitions::{Expression, Kind, Pattern, Signature, Subsignature};
use crate::grams::WINDOW_BYTES_MAX;

/// A shorter literal is in so many blocks that asking for it says nothing.
pub(super) const LITERAL_BYTES_MIN: usize = 8;
/// A signature with more alternatives is swept: asking for each costs more.
const ALTERNATIVES_MAX: usize = 32;

/// Literals of 8 to 64 bytes; `None` when there are no such literals.
pub(super) fn required(signature: &Signature) -> Option<Vec<Box<[u8]>>> {
    let literals = match &signature.kind {
        Kind::Body(body) => of_pattern(&body.pattern),
        Kind::Logical(logical) => of_expression(&logical.expression, &logical.subsignatures),
        Kind::Hash(_) | Kind::SectionHash(_) | Kind::ImportHash(_) => None,
    };
    literals.filter(|literals| literals.len() <= ALTERNATIVES_MAX)
}

fn of_expression(expression: &Expression, subsignatures: &[Subsignature]) -> Option<Vec<Box<[u8]>>> {
    match expression {
        Expression::Matched(number) => of_subsignature(*number, subsignatures),
        Expression::All(terms) => {
            terms.iter().filter_map(|term| of_expression(term, subsignatures)).max_by_key(|set| worth(set))
        }
        Expression::AnyOf(terms) => union(terms.iter().map(|term| of_expression(term, subsignatures))),
        // A sum of matches above nothing needs a match of one of them.
        Expression::Count { of, compare: Compare::Greater, .. } => of_any(of, subsignatures),
        Expression::Count { of, compare: Compare::Equal, matches: 1.., .. } => of_any(of, subsignatures),
        Expression::Count { compare: Compare::Equal | Compare::Less, .. } => None,
    }
}

fn of_any(of: &Expression, subsignatures: &[Subsignature]) -> Option<Vec<Box<[u8]>>> {
    let mut numbers = Vec::new();
    of.numbers(&mut numbers);
    union(numbers.into_iter().map(|number| of_subsignature(number, subsignatures)))
}

fn of_subsignature(number: u8, subsignatures: &[Subsignature]) -> Option<Vec<Box<[u8]>>> {
    match subsignatures.get(usize::from(number))? {
        Subsignature::Body { pattern, modifiers, .. } if *modifiers == Modifiers::default() => of_pattern(pattern),
        Subsignature::Body { pattern, modifiers, .. } => {
            union(modifiers.forms(pattern).iter().map(|form| of_pattern(&form.pattern)))
        }
        // A number is read beside a match of its trigger, which is a pattern.
        Subsignature::ByteCompare(compare) => match subsignatures.get(usize::from(compare.trigger))? {
            Subsignature::Body { .. } => of_subsignature(compare.trigger, subsignatures),
            Subsignature::ByteCompare(_) | Subsignature::Macro { .. } => None,
        },
        Subsignature::Macro { .. } => None,
    }
}

/// All of several sets; nothing when one of them is unknown, or there is none.
fn union(sets: impl Iterator<Item = Option<Vec<Box<[u8]>>>>) -> Option<Vec<Box<[u8]>>> {
    let mut all: Vec<Box<[u8]>> = sets.collect::<Option<Vec<_>>>()?.into_iter().flatten().collect();
    all.sort_unstable();
    all.dedup();
    (!all.is_empty()).then_some(all)
}

/// The longest run of known bytes, or the choices of alternates where these are longer.
fn of_pattern(pattern: &Pattern) -> Option<Vec<Box<[u8]>>> {
    let mut best: Option<Vec<Box<[u8]>>> = None;
    let mut keep = |set: Vec<Box<[u8]>>| {
        if set.iter().all(|literal| literal.len() >= LITERAL_BYTES_MIN)
            && best.as_ref().is_none_or(|best| worth(best) < worth(&set))
        {
            best = Some(set);
        }
    };
    let mut run: Vec<u8> = Vec::new();
    for part in &pattern.parts {
        match part {
            Part::Bytes(bytes) => run.extend_from_slice(bytes),
            Part::Masked(bytes) => {
                for byte in bytes {
                    if byte.mask == 0xff {
                        run.push(byte.value);
                    } else {
                        keep(vec![window(&std::mem::take(&mut run))]);
                    }
                }
            }
            Part::Alternates(alternates) if alternates.is_positive() => {
                keep(vec![window(&std::mem::take(&mut run))]);
                let plain = alternates.choices.iter().map(|choice| choice.as_bytes().map(window));
                if let Some(choices) = plain.collect::<Option<Vec<_>>>() {
                    keep(choices);
                }
            }
            Part::Gap(_) | Part::Alternates(_) | Part::Boundary(_) => keep(vec![window(&std::mem::take(&mut run))]),
        }
    }
    keep(vec![window(&run)]);
    best
}

/// The most varied 64 bytes.
fn window(run: &[u8]) -> Box<[u8]> {
    let windows = run.windows(WINDOW_BYTES_MAX.min(run.len()).max(1));
    windows.max_by_key(|window| variety(window)).unwrap_or_default().into()
}

fn variety(bytes: &[u8]) -> usize {
    let mut seen = [false; 256];
    bytes.iter().filter(|byte| !std::mem::replace(&mut seen[usize::from(**byte)], true)).count()
}

/// The weakest literal counts, and few are better than many.
fn worth(set: &[Box<[u8]>]) -> (usize, std::cmp::Reverse<usize>) {
    let weakest = set.iter().map(|literal| literal.len().min(2 * variety(literal))).min().unwrap_or(0);
    (weakest, std::cmp::Reverse(set.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definitions::{Options, Source, load};

    /// The literals of the one signature of a database.
    fn check(name: &str, line: &str, expected: Option<&[&[u8]]>) {
        let source = Source { name, bytes: line.as_bytes() };
        let definitions = load(&[source], Options::default()).unwrap();
        assert_eq!(definitions.signatures.len(), 1, "{line}: {:?}", definitions.rejected);
        let found = required(&definitions.signatures[0]);
        let expected = expected.map(|set| set.iter().map(|literal| Box::from(*literal)).collect::<Vec<Box<[u8]>>>());
        assert_eq!(found, expected, "{line}");
    }

    #[test]
    fn of_a_pattern_the_longest_run_of_known_bytes() {
        check("a.ndb", "A:0:*:6162636465666768", Some(&[b"abcdefgh"]));
        check("a.ndb", "A:0:*:61626364656667", None);
        check("a.ndb", "A:0:*:6162636465666768*696a6b6c6d6e6f7071", Some(&[b"ijklmnopq"]));
        check("a.ndb", "A:0:*:616263646566??676869", None);
        check("a.ndb", "A:0:*:6162(6162636465666768|7172737475767778)6162", Some(&[b"abcdefgh", b"qrstuvwx"]));
    }

    #[test]
    fn of_a_logical_signature_what_its_expression_needs() {
        let (one, two) = ("6162636465666768", "7172737475767778797a");
        let check = |expression: &str, more: &str, expected: Option<&[&[u8]]>| {
            check("a.ldb", &format!("A;Target:0;{expression};{one};{two}{more}"), expected);
        };
        check("0&1", "", Some(&[b"qrstuvwxyz"]));
        check("0|1", "", Some(&[b"abcdefgh", b"qrstuvwxyz"]));
        check("(0|1)>2", "", Some(&[b"abcdefgh", b"qrstuvwxyz"]));
        check("(0|1)=2", "", Some(&[b"abcdefgh", b"qrstuvwxyz"]));
        check("(0|1)=0", "", None);
        check("(0|1)<3", "", None);
        check("1&(0=0)", "", Some(&[b"qrstuvwxyz"]));
        check("0|1|2", ";6162", None);
        check("(0&2)|1", ";6162", Some(&[b"abcdefgh", b"qrstuvwxyz"]));
        check("(0|1)<9&2", ";61626364656667686970::i", None);
        check("(0|1)<9&2", ";61626364656667686970::w", Some(&[b"a\0b\0c\0d\0e\0f\0g\0h\0i\0p\0"]));
    }
}
