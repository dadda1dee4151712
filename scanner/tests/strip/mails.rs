use super::samples::{CODE, PRIVATE, mail, pe, word, zip};
use super::{outline, part};
use scanner::strip::{Kept, NotStripped};

#[test]
fn of_a_mail_attachments_leave_as_their_kind_does() {
    let script = [b"WScript.", CODE].concat();
    let page = [b"<html>", PRIVATE, b"<script>", CODE, b"</script>"].concat();
    let archive = zip(&[("b.exe", &[&pe()[..], b"x"].concat()), ("c.txt", PRIVATE)]);
    let sample = mail(&[
        ("a.exe", &pe()),
        ("invoice.js", &script),
        ("report.doc", &word()),
        ("page.html", &page),
        ("letter.txt", PRIVATE),
        ("photo.gif", &[b"GIF89a", PRIVATE].concat()),
    ]);
    let expected = [
        part(Kept::Program, "a.exe"),
        part(Kept::Script, "invoice.js"),
        part(Kept::Macros, "report.doc|Module"),
        part(Kept::PageScript, "page.html"),
    ];
    assert_eq!(outline(&sample), Ok(expected.to_vec()));
    assert_eq!(outline(&mail(&[("all.zip", &archive)])), Ok(vec![part(Kept::Program, "all.zip|b.exe")]));
}

#[test]
fn bodies_never_leave_not_even_their_scripts() {
    assert_eq!(outline(&mail(&[])), Err(NotStripped::NoAttachment));
    assert_eq!(outline(&mail(&[("letter.txt", PRIVATE)])), Err(NotStripped::NoAttachment));
    let plain = [b"From: a@b\r\nSubject: x\r\n\r\n#!/bin/sh\r\n".as_slice(), PRIVATE].concat();
    assert_eq!(outline(&plain), Err(NotStripped::NoAttachment));
}

#[test]
fn a_mail_in_a_mail_in_an_archive_is_still_a_mail() {
    let inner = mail(&[("a.exe", &pe())]);
    let outer = mail(&[("message.eml", &inner)]);
    let archive = zip(&[("box.eml", &outer)]);
    assert_eq!(outline(&archive), Ok(vec![part(Kept::Program, "box.eml|message.eml|a.exe")]));
}
