//! A segment file as a crash or a failing disk may leave it: scanning it never panics, and whatever it
//! reports lies inside the file.
#![no_main]

use engine::segment::SegmentId;
use engine::segment::footer::Footer;
use engine::segment::header::{SegmentHeader, SegmentKind};
use engine::segment::scan::scan;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let expected = SegmentHeader { store: [0; 16], segment: SegmentId(1), kind: SegmentKind::Lane, created_at_ms: 0 };
    let found = scan(bytes, &SegmentHeader::decode(bytes).unwrap_or(expected));
    for entry in &found.entries {
        assert!(entry.offset < bytes.len() as u64, "{entry:?} in {} bytes", bytes.len());
    }
    let read = |at: u64, out: &mut [u8]| match bytes.get(at as usize..at as usize + out.len()) {
        Some(found) => {
            out.copy_from_slice(found);
            Ok(())
        }
        None => Err(std::io::ErrorKind::UnexpectedEof.into()),
    };
    let footer = Footer::decode(bytes.len() as u64, read).expect("nothing past the end is asked for");
    if let Some(footer) = footer {
        assert!(footer.batches_end <= bytes.len() as u64);
    }
});
