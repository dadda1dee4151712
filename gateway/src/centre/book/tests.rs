//! The book of a centre from the outside.

use super::*;

const NOW: Timestamp = Timestamp(1_000);

fn submission(key: &str, content: u8) -> Submission {
    Submission {
        key: format!("{key}00000000"),
        blake3: Blake3([content; 32]),
        sha256: Sha256([content; 32]),
        bytes: 100,
        sent_blake3: Blake3([content; 32]),
        sent_bytes: 100,
        stripped: String::new(),
        file_name: "a".to_owned(),
        kind: Kind::File,
        client: "pc".to_owned(),
        platform: String::new(),
        reason: String::new(),
        definitions_sequence: Sequence(0),
        priority: 1,
    }
}

fn book() -> (tempfile::TempDir, Book) {
    let dir = tempfile::tempdir().unwrap();
    let book = Book::open(&dir.path().join("book.sqlite")).unwrap();
    (dir, book)
}

fn line(name: &str, sequence: u64) -> Line {
    Line {
        name: name.to_owned(),
        file: "ndb".to_owned(),
        text: format!("{name}:0:*:00112233445566778899aabbccddeeff"),
        content: Blake3([1; 32]),
        sequence: Sequence(sequence),
        certified: false,
    }
}

fn definitions(content: u8, sequence: u64) -> Verdict {
    let said = Said::Definitions { sequence: Sequence(sequence) };
    Verdict { content: Blake3([content; 32]), said, why: String::new() }
}

fn take(book: &mut Book, key: &str, content: u8, account: &str) {
    let submission = submission(key, content);
    book.begin(&submission, account, "", NOW).unwrap();
    book.taken(&submission, NOW).unwrap();
}

fn answer(book: &Book, key: &str, content: u8, account: &str) -> Option<Said> {
    book.answer(&format!("{key}00000000"), &Blake3([content; 32]), account).unwrap().map(|(said, _)| said)
}

#[test]
fn an_answer_is_its_contents_and_only_its_owner_gets_it() {
    let (_dir, mut book) = book();
    book.begin(&submission("one", 1), "a", "", NOW).unwrap();
    assert_eq!(answer(&book, "one", 1, "a"), None, "it is not all here");
    take(&mut book, "one", 1, "a");
    take(&mut book, "two", 1, "b");
    assert_eq!(answer(&book, "one", 1, "a"), Some(Said::Pending));
    assert_eq!(book.waiting(10).unwrap().len(), 1, "one content");
    book.answered(&[definitions(1, 1)], Some((Sequence(1), false, &[line("A", 1)])), NOW).unwrap();
    for (key, account) in [("one", "a"), ("two", "b")] {
        assert_eq!(answer(&book, key, 1, account), Some(Said::Definitions { sequence: Sequence(1) }));
    }
    assert_eq!(answer(&book, "one", 1, "b"), None, "it is another's");
    assert_eq!(answer(&book, "one", 2, "a"), None, "it is about another sample");
    assert_eq!(book.waiting_count().unwrap(), 0);
}

#[test]
fn who_reported_gets_a_set_at_once_and_all_others_when_it_is_certified() {
    let (_dir, mut book) = book();
    take(&mut book, "one", 1, "a");
    book.answered(&[definitions(1, 1)], Some((Sequence(1), false, &[line("A", 1)])), NOW).unwrap();
    assert_eq!(book.newest_for("a").unwrap(), Sequence(1));
    assert_eq!(book.newest_for("b").unwrap(), Sequence(0));
    take(&mut book, "two", 2, "b");
    let later = Timestamp(2_000);
    book.answered(&[definitions(2, 2)], Some((Sequence(2), false, &[line("B", 2)])), later).unwrap();
    assert_eq!(book.newest_for("a").unwrap(), Sequence(1));
    assert_eq!(book.soaked(NOW).unwrap(), Sequence(1));
    // The first set is certified as 3; what came since is 4, for whom it was made.
    book.promoted(Sequence(3), Sequence(1), &[], Some(Sequence(4)), later).unwrap();
    for (account, newest) in [("a", 3), ("b", 4), ("c", 3)] {
        assert_eq!(book.newest_for(account).unwrap(), Sequence(newest), "{account}");
    }
    assert_eq!(answer(&book, "two", 2, "b"), Some(Said::Definitions { sequence: Sequence(4) }));
    let lines = book.lines().unwrap();
    assert_eq!(lines.iter().map(|line| (line.certified, line.sequence.0)).collect::<Vec<_>>(), [(true, 1), (false, 4)]);
    assert_eq!(book.newest().unwrap(), Sequence(4));
}

#[test]
fn a_line_that_failed_is_withdrawn_and_a_number_is_never_given_twice() {
    let (dir, mut book) = book();
    take(&mut book, "one", 1, "a");
    book.answered(&[definitions(1, 1)], Some((Sequence(1), false, &[line("A", 1), line("B", 1)])), NOW).unwrap();
    book.promoted(Sequence(2), Sequence(1), &["B".to_owned()], None, NOW).unwrap();
    assert_eq!(book.lines().unwrap().len(), 1);
    drop(book);
    let mut book = Book::open(&dir.path().join("book.sqlite")).unwrap();
    assert_eq!((book.newest().unwrap(), book.certified().unwrap()), (Sequence(2), Sequence(2)));
    assert!(book.answered(&[], Some((Sequence(2), false, &[])), NOW).is_err());
}

#[test]
fn a_person_has_the_last_word() {
    let (_dir, mut book) = book();
    take(&mut book, "one", 1, "a");
    let asks = Verdict { content: Blake3([1; 32]), said: Said::NeedsPerson, why: "odd".to_owned() };
    book.answered(&[asks], None, NOW).unwrap();
    let waiting = book.for_a_person(10).unwrap();
    assert_eq!((waiting.len(), waiting[0].1.as_str(), waiting[0].2.as_str()), (1, "odd", "a"));
    assert_eq!(book.clean(NOW).unwrap(), []);
    let clean = Verdict { content: Blake3([1; 32]), said: Said::NotInfected, why: "ours".to_owned() };
    assert!(book.answered_by_hand(&clean, NOW).unwrap());
    assert_eq!(answer(&book, "one", 1, "a"), Some(Said::NotInfected));
    assert_eq!((book.for_a_person(10).unwrap().len(), book.clean(NOW).unwrap()), (0, vec![(Blake3([1; 32]), NOW)]));
    assert_eq!(book.clean(Timestamp(NOW.0 + 1)).unwrap(), []);
    let other = Verdict { content: Blake3([9; 32]), ..clean };
    assert!(!book.answered_by_hand(&other, NOW).unwrap());
}

#[test]
fn what_failed_is_tried_again_when_it_is_sent_again() {
    let (_dir, mut book) = book();
    take(&mut book, "one", 1, "a");
    let failed = Verdict { content: Blake3([1; 32]), said: Said::Failed, why: "broken".to_owned() };
    book.answered(&[failed], None, NOW).unwrap();
    assert_eq!(answer(&book, "one", 1, "a"), Some(Said::Failed));
    take(&mut book, "two", 1, "a");
    assert_eq!(answer(&book, "two", 1, "a"), Some(Said::Pending));
}

#[test]
fn another_file_is_no_book() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE a(b)").unwrap();
    assert!(Book::open(&path).is_err());
}
