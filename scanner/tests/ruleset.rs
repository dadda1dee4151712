//! Bodies as their lines mean them, in buffers written out by hand.

use scanner::definitions::{Kind, Options, Source, load};
use scanner::file::{Flow, Limits, walk};
use scanner::ruleset::{Unanswered, stands};

fn answer(line: &str, bytes: &[u8], mut work: u64) -> Result<bool, Unanswered> {
    let source = Source { name: "a.ndb", bytes: line.as_bytes() };
    let definitions = load(&[source], Options::default()).expect("loads");
    let [signature] = &*definitions.signatures else { panic!("{line}: {definitions:?}") };
    let Kind::Body(body) = &signature.kind else { panic!("{line} is a body") };
    let mut answer = None;
    walk(bytes, &Limits::default(), &|| false, &mut |member| {
        answer.get_or_insert_with(|| stands(body, &member, &mut work));
        Flow::On
    });
    answer.expect("the sample is a buffer")
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
        assert_eq!(answer(line, BYTES, 1 << 20), Ok(found), "{line}");
    }
}

#[test]
fn work_beyond_what_is_allowed_gives_no_answer() {
    assert_eq!(answer("A:0:*:aabbccdd", BYTES, 3), Err(Unanswered::Work));
}
