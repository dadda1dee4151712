//! A shelf of any bytes: opening, verifying and asking never panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scanner::definitions::{Definitions, Options, Source, load};
use scanner::grams::Rule;
use scanner::retest::{Delta, Shelf};
use scanner::ruleset::Limits;
use std::sync::LazyLock;

static RULE: LazyLock<Rule> = LazyLock::new(|| Rule::fixed(5));
static DELTA: LazyLock<Delta> = LazyLock::new(|| {
    let text = b"A:0:*:6162636465666768696a\n";
    let new = load(&[Source { name: "a.ndb", bytes: text }], Options::default()).expect("loads");
    Delta::between(&Definitions::default(), &new, &RULE, Limits::default()).expect("small")
});

fuzz_target!(|bytes: &[u8]| {
    // The checksum of the head is put right, or hardly anything would be looked at.
    let mut bytes = bytes.to_vec();
    if let Some(head) = bytes.first_chunk_mut::<64>() {
        head[..8].copy_from_slice(b"LZSHELF\0");
        head[60..].fill(0);
        let checksum = crc32c::crc32c(head);
        head[60..].copy_from_slice(&checksum.to_le_bytes());
    }
    if let Ok(shelf) = Shelf::open(&bytes, &RULE) {
        let _ = shelf.verify();
        let _ = DELTA.ask(&shelf);
        let _ = shelf.samples().count();
    }
});
