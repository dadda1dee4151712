//! A record's head: one that decodes has lengths that fit a record, and checking it never panics.
#![no_main]

use engine::segment::record::RecordHead;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(head) = RecordHead::decode(bytes) {
        assert!(head.payload_at() <= head.record_bytes());
        let _ = head.check(bytes);
    }
});
