//! Definitions that somebody made up: loading ends, every line is accounted for, and what loads compiles within its bound and
//! scans a buffer without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scanner::definitions::{Options, Source, load};
use scanner::file::{Flow, Limits as WalkLimits, Member, walk};
use scanner::ruleset::{Limits, Ruleset, Scratch};
use scanner::scan::{Extent, scan};

/// The first byte picks the language.
const NAMES: [&str; 12] = [
    "a.ndb", "a.ldb", "a.hdb", "a.hsb", "a.mdb", "a.msb", "a.fp", "a.sfp", "a.ign2", "a.repair", "a.cvd", "a.imp",
];
/// Memory of a compiled set here.
const MEMORY_BYTES_MAX: u64 = 64 << 20;

fuzz_target!(|bytes: &[u8]| {
    let Some((first, bytes)) = bytes.split_first() else { return };
    let name = NAMES[usize::from(*first) % NAMES.len()];
    let Ok(definitions) = load(&[Source { name, bytes }], Options::default()) else { return };
    for signature in &definitions.signatures {
        assert!(!signature.line().is_empty());
    }
    let Ok(ruleset) = Ruleset::compile(definitions, Limits { memory_bytes_max: MEMORY_BYTES_MAX }) else { return };
    let sample: Vec<u8> = bytes.iter().copied().cycle().take(bytes.len().min(4096) * 2).collect();
    let mut scratch = Scratch::default();
    let open = |see: &mut dyn FnMut(Member<'_>) -> Flow| {
        Ok::<_, std::convert::Infallible>(walk(&sample, &WalkLimits::default(), &|| false, see))
    };
    let _ = scan(&ruleset, &mut scratch, Extent::Whole, open);
});
