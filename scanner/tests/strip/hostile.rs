use super::samples::{CODE, PRIVATE, elf, macho, mail, pe, word, zip};
use super::{holds, stripped};
use proptest::prelude::*;
use scanner::file::{Form, Limits};
use scanner::strip::{Found, Match, NotStripped, PARTS_MAX, strip};
use std::cell::Cell;

fn small() -> Limits {
    Limits { scan_bytes_max: 1 << 20, file_bytes_max: 64 << 10, ..Limits::default() }
}

fn samples() -> Vec<Vec<u8>> {
    vec![
        pe(),
        elf(),
        macho(),
        word(),
        zip(&[("a.exe", &pe()), ("b.txt", PRIVATE)]),
        mail(&[("a.zip", &zip(&[("a.exe", &pe())]))]),
        [b"<html>", PRIVATE, b"<script>", CODE, b"</script>"].concat(),
    ]
}

#[test]
fn a_sample_cut_anywhere_gives_nothing_private_and_never_panics() {
    for sample in samples() {
        for end in 0..sample.len() {
            // A page whose script does not end has all the rest as its script, which is what a browser runs.
            let _outcome = stripped(&sample[..end]);
        }
    }
}

#[test]
fn a_sample_with_any_byte_flipped_never_panics() {
    for mut sample in samples() {
        for at in 0..sample.len().min(1024) {
            sample[at] ^= 0xff;
            for found in [None, Some(Found { path: Vec::new(), place: None })] {
                if let Ok(stripped) = strip(&sample, found, &small(), &|| false) {
                    assert!(stripped.kept_bytes() <= small().file_bytes_max);
                }
            }
            sample[at] ^= 0xff;
        }
    }
}

proptest! {
    #[test]
    fn headers_of_a_program_may_say_anything(changes in prop::collection::vec((0usize..0x200, any::<u8>()), 1..8)) {
        for mut file in [pe(), elf(), macho()] {
            for (at, byte) in &changes {
                file[*at] = *byte;
            }
            if let Ok(stripped) = strip(&file, None, &Limits::default(), &|| false) {
                prop_assert!(stripped.kept_bytes() <= file.len() as u64);
            }
        }
    }
}

#[test]
fn the_same_sample_gives_the_same_bytes() {
    let sample = zip(&[("a.exe", &pe()), ("b.doc", &word())]);
    let sent = stripped(&sample).expect("two parts").into_bytes();
    assert_eq!(stripped(&sample).expect("two parts").into_bytes(), sent);
    assert!(!holds(&sent, b"a.exe"), "names stay");
}

#[test]
fn time_that_runs_out_anywhere_gives_nothing() {
    let sample = zip(&[("a.exe", &pe()), ("b.doc", &word())]);
    let asked = Cell::new(0);
    let whole = strip(&sample, None, &Limits::default(), &|| {
        asked.set(asked.get() + 1);
        false
    });
    assert!(whole.is_ok());
    for patience in 0..asked.get() {
        let left = Cell::new(patience);
        let late = strip(&sample, None, &Limits::default(), &|| {
            left.set(left.get() - 1);
            left.get() < 0
        });
        assert_eq!(late, Err(NotStripped::Time), "{patience}");
    }
}

#[test]
fn parts_that_are_too_much_together_give_nothing() {
    let program = |n: u8| gzip(&[&pe()[..0x300], &[n], &pe()[0x301..]].concat());
    let archive = zip(&[("a.gz", &program(1)), ("b.gz", &program(2))]);
    let both = Limits { file_bytes_max: 2 * 0xa00, ..Limits::default() };
    assert_eq!(strip(&archive, None, &both, &|| false).map(|stripped| stripped.kept_bytes()), Ok(2 * 0xa00));
    let bytes_max = 2 * 0xa00 - 1;
    let refused = strip(&archive, None, &Limits { file_bytes_max: bytes_max, ..both }, &|| false);
    assert_eq!(refused, Err(NotStripped::TooMuch { parts_max: PARTS_MAX, bytes_max }));
}

#[test]
fn more_parts_than_may_be_sent_give_nothing() {
    let page = |page: usize| {
        let scripts = (0..1000).map(|n| format!("<script>{page} and {n}</script>"));
        ["<html>".to_owned()].into_iter().chain(scripts).collect::<String>()
    };
    let pages: Vec<(String, String)> = (0..=PARTS_MAX / 1000).map(|n| (format!("{n}.html"), page(n))).collect();
    let members: Vec<(&str, &[u8])> = pages.iter().map(|(name, page)| (name.as_str(), page.as_bytes())).collect();
    let count =
        |members| strip(&zip(members), None, &Limits::default(), &|| false).map(|stripped| stripped.parts.len());
    assert_eq!(count(&members[1..]), Ok(PARTS_MAX));
    assert!(matches!(count(&members), Err(NotStripped::TooMuch { .. })));
}

#[test]
fn a_sample_above_the_limit_is_not_opened() {
    let limits = Limits { file_bytes_max: 16, ..Limits::default() };
    assert_eq!(strip(&word(), None, &limits, &|| false), Err(NotStripped::TooLarge { bytes_max: 16 }));
}

#[test]
fn a_limit_that_hides_the_rest_is_named() {
    let archive = zip(&[("a.txt", PRIVATE), ("b.exe", &pe())]);
    let limits = Limits { files_max: 1, ..Limits::default() };
    let refused = strip(&archive, None, &limits, &|| false);
    assert_eq!(refused, Err(NotStripped::Limit("members in all".to_owned())));
    let found = Found { path: vec!["b.exe".to_owned()], place: Some(Match { form: Form::Raw, range: 0..1 }) };
    let refused = strip(&archive, Some(found), &limits, &|| false);
    assert_eq!(refused, Err(NotStripped::Limit("members in all".to_owned())));
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(bytes).expect("a vector takes all");
    packed.finish().expect("a vector takes all")
}
