//! Definitions from files as strangers may write them: containers, ignores, strict loads, differences, any bytes.

use md5::Digest as _;
use proptest::prelude::*;
use scanner::definitions::{
    Definitions, LoadError, Options, PotentiallyUnwanted, Reason, Source, Strictness, diff, load,
};
use std::io::Write as _;

const MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";
const STRICT: Options = Options {
    functionality_level: 216,
    potentially_unwanted: PotentiallyUnwanted::LeaveOut,
    strictness: Strictness::Strict,
};

fn loaded(files: &[(&str, &[u8])]) -> Definitions {
    let sources: Vec<Source<'_>> = files.iter().map(|(name, bytes)| Source { name, bytes }).collect();
    load(&sources, Options::default()).expect("lenient, within bounds")
}

fn names(definitions: &Definitions) -> Vec<&str> {
    definitions.signatures.iter().map(|signature| &*signature.name).collect()
}

fn complaints(definitions: &Definitions) -> Vec<String> {
    definitions.complaints().map(|(_, text)| text).collect()
}

/// A tar archive whose headers say what `size_of` makes of each true size.
fn tar(members: &[(&str, &[u8])], size_of: impl Fn(usize) -> u64) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, content) in members {
        let mut header = [0u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..135].copy_from_slice(format!("{:011o}", size_of(content.len())).as_bytes());
        header[148..156].fill(b' ');
        header[156] = b'0';
        let sum: u64 = header.iter().map(|byte| u64::from(*byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        archive.extend_from_slice(&header);
        archive.extend_from_slice(content);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn container(content: &[u8], digest: &str) -> Vec<u8> {
    let mut bytes = format!("ClamAV-VDB:25 Nov 2026 00-00 +0000:1:1:90:{digest}:sig:builder:0").into_bytes();
    bytes.resize(512, b' ');
    bytes.extend_from_slice(content);
    bytes
}

fn digested(content: &[u8]) -> Vec<u8> {
    let digest: String = md5::Md5::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    container(content, &digest)
}

const NDB: &[u8] = b"In.Container:0:*:aabbccdd\n";

#[test]
fn every_kind_of_container_gives_its_members_signatures() {
    let archive = tar(&[("COPYING", b"words"), ("folder/t.ndb", NDB), ("t.info", b"info")], |size| size as u64);
    let whole = [
        ("t.cvd", digested(&zipped(&archive))),
        ("t.cld", container(&archive, "")),
        ("t.cud", container(&zipped(&archive), "x")),
    ];
    for (name, bytes) in &whole {
        let definitions = loaded(&[(name, bytes)]);
        assert_eq!(names(&definitions), ["In.Container"], "{name}");
        assert_eq!(complaints(&definitions), [""; 0], "{name}");
        let member = definitions.sources.iter().find(|source| *source.name == *format!("{name}/t.ndb"));
        assert_eq!(member.map(|member| (member.lines, member.signatures)), Some((1, 1)), "{name}");
    }
}

#[test]
fn a_container_cut_at_any_byte_is_said_to_be_broken_or_keeps_its_signature() {
    let archive = tar(&[("t.ndb", NDB)], |size| size as u64);
    let zipped = digested(&zipped(&archive));
    for end in 0..zipped.len() {
        let definitions = loaded(&[("t.cvd", &zipped[..end])]);
        assert_eq!((definitions.signatures.len(), definitions.rejected.len()), (0, 1), "cut at {end}");
    }
    let plain = container(&archive, "");
    for end in 0..plain.len() {
        let definitions = loaded(&[("t.cld", &plain[..end])]);
        // Behind the member only zeroes are lost. A container of a header alone is an empty one.
        let expected = match end {
            512 => (0, 0),
            _ if end >= 512 + 1024 && end % 512 == 0 => (1, 0),
            _ => (definitions.signatures.len(), definitions.rejected.len()),
        };
        assert_eq!((definitions.signatures.len(), definitions.rejected.len()), expected, "cut at {end}");
        assert!(definitions.signatures.len() <= 1 && definitions.rejected.len() <= 1);
        assert!(end == 512 || definitions.signatures.len() + definitions.rejected.len() > 0, "silent at {end}");
    }
}

#[test]
fn sizes_and_digests_that_lie_are_named() {
    for lie in [1 << 20, 0o77_777_777_777] {
        let archive = tar(&[("t.ndb", NDB)], |_| lie);
        let definitions = loaded(&[("t.cld", &container(&archive, ""))]);
        assert_eq!(complaints(&definitions), ["t.cld:1: the container's archive is not well formed"]);
    }
    let archive = tar(&[("t.ndb", NDB)], |size| size as u64);
    for digest in [MD5.to_owned(), String::new(), format!("{MD5}0")] {
        let definitions = loaded(&[("t.cvd", &container(&zipped(&archive), &digest))]);
        let expected = ["t.cvd:1: the container's content does not have the MD5 of its header"];
        assert_eq!(complaints(&definitions), expected, "{digest}");
    }
    let mut long = digested(&zipped(&archive));
    let at = long.windows(4).position(|part| part == b":sig").expect("it is there");
    long.insert(at, b'0');
    long.remove(511);
    assert_eq!(loaded(&[("t.cvd", &long)]).rejected.len(), 1, "33 digits are no MD5");
}

#[test]
fn a_container_that_expands_beyond_its_bound_is_refused() {
    // Zeroes shrink to a thousandth: beyond 64 to 1 and beyond what is free of that bound.
    let bomb = container(&zipped(&vec![0; (16 << 20) + 1]), "");
    let expected = ["t.cud:1: the container expands beyond its bounds"];
    assert_eq!(complaints(&loaded(&[("t.cud", &bomb)])), expected);
    let many: Vec<(&str, &[u8])> = vec![("t.ndb", b""); 1025];
    let crowd = container(&tar(&many, |size| size as u64), "");
    assert_eq!(complaints(&loaded(&[("t.cud", &crowd)])), ["t.cud:1: the container has too many members"]);
}

#[test]
fn an_ignore_leaves_out_the_signature_it_names_wherever_it_stands() {
    let ndb: &[u8] = b"One:0:*:aabbccdd\nTwo:0:*:aabbccdd\nThree:0:*:aabbccdd\n";
    let line_md5: String = md5::Md5::digest(b"Three:0:*:aabbccdd").iter().map(|byte| format!("{byte:02x}")).collect();
    let by_line = format!("Three:{line_md5}\nTwo:{MD5}\n");
    let definitions = loaded(&[("t.ndb", ndb), ("a.ign2", by_line.as_bytes()), ("b.ign", b"t.ndb:1:One\n")]);
    assert_eq!(names(&definitions), ["Two"], "the digest of another line means another line");
    let removed: Vec<u32> = definitions.ignored.iter().map(|ignored| ignored.removed).collect();
    assert_eq!(removed, [1, 0, 1]);
}

#[test]
fn a_strict_load_names_the_first_complaints_by_file_line_and_column() {
    let mut ndb = b"# a comment\nGood:0:*:aabbccdd\n".to_vec();
    (0..12).for_each(|_| ndb.extend_from_slice(b"Bad:0:*:zz\n"));
    let refused = load(&[Source { name: "/x/t.ndb", bytes: &ndb }], STRICT).expect_err("12 lines are wrong");
    let LoadError::Strict { complaints, more } = refused else { panic!("{refused}") };
    assert_eq!((complaints.len(), more), (10, 2));
    assert_eq!(complaints[0], "t.ndb:3:9: hexadecimal digits in pairs are expected");
}

#[test]
fn a_strict_load_refuses_what_is_unsupported_but_not_what_the_language_leaves_out() {
    let unsupported: &[u8] = b"P;Engine:81-255,Target:0;0&1;aabbccdd;0/abc/\n";
    assert!(load(&[Source { name: "t.ldb", bytes: unsupported }], STRICT).is_err());
    assert!(load(&[Source { name: "t.cbc", bytes: b"" }], STRICT).is_err());
    let unwanted = Source { name: "t.ndu", bytes: NDB };
    let other_level = format!("{MD5}:10:Later:300\n");
    let definitions = load(&[unwanted, Source { name: "t.hdb", bytes: other_level.as_bytes() }], STRICT);
    let reasons = definitions.map(|found| found.unsupported.iter().map(|left_out| left_out.reason).collect::<Vec<_>>());
    assert_eq!(reasons, Ok(vec![Reason::PotentiallyUnwanted, Reason::FunctionalityLevel]));
}

#[test]
fn lines_are_bounded_and_errors_beyond_the_kept_ones_are_counted() {
    let long = |name_bytes: usize| format!("{}:0:*:aabbccdd\n", "N".repeat(name_bytes));
    assert_eq!(loaded(&[("t.ndb", long(8190 - 13).as_bytes())]).signatures.len(), 1);
    assert_eq!(
        complaints(&loaded(&[("t.ndb", long(8190 - 12).as_bytes())])),
        ["t.ndb:1:8191: the line is longer than 8190 bytes"]
    );
    let definitions = loaded(&[("t.hdb", &b"x\n".repeat(65_536 + 3))]);
    assert_eq!((definitions.rejected.len(), definitions.rejected_beyond), (65_536, 3));
}

fn hashes(chosen: &[(u8, u8)]) -> Vec<u8> {
    let line = |(name, content): &(u8, u8)| format!("{content:032x}:10:N{name}\n");
    chosen.iter().map(line).collect::<String>().into_bytes()
}

#[test]
fn a_difference_tells_added_changed_and_removed_apart() {
    let old = loaded(&[("t.hdb", &hashes(&[(1, 1), (2, 2), (3, 3)])), ("t.fp", &hashes(&[(8, 8)]))]);
    let new = loaded(&[("u.hdb", &hashes(&[(4, 4), (3, 3), (2, 9)])), ("t.fp", &hashes(&[(9, 9)]))]);
    let found = diff(&old, &new);
    assert_eq!((&*found.added, &*found.changed, &*found.removed), (&[0][..], &[(1, 2)][..], &[0][..]));
    assert_eq!((&*found.allow_added, &*found.allow_removed), (&[0][..], &[0][..]));
    assert_eq!((found.to_scan(), found.to_revoke()), (vec![0, 2], vec![0, 1]));
    assert_eq!(diff(&old, &old), scanner::definitions::Difference::default());
}

/// An element of a pattern that leaves the pattern well formed between two runs of known bytes.
fn element() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("??".to_owned()),
        Just("*".to_owned()),
        "[0-9a-f]\\?",
        "\\?[0-9a-f]",
        (0u32..200).prop_map(|bytes| format!("{{{}}}", bytes + 1)),
        (0u32..300).prop_map(|bytes| format!("{{{bytes}-}}")),
        (1u32..300).prop_map(|bytes| format!("{{-{bytes}}}")),
        (0u32..300, 1u32..300).prop_map(|(min, more)| format!("{{{min}-{}}}", min + more)),
        "\\(([0-9a-f]{2}){1,3}\\|([0-9a-f]{2}){1,3}\\)",
        "!\\([0-9a-f]{4}\\|[0-9a-f]{4}\\)",
        "\\((B|L|W)\\)",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_pattern_is_written_as_it_is_read(
        first in "([0-9a-f]{2}){3,6}",
        rest in prop::collection::vec((element(), "([0-9a-f]{2}){2,6}"), 0..6),
    ) {
        let body: String = rest.into_iter().fold(first, |text, (element, bytes)| text + &element + &bytes);
        let line = format!("T:0:*:{body}");
        let once = loaded(&[("t.ndb", line.as_bytes())]).signatures;
        prop_assert_eq!(once.len(), 1, "{}", line);
        let again = loaded(&[("t.ndb", once[0].line().as_bytes())]).signatures;
        prop_assert_eq!(once, again);
    }

    #[test]
    fn any_bytes_as_any_kind_of_file_are_answered(
        kind in prop::sample::select(vec![
            "db", "ndb", "hdb", "mdb", "imp", "ldb", "fp", "ign", "ign2", "repair", "info", "cvd", "cld", "cud", "x",
        ]),
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..600),
            "[TN0-9a-f:;,*?{}()|!$#/&=<>+\\-\\[\\]BLW \n]{0,200}".prop_map(String::into_bytes),
        ],
    ) {
        let name = format!("t.{kind}");
        let definitions = loaded(&[(&name, &bytes)]);
        prop_assert_eq!(definitions.rejected_beyond, 0);
        let behind_header = container(&bytes, "");
        loaded(&[(&name, &behind_header)]);
    }

    #[test]
    fn the_old_set_with_the_difference_applied_is_the_new_one(
        old in prop::collection::vec((0u8..6, 0u8..6), 0..12),
        new in prop::collection::vec((0u8..6, 0u8..6), 0..12),
    ) {
        let (old, new) = (loaded(&[("t.hdb", &hashes(&old))]), loaded(&[("t.hdb", &hashes(&new))]));
        let found = diff(&old, &new);
        let keys = |set: &Definitions| set.signatures.iter().map(|signature| signature.key).collect::<std::collections::BTreeSet<_>>();
        let mut applied = keys(&old);
        for index in found.to_revoke() {
            prop_assert!(applied.remove(&old.signatures[index as usize].key));
        }
        for index in found.to_scan() {
            prop_assert!(applied.insert(new.signatures[index as usize].key));
        }
        prop_assert_eq!(applied, keys(&new));
    }
}

/// Languages of the seeds in `corpus/definitions`, which the fuzz target of that name begins with: the first byte picks.
const LANGUAGES: [&str; 12] =
    ["a.ndb", "a.ldb", "a.hdb", "a.hsb", "a.mdb", "a.msb", "a.fp", "a.sfp", "a.ign2", "a.repair", "a.cvd", "a.imp"];

#[test]
fn no_definitions_of_the_corpus_cut_or_flipped_make_loading_or_compiling_panic() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/definitions");
    let read = |bytes: &[u8]| {
        let Some((first, bytes)) = bytes.split_first() else { return 0 };
        let name = LANGUAGES[usize::from(*first) % LANGUAGES.len()];
        let Ok(definitions) = load(&[Source { name, bytes }], Options::default()) else { return 0 };
        let lines = definitions.signatures.len() + definitions.allow.len() + definitions.repairs.len();
        let limits = scanner::ruleset::Limits { memory_bytes_max: 64 << 20 };
        let _ = scanner::ruleset::Ruleset::compile(definitions, limits);
        lines
    };
    let mut loaded = 0;
    for entry in std::fs::read_dir(folder).expect("a corpus") {
        let seed = std::fs::read(entry.expect("an entry").path()).expect("a seed");
        loaded += read(&seed);
        for at in 0..seed.len() {
            read(&seed[..at]);
            let mut flipped = seed.clone();
            flipped[at] ^= 1 << (at % 8);
            read(&flipped);
        }
    }
    assert!(loaded >= 10, "{loaded} lines of the corpus load");
}
