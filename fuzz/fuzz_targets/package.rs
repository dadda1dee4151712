//! A package that a stranger made is refused without a panic, also where its signature holds: the first byte decides whether
//! what follows is signed as it is.
#![no_main]

use defcast::keys::{SigningKey, TrustedKeys};
use defcast::package::{Draft, Limits, Package, build};
use libfuzzer_sys::fuzz_target;

/// Small, so that what claims to be large is refused and not tried.
const LIMITS: Limits =
    Limits { package_bytes_max: 1 << 20, plain_bytes_max: 1 << 20, files_max: 16, manifest_bytes_max: 64 << 10 };

fuzz_target!(|bytes: &[u8]| {
    let key = SigningKey::from_seed([1; 32], "");
    let trusted = TrustedKeys::new(vec![key.public()]);
    let Some((first, bytes)) = bytes.split_first() else { return };
    if first & 1 == 0 {
        let _ = Package::open(bytes, &trusted, LIMITS);
        return;
    }
    let files = vec![("a.ndb".to_owned(), bytes.to_vec())];
    let draft = Draft { sequence: u64::from(*first), files, ..Draft::default() };
    let package = build(&draft, &key).expect("a draft makes a package");
    let opened = Package::open(&package, &trusted, LIMITS).expect("what was built opens");
    assert_eq!(opened.files[0].1, bytes);
    // One byte changed anywhere is found.
    let at = bytes.first().map_or(0, |byte| usize::from(*byte) * 7) % package.len();
    let mut changed = package;
    changed[at] ^= 1;
    assert!(Package::open(&changed, &trusted, LIMITS).is_err());
});
