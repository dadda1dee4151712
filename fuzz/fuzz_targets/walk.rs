//! A sample of any kind: walking through it never panics, keeps to its limits, and hands out the sample first.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scanner::file::{Flow, Form, Limits, walk};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits {
        depth_max: 4,
        files_max: 50,
        scan_bytes_max: 1 << 20,
        file_bytes_max: 256 << 10,
        window_bytes_max: 1 << 20,
        ..Limits::default()
    };
    let mut seen = 0u64;
    let outcome = walk(bytes, &limits, &|| false, &mut |member| {
        if seen == 0 {
            assert_eq!((member.depth, member.form, member.bytes.len()), (0, Form::Raw, bytes.len()));
        }
        assert!(member.depth <= limits.depth_max + 1);
        if let Some(executable) = member.executable {
            for section in &executable.sections {
                let _held = section.slice(member.bytes);
            }
            assert!(executable.overlay.is_none_or(|at| at < member.bytes.len() as u64));
        }
        seen += 1;
        Flow::On
    });
    assert!(seen > 0);
    assert!(outcome.files <= limits.files_max);
    // One member and its forms may begin below the limit and end above it.
    assert!(outcome.bytes <= limits.scan_bytes_max + 8 * (limits.file_bytes_max + bytes.len() as u64), "{outcome:?}");
});
