//! A quarantine in memory: blocks as they are stored, and what re-testing them costs.

use super::clock::timed;
use super::corpus::Signatures;
use memchr::memmem::Finder;
use scanner::grams::{
    BLOCK_BYTES, BlockGrams, Filler, Policy, Query, REACH_BYTES, Rule, SegmentGrams, SegmentGramsBuilder, Window,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const GROUP: usize = 10;
const LEVEL: i32 = 3;

pub struct Quarantine {
    plain: Vec<u8>,
    stored: Vec<Vec<u8>>,
}

/// Sets of all blocks, and the seconds they took.
pub struct Fill(Vec<BlockGrams>, f64);

impl Quarantine {
    pub fn store(plain: Vec<u8>) -> Self {
        let stored =
            plain.chunks(BLOCK_BYTES).map(|block| zstd::bulk::compress(block, LEVEL).expect("memory")).collect();
        Self { plain, stored }
    }

    pub fn fill(&self, rule: &Rule) -> Fill {
        let (sets, seconds) = timed(|| Filler::new(rule).blocks(&self.plain).collect());
        Fill(sets, seconds)
    }

    /// Builds an index and re-tests with all signatures at once and with ten at a time.
    pub fn point(&self, rule: &Rule, fill: &Fill, policy: Policy, signatures: &Signatures) -> Value {
        let mut builder = SegmentGramsBuilder::new(rule, policy);
        for (block, set) in fill.0.iter().enumerate() {
            builder.add(block as u64, set.clone()).expect("one rule");
        }
        let held = builder.memory_bytes();
        let (bytes, build_seconds) = timed(|| builder.finish());
        let index = SegmentGrams::open(&bytes, rule).expect("what was just built");
        let mut queries = Vec::new();
        let mut literals = Vec::new();
        for literal in &signatures.literals {
            if let Ok(query) = Query::one(rule, Window::new(literal)) {
                queries.push(query);
                literals.push(literal.as_slice());
            }
        }
        let all = self.retest(&index, &queries, &literals);
        let tens: Vec<_> = queries.chunks(GROUP).zip(literals.chunks(GROUP)).collect();
        let tens: Vec<_> = tens.into_iter().map(|(queries, literals)| self.retest(&index, queries, literals)).collect();
        let mib = self.plain.len() as f64 / 1e6;
        json!({
            "filter": format!("{:?}", policy.filter),
            "budget_percent": f64::from(policy.bits_per_kib) / 81.92,
            "index_percent": percent(bytes.len() as f64 / self.plain.len() as f64),
            "grams_per_byte": round(fill.0.iter().map(BlockGrams::count).sum::<usize>() as f64 / self.plain.len() as f64),
            "fill_mb_per_second": round(mib / fill.1),
            "build_mb_per_second": round(mib / build_seconds),
            "held_bytes_per_byte": round(held as f64 / self.plain.len() as f64),
            "unindexable": signatures.literals.len() - queries.len(),
            "ten": self.figures(&tens),
            "thousand": self.figures(&[all]),
        })
    }

    /// Candidates, then each block of them opened once, and in it the literals that can be there.
    fn retest(&self, index: &SegmentGrams<'_>, queries: &[Query], literals: &[&[u8]]) -> Retest {
        let ((pairs, rows), query_seconds) = timed(|| {
            let mut pairs = BTreeMap::<u64, Vec<usize>>::new();
            let cost = index.pairs(queries, |query, block| pairs.entry(block).or_default().push(query));
            (pairs, cost.rows)
        });
        let finders: Vec<_> = literals.iter().map(Finder::new).collect();
        let (true_pairs, verify_seconds) = timed(|| {
            let mut plain = vec![0; BLOCK_BYTES + REACH_BYTES];
            let mut found = 0;
            for (block, queries) in &pairs {
                let stored = &self.stored[*block as usize];
                let bytes = zstd::bulk::decompress_to_buffer(stored, &mut plain).expect("what was stored");
                // What follows the block is read plain here; a store opens the next block only if it must.
                let next = (*block as usize + 1) * BLOCK_BYTES;
                let after = self.plain.get(next..).unwrap_or_default();
                let after = &after[..after.len().min(REACH_BYTES)];
                plain[bytes..bytes + after.len()].copy_from_slice(after);
                let starts_here = |query: &usize| {
                    let end = bytes + after.len().min(literals[*query].len() - 1);
                    finders[*query].find(&plain[..end]).is_some()
                };
                found += queries.iter().filter(|query| starts_here(query)).count();
            }
            found
        });
        Retest {
            signatures: queries.len(),
            blocks: pairs.len(),
            pairs: pairs.values().map(Vec::len).sum(),
            true_pairs,
            rows,
            query_seconds,
            verify_seconds,
        }
    }

    fn figures(&self, runs: &[Retest]) -> Value {
        let count = runs.len() as f64;
        let sum = |of: &dyn Fn(&Retest) -> f64| runs.iter().map(of).sum::<f64>();
        let query = sum(&|run| run.query_seconds);
        let verify = sum(&|run| run.verify_seconds);
        let blocks = self.stored.len() as f64;
        json!({
            "blocks_percent": percent(sum(&|run| run.blocks as f64) / blocks / count),
            "pairs_per_million": round(sum(&|run| run.pairs as f64) / blocks / sum(&|run| run.signatures as f64) * 1e6),
            "true_pairs": sum(&|run| run.true_pairs as f64),
            "rows_per_signature_and_512_blocks": round(sum(&|run| run.rows as f64) / sum(&|run| run.signatures as f64) / (blocks / 512.0)),
            "query_us": round(query / count * 1e6),
            "verify_us": round(verify / count * 1e6),
            "gb_per_second": round(self.plain.len() as f64 * count / (query + verify) / 1e9),
        })
    }

    /// The layout this one replaces: a bitmap of fixed width for each block, a bit for each 5-gram. Candidates
    /// are counted; time is what these cost at the measured price of a block and a search, the query free.
    pub fn plain_bitmap(&self, signatures: &Signatures, bits_per_kib: usize) -> Value {
        let bits = BLOCK_BYTES / 1024 * bits_per_kib;
        let at = |gram: &[u8]| super::corpus::number(gram) as usize % bits;
        let tests: Vec<Vec<usize>> =
            signatures.literals.iter().map(|literal| literal.windows(5).map(at).collect()).collect();
        let (mut pairs, mut any, mut tens) = (0, 0, 0);
        let mut set = vec![false; bits];
        for start in (0..self.plain.len()).step_by(BLOCK_BYTES) {
            set.fill(false);
            self.plain[start..self.plain.len().min(start + BLOCK_BYTES + REACH_BYTES)]
                .windows(5)
                .for_each(|gram| set[at(gram)] = true);
            let found: Vec<usize> =
                (0..tests.len()).filter(|number| tests[*number].iter().all(|bit| set[*bit])).collect();
            pairs += found.len();
            any += usize::from(!found.is_empty());
            tens += found.iter().map(|number| number / GROUP).collect::<BTreeSet<_>>().len();
        }
        let (open, search) = self.unit_seconds();
        let speed = |blocks: f64, pairs: f64| round(self.plain.len() as f64 / (blocks * open + pairs * search) / 1e9);
        let groups = (tests.len() / GROUP) as f64;
        let blocks = self.stored.len() as f64;
        json!({ "rule": "fixed 5", "point": {
            "filter": "plain bitmap of fixed width",
            "index_percent": percent(bits_per_kib as f64 / 8192.0),
            "pairs_per_million": round(pairs as f64 / blocks / tests.len() as f64 * 1e6),
            "ten": { "blocks_percent": percent(f64::from(tens as u32) / groups / blocks), "gb_per_second_query_free": speed(tens as f64 / groups, pairs as f64 / groups) },
            "thousand": { "blocks_percent": percent(any as f64 / blocks), "gb_per_second_query_free": speed(any as f64, pairs as f64) },
        }})
    }

    /// Seconds to open a block, and to search a literal in one.
    fn unit_seconds(&self) -> (f64, f64) {
        let mut plain = vec![0; BLOCK_BYTES];
        let some = || self.stored.iter().step_by(4);
        let ((), open) = timed(|| some().for_each(|block| drop(zstd::bulk::decompress_to_buffer(block, &mut plain))));
        let finder = Finder::new(b"a literal that is in no program");
        let (_, search) = timed(|| self.plain.chunks(BLOCK_BYTES).filter(|block| finder.find(block).is_some()).count());
        (open / some().count() as f64, search / self.stored.len() as f64)
    }

    pub fn costs(&self) -> Value {
        let (open, search) = self.unit_seconds();
        let stored: usize = self.stored.iter().map(Vec::len).sum();
        json!({
            "decompress_block_us": round(open * 1e6),
            "search_block_us": round(search * 1e6),
            "stored_per_plain": round(stored as f64 / self.plain.len() as f64),
            "codec": format!("zstd {LEVEL}, no cipher"),
        })
    }

    /// What an index without error would answer.
    pub fn truth(&self, signatures: &Signatures) -> Value {
        let mut starts = BTreeMap::<&[u8], Vec<usize>>::new();
        for (number, literal) in signatures.literals.iter().enumerate() {
            starts.entry(&literal[..8]).or_default().push(number);
        }
        let known: std::collections::HashMap<&[u8], Vec<usize>> = starts.into_iter().collect();
        let mut pairs = BTreeSet::new();
        for (at, start) in self.plain.windows(8).enumerate() {
            for number in known.get(start).into_iter().flatten() {
                if self.plain[at..].starts_with(&signatures.literals[*number]) {
                    pairs.insert((at / BLOCK_BYTES, *number));
                }
            }
        }
        let blocks: BTreeSet<usize> = pairs.iter().map(|pair| pair.0).collect();
        let all = self.stored.len() as f64;
        json!({
            "pairs": pairs.len(),
            "pairs_per_million": round(pairs.len() as f64 / all / signatures.literals.len() as f64 * 1e6),
            "thousand_blocks_percent": percent(blocks.len() as f64 / all),
        })
    }
}

struct Retest {
    signatures: usize,
    blocks: usize,
    pairs: usize,
    true_pairs: usize,
    rows: u64,
    query_seconds: f64,
    verify_seconds: f64,
}

fn round(number: f64) -> f64 {
    let digits = if number.abs() >= 100.0 { 1.0 } else { 1000.0 };
    (number * digits).round() / digits
}

fn percent(share: f64) -> f64 {
    (share * 1e6).round() / 1e4
}
