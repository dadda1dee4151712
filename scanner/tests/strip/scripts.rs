use super::samples::{CODE, PRIVATE};
use super::{outline, part};
use scanner::strip::{Kept, NotStripped};

#[test]
fn of_a_page_only_its_scripts_leave() {
    let page = [b"<html><p>", PRIVATE, b"</p><script>", CODE, b"</script><p>", PRIVATE, b"</p></html>"].concat();
    assert_eq!(outline(&page), Ok(vec![part(Kept::PageScript, "")]));
    let two = [&page[..], b"<script>", CODE, b" again</script>"].concat();
    assert_eq!(outline(&two), Ok(vec![part(Kept::PageScript, ""), part(Kept::PageScript, "")]));
    let none = [b"<html><p>".as_slice(), PRIVATE, b"</p></html>"].concat();
    assert_eq!(outline(&none), Err(NotStripped::NoScript));
}

#[test]
fn text_and_data_without_a_signature_stay() {
    assert_eq!(outline(PRIVATE), Err(NotStripped::Text));
    assert_eq!(outline(&[b"#!/bin/sh\n", PRIVATE].concat()), Err(NotStripped::Text), "a script on its own too");
    for (start, kind) in
        [(&b"\0\x01\x02\x03\0\x01\x02\x03"[..], "data"), (b"\x89PNG", "picture"), (b"FWS\x09", "Flash")]
    {
        assert_eq!(outline(&[start, PRIVATE].concat()), Err(NotStripped::Plain(kind.to_owned())));
    }
    assert_eq!(outline(b""), Err(NotStripped::Plain("tiny".to_owned())));
}

#[test]
fn a_reason_is_a_sentence() {
    let reason = outline(PRIVATE).expect_err("text").to_string();
    assert_eq!(reason, "it is text, and no signature says which part of it is infected");
}
