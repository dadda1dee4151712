use super::samples::{CODE, PRIVATE, elf, mail, pe, word, zip};
use super::{outline_of, part, stripped_by};
use scanner::file::Form;
use scanner::strip::{Found, Kept, MATCH_BYTES_MAX, Match, NotStripped, WINDOW_BYTES};
use std::ops::Range;

fn outline(bytes: &[u8], found: Found) -> Result<Vec<(Kept, String, bool)>, NotStripped> {
    outline_of(&stripped_by(bytes, Some(found))?)
}

fn in_member(path: &[&str]) -> Found {
    Found { path: path.iter().map(|name| (*name).to_owned()).collect(), place: None }
}

fn at(path: &[&str], form: Form, range: Range<u64>) -> Found {
    Found { place: Some(Match { form, range }), ..in_member(path) }
}

/// A long text with something private at both ends, and code in the middle.
fn long_text() -> (Vec<u8>, Range<u64>) {
    let blank = b"nothing of interest\n".repeat(WINDOW_BYTES / 10);
    let before = [PRIVATE, &blank].concat();
    let from = before.len() as u64;
    ([&before[..], CODE, &blank, PRIVATE].concat(), from..from + CODE.len() as u64)
}

#[test]
fn of_text_and_data_a_window_around_the_match_leaves() {
    let (text, range) = long_text();
    let window = vec![part(Kept::Window, "")];
    assert_eq!(outline(&text, at(&[], Form::Raw, range.clone())), Ok(window.clone()));
    assert_eq!(outline(&text, at(&[], Form::Text, range.clone())), Ok(window), "of the form that was matched");
    let data = [&b"\0\x01\x02\x03\0\x01\x02\x03"[..], &text].concat();
    let range = range.start + 8..range.end + 8;
    let stripped = stripped_by(&data, Some(at(&[], Form::Raw, range.clone()))).expect("a window");
    assert_eq!(stripped.parts[0].bytes.len(), 2 * WINDOW_BYTES + CODE.len());
    let archive = zip(&[("a.txt", &text), ("b.exe", &pe()), ("c.txt", PRIVATE)]);
    let found = at(&["a.txt"], Form::Raw, range.start - 8..range.end - 8);
    assert_eq!(outline(&archive, found), Ok(vec![part(Kept::Window, "a.txt")]), "and nothing beside it");
}

#[test]
fn of_a_page_the_matched_form_leaves_or_its_scripts() {
    let filler = b"<p>nothing of interest</p>".repeat(WINDOW_BYTES / 5);
    let page = [b"<html>", PRIVATE, &filler, b"<script>", CODE, b"</script>", &filler, PRIVATE].concat();
    for found in [in_member(&[]), at(&[], Form::HtmlScript, 0..4)] {
        assert_eq!(outline(&page, found), Ok(vec![part(Kept::PageScript, "")]));
    }
    let middle = page.len() as u64 / 2;
    assert_eq!(outline(&page, at(&[], Form::Raw, middle..middle + 10)), Ok(vec![part(Kept::Window, "")]));
    let tags = outline(&page, at(&[], Form::HtmlTags, middle..middle + 10));
    assert_eq!(tags.expect("a window")[0].0, Kept::Window);
}

#[test]
fn only_the_infected_member_leaves() {
    let inner = zip(&[("a.exe", &pe()), ("b.elf", &elf())]);
    let archive = zip(&[("inner.zip", &inner), ("c.exe", &[pe(), vec![1]].concat()), ("d.doc", &word())]);
    for (path, what, where_kept) in [
        (&["inner.zip", "b.elf"][..], Kept::Program, "inner.zip|b.elf"),
        (&["c.exe"], Kept::Program, "c.exe"),
        (&["d.doc"], Kept::Macros, "d.doc|Module"),
        (&["d.doc", "Module"], Kept::Macros, "d.doc|Module"),
        (&["d.doc", "WordDocument"], Kept::Macros, "d.doc|Module"),
    ] {
        assert_eq!(outline(&archive, in_member(path)), Ok(vec![part(what, where_kept)]), "{path:?}");
        let placed = at(path, Form::Raw, 0..10);
        assert_eq!(outline(&archive, placed), Ok(vec![part(what, where_kept)]), "{path:?}");
    }
    let both = [part(Kept::Program, "inner.zip|a.exe"), part(Kept::Program, "inner.zip|b.elf")];
    assert_eq!(outline(&archive, in_member(&["inner.zip"])), Ok(both.to_vec()), "the archive itself matched");
}

#[test]
fn what_a_program_carries_leaves_when_that_is_infected() {
    let carried = zip(&[("b.elf", &elf()), ("c.txt", PRIVATE)]);
    let extractor = [pe(), carried].concat();
    let found = in_member(&["embedded ZIP", "b.elf"]);
    assert_eq!(outline(&extractor, found), Ok(vec![part(Kept::Program, "embedded ZIP|b.elf")]));
}

#[test]
fn a_match_in_a_mail_s_head_or_body_sends_no_body() {
    let sample = mail(&[("a.exe", &pe())]);
    assert_eq!(outline(&sample, at(&[], Form::Raw, 0..10)), Ok(vec![part(Kept::Program, "a.exe")]));
    for form in [Form::Raw, Form::Text] {
        assert_eq!(outline(&sample, at(&["text/plain"], form, 0..10)), Err(NotStripped::MailBody));
    }
    assert_eq!(outline(&sample, at(&["text/html"], Form::HtmlScript, 0..10)), Err(NotStripped::MailBody));
}

#[test]
fn an_attached_text_gives_its_window() {
    let (text, range) = long_text();
    let sample = mail(&[("a.exe", &pe()), ("notes.txt", &text)]);
    assert_eq!(outline(&sample, at(&["notes.txt"], Form::Raw, range)), Ok(vec![part(Kept::Window, "notes.txt")]));
    assert_eq!(outline(&sample, in_member(&["notes.txt"])), Err(NotStripped::Text), "without a place nothing");
}

#[test]
fn a_name_that_several_members_have_is_no_place() {
    let (text, range) = long_text();
    let archive = zip(&[("a.txt", &text), ("a.txt", &[&text[..], b"x"].concat())]);
    assert_eq!(outline(&archive, at(&["a.txt"], Form::Raw, range)), Err(NotStripped::Ambiguous));
}

#[test]
fn a_place_that_is_not_there_sends_nothing() {
    let (text, _) = long_text();
    let end = text.len() as u64;
    for found in [
        at(&[], Form::Raw, end..end + 1),
        at(&[], Form::Raw, 9..9),
        at(&[], Form::Macro, 0..9),
        at(&[], Form::HtmlTags, 0..9),
        in_member(&["nowhere"]),
        at(&["nowhere"], Form::Raw, 0..9),
    ] {
        assert_eq!(outline(&text, found.clone()), Err(NotStripped::NotThere), "{found:?}");
    }
    let found = at(&[], Form::Raw, 0..MATCH_BYTES_MAX as u64 + 1);
    assert_eq!(outline(&text, found), Err(NotStripped::NamesWhole), "a digest names a file");
}
