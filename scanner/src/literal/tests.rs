//! The same answers as a matcher that tries every literal at every position, and as the aho-corasick crate.

use super::*;
use aho_corasick::AhoCorasick;
use proptest::prelude::*;

type Found = Vec<(u32, usize)>;

fn compile(literals: &[Literal<'_>]) -> LiteralSet {
    LiteralSet::compile(literals, &CompileLimits::default()).expect("a small set")
}

fn by(set: &LiteralSet, instructions: Instructions, haystack: &[u8]) -> Found {
    let mut found = Vec::new();
    set.scan_by(instructions, haystack, |id, start| found.push((id.0, start)));
    found.sort_unstable();
    found
}

fn naive(literals: &[Literal<'_>], haystack: &[u8]) -> Found {
    let mut found = Vec::new();
    for (id, literal) in literals.iter().enumerate() {
        for (start, window) in haystack.windows(literal.bytes.len()).enumerate() {
            let same = match literal.case {
                Case::Exact => window == literal.bytes,
                Case::AnyAscii => window.eq_ignore_ascii_case(literal.bytes),
            };
            if same {
                found.push((id as u32, start));
            }
        }
    }
    found
}

/// Panics where the scan's answers, by either kind of instructions, differ from the naive ones.
fn check(literals: &[Literal<'_>], haystack: &[u8]) {
    let set = compile(literals);
    let expected = naive(literals, haystack);
    for instructions in [Instructions::Scalar, Instructions::Avx2] {
        let found = by(&set, instructions, haystack);
        assert!(
            found == expected,
            "{instructions:?}: {found:?}, expected {expected:?} in {haystack:?} of {literals:?}"
        );
    }
}

/// SplitMix64: a case is its seed.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let value = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((u128::from(value ^ (value >> 31)) * bound as u128) >> 64) as usize
    }

    fn bytes(&mut self, len: usize, alphabet: &[u8]) -> Vec<u8> {
        (0..len).map(|_| alphabet[self.below(alphabet.len())]).collect()
    }

    /// Literals of 1 to 80 bytes over a few letters, half of them cut from the haystack; now and then one is
    /// the beginning of another, or its copy.
    fn case(&mut self, haystack_bytes_max: usize, literals_max: usize) -> (Vec<u8>, Vec<Vec<u8>>) {
        let alphabets: [&[u8]; 5] = [b"a", b"ab", b"abAB", b"\0\0\0\xff", b"abcdefghijklmnopqrstuvwxyzABCDEF\0@`[{"];
        let alphabet = alphabets[self.below(alphabets.len())];
        let len = self.below(haystack_bytes_max);
        let haystack = self.bytes(len, alphabet);
        let mut literals: Vec<Vec<u8>> = Vec::new();
        for _ in 0..=self.below(literals_max) {
            let longest = [3, 8, 16, 80][self.below(4)];
            let len = 1 + self.below(longest);
            literals.push(match self.below(8) {
                0 if !literals.is_empty() => {
                    let other = &literals[self.below(literals.len())];
                    other[..len.min(other.len())].to_vec()
                }
                1..=4 if haystack.len() >= len => {
                    let start = [0, haystack.len() - len, self.below(haystack.len() - len + 1)][self.below(3)];
                    haystack[start..start + len].to_vec()
                }
                _ => self.bytes(len, alphabet),
            });
        }
        (haystack, literals)
    }
}

fn case_of(place: usize) -> Case {
    if place % 3 == 2 { Case::AnyAscii } else { Case::Exact }
}

/// A thorough run is asked for by `LITERAL_CASES=1000000`.
fn cases(few: u64) -> u64 {
    std::env::var("LITERAL_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(few)
}

#[test]
fn answers_are_those_of_a_naive_matcher_on_small_random_cases() {
    for seed in 0..cases(if cfg!(miri) { 5 } else { 20_000 }) {
        let (haystack, literals) = Draw(seed).case(200, 12);
        let literals: Vec<_> =
            literals.iter().enumerate().map(|(place, bytes)| Literal { bytes, case: case_of(place) }).collect();
        let expected = naive(&literals, &haystack);
        let set = compile(&literals);
        for instructions in [Instructions::Scalar, Instructions::Avx2] {
            assert!(by(&set, instructions, &haystack) == expected, "seed {seed}, {instructions:?}");
        }
    }
}

#[test]
fn answers_are_those_of_the_automaton_on_larger_random_cases() {
    for seed in 0..cases(if cfg!(miri) { 1 } else { 60 }) {
        let mut draw = Draw(seed ^ 0x5eed);
        let (haystack, owned) = draw.case(20_000, 200);
        let owned: Vec<_> = owned.into_iter().filter(|literal| literal.len() > 4).collect();
        let literals: Vec<_> = owned.iter().map(|bytes| Literal::exact(bytes)).collect();
        let automaton = AhoCorasick::new(&owned).expect("a small set");
        let mut expected: Found =
            automaton.find_overlapping_iter(&haystack).map(|hit| (hit.pattern().as_u32(), hit.start())).collect();
        expected.sort_unstable();
        let set = compile(&literals);
        for instructions in [Instructions::Scalar, Instructions::Avx2] {
            assert!(by(&set, instructions, &haystack) == expected, "seed {seed}, {instructions:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 2 } else { 256 }, ..ProptestConfig::default() })]

    #[test]
    fn answers_are_those_of_a_naive_matcher_on_whatever_proptest_finds(
        haystack in proptest::collection::vec(0..4_u8, 0..300),
        literals in proptest::collection::vec((proptest::collection::vec(0..4_u8, 1..40), any::<bool>()), 1..10),
    ) {
        let literals: Vec<_> = literals
            .iter()
            .map(|(bytes, exact)| Literal { bytes, case: if *exact { Case::Exact } else { Case::AnyAscii } })
            .collect();
        check(&literals, &haystack);
    }
}

#[test]
fn a_haystack_in_parts_answers_as_it_does_in_one() {
    for seed in 0..cases(60) {
        let (haystack, literals) = Draw(seed).case(40_000, 40);
        let literals: Vec<Literal<'_>> =
            literals.iter().enumerate().map(|(place, bytes)| Literal { bytes, case: case_of(place) }).collect();
        let set = compile(&literals);
        for threads in [1, 2, 5] {
            let mut found = Found::new();
            set.scan_in_parts(threads, 8 << 10, &haystack, |id, at| found.push((id.0, at)));
            found.sort_unstable();
            assert!(found == by(&set, Instructions::best(), &haystack), "seed {seed}, {threads} threads");
        }
    }
}

#[test]
fn every_length_is_found_at_both_ends_and_across_pieces() {
    let noise = Draw(7).bytes(if cfg!(miri) { 300 } else { 20_000 }, &(0..=255).collect::<Vec<u8>>());
    for len in if cfg!(miri) { vec![8, 33] } else { (1..=300).collect::<Vec<_>>() } {
        let middle = (8192 - len / 2).min(noise.len() / 2);
        let owned: Vec<_> = [0, middle, noise.len() - len].map(|start| noise[start..start + len].to_vec()).into();
        check(&owned.iter().map(|bytes| Literal::exact(bytes)).collect::<Vec<_>>(), &noise);
    }
}

#[test]
fn a_literal_that_is_longer_than_the_haystack_is_not_found() {
    check(&[Literal::exact(&[b'x'; 100])], &[b'x'; 99]);
    check(&[Literal::exact(b"x")], b"");
}

#[test]
fn literals_that_share_their_only_window_are_told_apart() {
    let owned: Vec<Vec<u8>> = (0..600_u16)
        .flat_map(|n| {
            [3, 4, 5].map(|tail| [b"aaaaaaaa", &[n.to_be_bytes().as_slice(), b"zzzz"].concat()[..tail]].concat())
        })
        .collect();
    let haystack: Vec<u8> = owned.iter().step_by(7).flatten().copied().collect();
    check(&owned.iter().map(|bytes| Literal::exact(bytes)).collect::<Vec<_>>(), &haystack);
}

#[test]
fn a_hundred_thousand_literals_of_one_byte_repeated_and_one_more_do_not_make_a_scan_slow() {
    let owned: Vec<Vec<u8>> =
        (0..100_000_u32).map(|n| [b"aaaaaaaa".as_slice(), &n.to_be_bytes()[1..]].concat()).collect();
    let set = compile(&owned.iter().map(|bytes| Literal::exact(bytes)).collect::<Vec<_>>());
    let mut matches = 0;
    set.scan(&[b'a'; 1 << 16], |_, _| matches += 1);
    // 'a' is not among the first three bytes of any number below 100,000, so nothing is there to be found; a
    // compare with each literal would be sixteen thousand times a hundred thousand.
    assert_eq!(matches, 0);
}

#[test]
fn letters_match_in_either_case_only_where_asked_and_nothing_else_does() {
    let literals = [Literal::any_ascii(b"ScRiPt@[`{"), Literal::exact(b"script@[`{"), Literal::any_ascii(b"ab")];
    check(&literals, b"SCRIPT@[`{ script@[`{ script`{@[ AB aB");
    assert_eq!(naive(&literals, b"SCRIPT@[`{").len(), 1);
}

#[test]
fn every_copy_of_a_literal_is_told() {
    check(&[Literal::exact(b"a copy of it"); 5], b"this is a copy of it, and a copy of it");
}

#[test]
fn an_empty_literal_is_refused_by_its_place() {
    let literals = [Literal::exact(b"something"), Literal::exact(b"")];
    let error = LiteralSet::compile(&literals, &CompileLimits::default()).err();
    assert_eq!(error, Some(CompileError::Empty { id: LiteralId(1) }));
}

#[test]
fn a_set_beyond_the_cap_is_refused_with_the_prediction() {
    let literals = [Literal::exact(b"something")];
    let predicted_bytes = LiteralSet::predicted_bytes(&literals);
    let limits = CompileLimits { memory_bytes_max: predicted_bytes - 1 };
    let error = LiteralSet::compile(&literals, &limits).err();
    let memory_bytes_max = predicted_bytes - 1;
    assert_eq!(error, Some(CompileError::TooLarge { count: 1, predicted_bytes, memory_bytes_max }));
}

#[test]
fn shared_windows_beyond_the_cap_are_refused_while_they_are_filed() {
    let owned: Vec<Vec<u8>> = (0..5_000_u16).map(|n| [b"12345678".as_slice(), &n.to_be_bytes()].concat()).collect();
    let literals: Vec<_> = owned.iter().map(|bytes| Literal::exact(bytes)).collect();
    let limits = CompileLimits { memory_bytes_max: LiteralSet::predicted_bytes(&literals) };
    assert!(matches!(LiteralSet::compile(&literals, &limits), Err(CompileError::TooLarge { .. })));
}

#[test]
fn a_set_takes_no_more_memory_than_predicted() {
    let owned: Vec<Vec<u8>> = (0..5_000).map(|n| Draw(n).bytes(8 + n as usize % 57, b"abcdefghijklmnop")).collect();
    let literals: Vec<_> = owned.iter().map(|bytes| Literal::exact(bytes)).collect();
    let set = compile(&literals);
    assert!(set.memory_bytes() as u64 <= LiteralSet::predicted_bytes(&literals));
    assert_eq!(set.report().classes.iter().map(|class| class.literals).sum::<usize>(), 5_000);
}

#[test]
fn nothing_compiled_finds_nothing() {
    let set = compile(&[]);
    assert!(set.is_empty() && by(&set, Instructions::best(), b"anything").is_empty());
}
