//! The committed corpora of the fuzz targets on the engine's decoders, replayed: whole, cut at every
//! place near a border, and with single bits flipped.

use engine::segment::SegmentId;
use engine::segment::footer::Footer;
use engine::segment::header::{SegmentHeader, SegmentKind};
use engine::segment::record::RecordHead;
use engine::segment::scan::scan;
use std::fs;
use std::path::Path;

/// Cuts and flips of a seed: enough to meet every field of heads and trailers, few enough for a test.
const STEP: usize = 29;

#[test]
fn no_segment_of_the_corpus_cut_or_flipped_makes_the_scan_panic_or_point_outside() {
    for (name, seed) in seeds("segment") {
        read_segment(&name, &seed);
        for at in (0..seed.len()).step_by(STEP) {
            read_segment(&name, &seed[..at]);
            let mut flipped = seed.clone();
            flipped[at] ^= 1 << (at % 8);
            read_segment(&name, &flipped);
        }
    }
}

#[test]
fn no_record_head_of_the_corpus_cut_or_flipped_makes_the_decoder_panic() {
    for (name, seed) in seeds("record") {
        assert!(RecordHead::decode(&seed).is_ok(), "{name} is a record");
        for at in 0..seed.len() {
            read_record(&seed[..at]);
            let mut flipped = seed.clone();
            flipped[at] ^= 1 << (at % 8);
            read_record(&flipped);
        }
    }
}

fn read_segment(name: &str, bytes: &[u8]) {
    let expected = SegmentHeader { store: [0; 16], segment: SegmentId(1), kind: SegmentKind::Lane, created_at_ms: 0 };
    let found = scan(bytes, &SegmentHeader::decode(bytes).unwrap_or(expected));
    for entry in &found.entries {
        assert!(entry.offset < bytes.len() as u64, "{name}: {entry:?} in {} bytes", bytes.len());
    }
    let read = |at: u64, out: &mut [u8]| match bytes.get(at as usize..at as usize + out.len()) {
        Some(found) => {
            out.copy_from_slice(found);
            Ok(())
        }
        None => Err(std::io::ErrorKind::UnexpectedEof.into()),
    };
    let footer = Footer::decode(bytes.len() as u64, read);
    assert!(footer.is_ok(), "{name}: the footer's decoder reads past the end of {} bytes", bytes.len());
}

fn read_record(bytes: &[u8]) {
    if let Ok(head) = RecordHead::decode(bytes) {
        assert!(head.payload_at() <= head.record_bytes());
        // Whether it is right does not matter here, only that asking is safe.
        let _ = head.check(bytes);
    }
}

fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/corpus").join(target);
    let seeds: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.display().to_string(), fs::read(&path).unwrap()))
        .collect();
    assert!(!seeds.is_empty(), "{} holds no seed", folder.display());
    seeds
}
