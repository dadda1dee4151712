//! An index of grams as a failing disk may leave it: opening and asking never panic, and every answer is a block
//! that the index lists. Half of the inputs get a right checksum, so that the tables behind it are reached.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scanner::grams::{Query, Rule, SegmentGrams, Window};

/// Where the head keeps its checksum and the three counts that say how long it is.
const CHECKSUM_AT: usize = 60;
const COUNTS: [(usize, usize); 3] = [(12, 8), (16, 16), (20, 8)];

fuzz_target!(|bytes: &[u8]| {
    let rule = Rule::fixed(5);
    let _ = Rule::decode(bytes);
    ask(bytes, &rule);
    let mut sealed = bytes.to_vec();
    if sealed.len() >= 64 {
        sealed[24..32].copy_from_slice(&rule.id().to_le_bytes());
        let number =
            |at: usize| u64::from(u32::from_le_bytes([sealed[at], sealed[at + 1], sealed[at + 2], sealed[at + 3]]));
        let tables: u64 = COUNTS.iter().map(|(at, bytes)| number(*at) * *bytes as u64).sum();
        let head = (64 + tables).next_multiple_of(64).min(sealed.len() as u64) as usize;
        let body = (sealed.len() - head) as u64;
        sealed[40..48].copy_from_slice(&body.to_le_bytes());
        sealed[CHECKSUM_AT..64].fill(0);
        let checksum = crc32c::crc32c(&sealed[..head]);
        sealed[CHECKSUM_AT..64].copy_from_slice(&checksum.to_le_bytes());
        ask(&sealed, &rule);
    }
});

fn ask(bytes: &[u8], rule: &Rule) {
    if let Ok(index) = SegmentGrams::open(bytes, rule) {
        let _ = index.verify();
        let query = Query::one(rule, Window::new(b"a literal of some bytes")).expect("longer than a gram");
        let (found, _) = index.candidates(&query);
        assert!(found.iter().all(|block| index.blocks().contains(block)));
    }
}
