//! Lines of the text databases as they mean, in buffers written out by hand.

use scanner::definitions::{Options, Source, load};
use scanner::file::{Limits, walk};
use scanner::ruleset::{self, CompileError, Ruleset, Scratch};
use scanner::scan::{Extent, Verdict, scan};

fn compile(name: &str, text: &str) -> Ruleset {
    let definitions = load(&[Source { name, bytes: text.as_bytes() }], Options::default()).expect("loads");
    assert!(definitions.rejected.is_empty() && definitions.unsupported.is_empty(), "{text}: {definitions:?}");
    Ruleset::compile(definitions, ruleset::Limits::default()).expect("small")
}

fn verdict(ruleset: &Ruleset, bytes: &[u8]) -> Verdict {
    let open = |see: &mut dyn FnMut(scanner::file::Member<'_>) -> scanner::file::Flow| {
        Ok::<_, std::convert::Infallible>(walk(bytes, &Limits::default(), &|| false, see))
    };
    scan(ruleset, &mut Scratch::default(), Extent::Whole, open).expect("it cannot fail")
}

fn finds(name: &str, line: &str, bytes: &[u8]) -> bool {
    verdict(&compile(name, line), bytes).is_infected()
}

const BYTES: &[u8] = b"\x01\x02\x03\x04\xaa\xbb\xcc\xdd\x00\x11\x22\x33\xee\xff";

#[test]
fn a_body_is_found_where_its_line_says_and_nowhere_else() {
    for (line, found) in [
        ("A:0:*:aabbccdd", true),
        ("A:0:4:aabbccdd", true),
        ("A:0:3:aabbccdd", false),
        ("A:0:2,2:aabbccdd", true),
        ("A:0:2,1:aabbccdd", false),
        ("A:0:EOF-10:aabbccdd", true),
        ("A:0:EOF-9:aabbccdd", false),
        ("A:0:*:aabb*2233", true),
        ("A:0:*:2233*aabb", false),
        ("A:0:*:aabb{4}1122", false),
        ("A:0:*:aabb{3}1122", true),
        ("A:0:*:aabb{-2}1122", false),
        ("A:0:*:aabb{2-5}1122", true),
        ("A:0:*:aabbc??d", true),
        ("A:0:*:aabbc??e", false),
        ("A:0:*:aabb(cc|dd)dd", true),
        ("A:0:*:aabb(ca|da)dd", false),
        ("A:0:*:aabb!(ca|da)dd", true),
        ("A:0:*:aabb!(cc|da)dd", false),
        ("A:1:*:aabbccdd", false),
    ] {
        assert_eq!(finds("a.ndb", line, BYTES), found, "{line}");
    }
}

#[test]
fn a_set_above_its_memory_is_refused_before_it_is_made() {
    let text: String = (0..20_000u32).map(|n| format!("A{n}:0:*:{:08x}aabbccdd{:08x}\n", n * 77, n)).collect();
    let definitions = load(&[Source { name: "a.ndb", bytes: text.as_bytes() }], Options::default()).expect("loads");
    let refused = Ruleset::compile(definitions, ruleset::Limits { memory_bytes_max: 1 << 20 });
    assert!(matches!(refused, Err(CompileError::Literals(_))), "{:?}", refused.err());
}

#[test]
fn what_an_allowance_suppresses_stays_in_the_verdict() {
    let digest = blake3::hash(b"").to_hex();
    assert_eq!(digest.len(), 64);
    let sha256: String =
        ring::digest::digest(&ring::digest::SHA256, BYTES).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let sources = [
        Source { name: "a.ndb", bytes: b"A:0:*:aabbccdd\n" },
        Source { name: "a.sfp", bytes: &format!("{sha256}:{}:Known\n", BYTES.len()).into_bytes() },
    ];
    let definitions = load(&sources, Options::default()).expect("loads");
    let ruleset = Ruleset::compile(definitions, ruleset::Limits::default()).expect("small");
    let verdict = verdict(&ruleset, BYTES);
    assert!(!verdict.is_infected());
    assert_eq!(verdict.matches.len(), 1);
    assert!(verdict.matches[0].allowed);
}

#[test]
fn a_scratch_serves_one_ruleset_after_another() {
    let (one, other) =
        (compile("a.ndb", "A:0:*:aabbccdd\nB:0:*:11223344\n"), compile("b.ldb", "C;Target:0;0=0;cafe\n"));
    let mut scratch = Scratch::default();
    for _ in 0..3 {
        for (ruleset, name) in [(&one, "A"), (&other, "C")] {
            let open = |see: &mut dyn FnMut(scanner::file::Member<'_>) -> scanner::file::Flow| {
                Ok::<_, std::convert::Infallible>(walk(BYTES, &Limits::default(), &|| false, see))
            };
            let verdict = scan(ruleset, &mut scratch, Extent::Whole, open).expect("it cannot fail");
            let names: Vec<&str> = verdict.detections().map(|found| ruleset.name(found.signature)).collect();
            assert_eq!(names, [name]);
        }
    }
}
