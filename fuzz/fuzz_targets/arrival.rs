//! Whatever decodes as an arrival encodes to the same bytes again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::Arrival;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(arrival) = Arrival::decode(bytes) {
        arrival.check().expect("a decoded text is within its limit");
        let mut again = Vec::new();
        arrival.encode(&mut again);
        assert_eq!(again, bytes);
    }
});
