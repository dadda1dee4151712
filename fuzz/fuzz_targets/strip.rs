//! A sample of any kind: stripping it never panics, keeps to its limits, and gives the same each time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scanner::file::Limits;
use scanner::strip::{Found, strip};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits {
        depth_max: 4,
        files_max: 50,
        scan_bytes_max: 1 << 20,
        file_bytes_max: 256 << 10,
        window_bytes_max: 1 << 20,
        ..Limits::default()
    };
    for found in [None, Some(Found { path: Vec::new(), place: None })] {
        let stripped = strip(bytes, found.clone(), &limits, &|| false);
        assert_eq!(stripped, strip(bytes, found, &limits, &|| false));
        if let Ok(stripped) = stripped {
            assert!(!stripped.parts.is_empty());
            assert!(stripped.parts.iter().all(|part| !part.bytes.is_empty()));
            assert!(stripped.kept_bytes() <= limits.file_bytes_max);
        }
    }
});
