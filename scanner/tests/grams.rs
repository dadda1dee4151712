//! The index of grams from outside: it never hides a block, stays in its budget, and refuses what is damaged.

use scanner::grams::{
    BLOCK_BYTES, Filler, Filter, GramsError, Policy, Query, REACH_BYTES, Rule, SegmentGrams, SegmentGramsBuilder,
    Window,
};
use std::collections::BTreeSet;

/// Numbers that look drawn, the same in every run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }

    fn noise(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.below(256) as u8).collect()
    }

    /// Bytes with the mixture of a program: words from a small vocabulary, runs of zero, and noise.
    fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(len + 64);
        while out.len() < len {
            match self.below(4) {
                0 => out.resize(out.len() + self.below(40), 0),
                1 => out.extend_from_slice(&(self.below(400) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()),
                _ => {
                    let len = self.below(60);
                    out.extend(self.noise(len));
                }
            }
        }
        out.truncate(len);
        out
    }
}

/// The index of some buffers; a block's reference is its buffer in the high half and its place in the low.
fn index(rule: &Rule, policy: Policy, buffers: &[Vec<u8>]) -> Vec<u8> {
    let mut filler = Filler::new(rule);
    let mut builder = SegmentGramsBuilder::new(rule, policy);
    for (number, buffer) in buffers.iter().enumerate() {
        for (block, grams) in filler.blocks(buffer).enumerate() {
            builder.add((number as u64) << 32 | block as u64, grams).expect("one rule");
        }
    }
    builder.finish()
}

fn one(rule: &Rule, literal: &[u8]) -> Query {
    Query::one(rule, Window::new(literal)).expect("longer than a gram")
}

#[test]
fn every_window_makes_the_block_it_starts_in_a_candidate() {
    let mut draw = Draw(0x1234_5678_9abc_def1);
    let sizes = [1, 17, 63, 64, 65, 500, 4096, 4097, 30_000, BLOCK_BYTES - 1, BLOCK_BYTES, 2 * BLOCK_BYTES + 777];
    let buffers: Vec<Vec<u8>> = sizes.into_iter().chain([4096; 70]).map(|len| draw.bytes(len)).collect();
    let blocks: Vec<&[u8]> = buffers.iter().map(Vec::as_slice).collect();
    let learned = [Rule::learn(&blocks, 3, 8, 200), Rule::learn(&blocks, 4, 6, 0)];
    for rule in [Rule::fixed(4), Rule::fixed(5), Rule::fixed(8)].into_iter().chain(learned) {
        for (filter, bits_per_kib) in
            [Filter::Bitmap, Filter::Fuse].into_iter().flat_map(|f| [(f, 128), (f, 512), (f, 2048)])
        {
            let bytes = index(&rule, Policy { bits_per_kib, filter }, &buffers);
            let index = SegmentGrams::open(&bytes, &rule).expect("what was just built");
            index.verify().expect("what was just built");
            for _ in 0..150 {
                let number = draw.below(buffers.len());
                let buffer = &buffers[number];
                let at = match draw.below(3) {
                    // Around the border of a block, where the window reaches into the next.
                    0 if buffer.len() > BLOCK_BYTES => BLOCK_BYTES - REACH_BYTES + draw.below(REACH_BYTES),
                    1 => buffer.len().saturating_sub(1 + draw.below(64)),
                    _ => draw.below(buffer.len()),
                };
                let window = &buffer[at..buffer.len().min(at + 1 + draw.below(64))];
                let Ok(query) = Query::one(&rule, Window::new(window)) else { continue };
                let block = (number as u64) << 32 | (at / BLOCK_BYTES) as u64;
                let found = index.candidates(&query).0;
                assert!(found.contains(&block), "{filter:?} {bits_per_kib}: {at} of buffer {number}, {window:02x?}");
            }
        }
    }
}

#[test]
fn what_is_in_no_block_is_rarely_a_candidate() {
    let mut draw = Draw(77);
    let buffers: Vec<Vec<u8>> = (0..200).map(|_| draw.bytes(BLOCK_BYTES / 4)).collect();
    let rule = Rule::fixed(5);
    let queries: Vec<Query> = (0..100).map(|_| one(&rule, &draw.noise(24))).collect();
    for filter in [Filter::Bitmap, Filter::Fuse] {
        let bytes = index(&rule, Policy { bits_per_kib: 2048, filter }, &buffers);
        let index = SegmentGrams::open(&bytes, &rule).expect("what was just built");
        let cost = index.pairs(&queries, |_, _| {});
        assert!(cost.pairs < 20, "{filter:?}: {} of 20,000 pairs", cost.pairs);
    }
}

#[test]
fn many_queries_at_once_answer_as_each_alone() {
    let mut draw = Draw(5);
    let buffers: Vec<Vec<u8>> = (0..600).map(|number| draw.bytes(2000 + number)).collect();
    let rule = Rule::fixed(4);
    let bytes = index(&rule, Policy::default(), &buffers);
    let index = SegmentGrams::open(&bytes, &rule).expect("what was just built");
    let queries: Vec<Query> = buffers.iter().step_by(9).map(|buffer| one(&rule, &buffer[900..920])).collect();
    let mut together = BTreeSet::new();
    index.pairs(&queries, |query, block| assert!(together.insert((query, block)), "a pair comes once"));
    let mut alone = BTreeSet::new();
    for (number, query) in queries.iter().enumerate() {
        alone.extend(index.candidates(query).0.into_iter().map(|block| (number, block)));
    }
    assert_eq!(together, alone);
}

#[test]
fn alternatives_add_blocks_and_windows_together_take_them_away() {
    let buffers = [b"only the first block holds this".to_vec(), b"and another sentence is here".to_vec()];
    let rule = Rule::fixed(5);
    let bytes = index(&rule, Policy { bits_per_kib: 1 << 16, filter: Filter::Bitmap }, &buffers);
    let index = SegmentGrams::open(&bytes, &rule).expect("what was just built");
    let (first, second) = (b"first block".as_slice(), b"sentence".as_slice());
    assert_eq!(index.candidates(&one(&rule, first)).0, [0]);
    let either: BTreeSet<u64> = index.candidates(&one(&rule, first).or(one(&rule, second))).0.into_iter().collect();
    assert_eq!(either, BTreeSet::from([0, 1 << 32]));
    let both = Query::together(&rule, &[Window::new(first), Window::new(second)]).expect("longer than a gram");
    assert!(index.candidates(&both).0.is_empty());
}

#[test]
fn an_index_stays_inside_its_budget_also_for_small_samples() {
    let mut draw = Draw(99);
    for block_bytes in [4096, 16 << 10, BLOCK_BYTES] {
        let buffers: Vec<Vec<u8>> = (0..150).map(|_| draw.bytes(block_bytes)).collect();
        for filter in [Filter::Bitmap, Filter::Fuse] {
            for bits_per_kib in [512, 1024] {
                let bytes = index(&Rule::fixed(5), Policy { bits_per_kib, filter }, &buffers).len();
                let budget = 150 * block_bytes * bits_per_kib as usize / 8192;
                assert!(bytes <= budget, "{filter:?}, blocks of {block_bytes}: {bytes} of {budget} bytes");
                assert!(bytes * 10 > budget * 7, "{filter:?}, blocks of {block_bytes}: only {bytes} of {budget} bytes");
            }
        }
    }
}

#[test]
fn an_empty_segment_has_an_index_without_candidates() {
    let rule = Rule::fixed(5);
    let bytes = index(&rule, Policy::default(), &[]);
    let index = SegmentGrams::open(&bytes, &rule).expect("what was just built");
    assert_eq!((index.blocks().len(), index.plain_bytes()), (0, 0));
    assert!(index.candidates(&one(&rule, b"whatever")).0.is_empty());
}

#[test]
fn every_cut_and_every_flipped_bit_is_an_error() {
    let mut draw = Draw(3);
    let buffers: Vec<Vec<u8>> = (0..9).map(|_| draw.bytes(300)).collect();
    let rule = Rule::fixed(5);
    for filter in [Filter::Bitmap, Filter::Fuse] {
        let bytes = index(&rule, Policy { bits_per_kib: 4096, filter }, &buffers);
        let read = |bytes: &[u8]| SegmentGrams::open(bytes, &rule).and_then(|index| index.verify());
        assert_eq!(read(&bytes), Ok(()));
        for cut in 0..bytes.len() {
            assert!(read(&bytes[..cut]).is_err(), "cut at {cut} of {}", bytes.len());
        }
        assert!(read(&[bytes.as_slice(), &[0]].concat()).is_err(), "a byte too many");
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&damaged).is_err(), "bit {bit}");
        }
    }
}

#[test]
fn an_index_is_read_with_its_own_rule_only() {
    let bytes = index(&Rule::fixed(5), Policy::default(), &[vec![1; 100]]);
    let other = Rule::fixed(4);
    let (written, given) = (Rule::fixed(5).id(), other.id());
    assert_eq!(SegmentGrams::open(&bytes, &other).err(), Some(GramsError::Rule { written, given }));
    let set = Filler::new(&other).block(&[1; 100], 0);
    assert!(SegmentGramsBuilder::new(&Rule::fixed(5), Policy::default()).add(0, set).is_err());
}
