use super::samples::{CODE, PRIVATE, elf, pe, word, zip};
use super::{outline, part};
use scanner::strip::{Kept, NotStripped};

#[test]
fn of_an_archive_what_can_be_infected_leaves() {
    let page = [b"<html>", PRIVATE, b"<script>", CODE, b"</script>"].concat();
    let script = [b"WScript.", CODE].concat();
    let archive = zip(&[
        ("letter.txt", PRIVATE),
        ("setup.exe", &pe()),
        ("photo.png", &[b"\x89PNG", PRIVATE].concat()),
        ("run.VBS", &script),
        ("old.doc", &word()),
        ("page.html", &page),
    ]);
    let expected = [
        part(Kept::Program, "setup.exe"),
        part(Kept::Script, "run.VBS"),
        part(Kept::Macros, "old.doc|Module"),
        part(Kept::PageScript, "page.html"),
    ];
    assert_eq!(outline(&archive), Ok(expected.to_vec()));
}

#[test]
fn archives_in_archives_are_opened() {
    let inner = zip(&[("a.exe", &pe()), ("b", PRIVATE)]);
    let outer = zip(&[("inner.zip", &inner), ("c", PRIVATE)]);
    assert_eq!(outline(&outer), Ok(vec![part(Kept::Program, "inner.zip|a.exe")]));
}

#[test]
fn an_archive_that_holds_a_document_is_no_document() {
    let document = zip(&[("[Content_Types].xml", b"<Types/>"), ("word/document.xml", PRIVATE)]);
    let script = [b"#!/bin/sh\n", CODE].concat();
    let page = [b"<html><script>", CODE, b"</script>"].concat();
    let archive = zip(&[("letter.docx", &document), ("run", &script), ("page", &page)]);
    assert_eq!(outline(&archive), Ok(vec![part(Kept::Script, "run"), part(Kept::PageScript, "page")]));
    // Without a directory it is held for the stricter one.
    let archive = zip(&[("run", &script), ("page", &page), ("letter.docx", &document)]);
    let end = archive.windows(4).position(|window| window == b"PK\x01\x02").expect("a directory");
    assert_eq!(outline(&archive[..end]), Ok(vec![part(Kept::Script, "run")]));
}

#[test]
fn what_a_program_carries_stays() {
    let carried = zip(&[("b.elf", &elf()), ("c.txt", PRIVATE)]);
    let extractor = [pe(), carried].concat();
    assert_eq!(outline(&extractor), Ok(vec![part(Kept::Program, "")]));
}

#[test]
fn one_file_twice_is_one_part() {
    let archive = zip(&[("a.exe", &pe()), ("b.exe", &pe())]);
    assert_eq!(outline(&archive), Ok(vec![part(Kept::Program, "a.exe")]));
}

#[test]
fn an_archive_of_data_stays_with_its_reason() {
    assert_eq!(outline(&zip(&[("letter.txt", PRIVATE)])), Err(NotStripped::NoMember));
    assert_eq!(outline(b"Rar!\x1a\x07\0 and so on"), Err(NotStripped::Unsupported("RAR".to_owned())));
    let mut locked = zip(&[("a.exe", &pe())]);
    // The flag in both headers.
    for at in [6, locked.windows(4).position(|window| window == b"PK\x01\x02").expect("a directory") + 8] {
        locked[at] |= 1;
    }
    assert_eq!(outline(&locked), Err(NotStripped::Encrypted));
}
