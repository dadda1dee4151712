//! A stream of the native protocol, as a server sends it: no input panics or makes the decoder wait for
//! more than a frame may hold.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::wire::decode_server_stream;

fuzz_target!(|bytes: &[u8]| {
    let seen = decode_server_stream(bytes);
    // A frame has at least five bytes in front, so a stream cannot hold more frames than this.
    assert!(seen.len() <= bytes.len() + 1, "{} bytes gave {} frames", bytes.len(), seen.len());
});
