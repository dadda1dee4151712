//! `lazaret scan`: answers like the field's scanner.

use crate::support::{Home, eicar};
use std::collections::BTreeMap;
use std::path::Path;

const EICAR: &str = "Test.EICAR:0:*:4549434152*5354414e44415244";

fn home() -> Home {
    let home = Home::new();
    home.write("defs/a.ndb", format!("{EICAR}\nTest.Second:0:0:58354f2150254041\n"));
    home.write("files/clean", b"nothing to see here");
    home.write("files/eicar", eicar());
    home
}

#[test]
fn what_is_found_is_named_and_the_exit_code_says_it() {
    let home = home();
    let found = home.run(["scan", "--defs", "defs", "files"]).exits(1);
    let (clean, eicar) = found.out.split_once('\n').expect("two lines");
    assert_eq!(clean, "files/clean: OK");
    // One buffer holds both; which is met first is nobody's promise.
    assert!(["files/eicar: Test.EICAR FOUND\n", "files/eicar: Test.Second FOUND\n"].contains(&eicar), "{eicar}");
    home.run(["scan", "--defs", "defs/a.ndb", "files/clean"]).exits(0);
    let all = home.run(["scan", "--defs", "defs", "--infected", "--allmatch", "files"]).exits(1);
    let mut lines: Vec<&str> = all.out.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["files/eicar: Test.EICAR FOUND", "files/eicar: Test.Second FOUND"]);
    let json = home.run(["scan", "--defs", "defs", "--json", "files"]).exits(1).lines();
    assert_eq!(json[0]["found"].as_array().map(Vec::len), Some(0));
    assert_eq!(json[1]["path"], "files/eicar");
}

#[test]
fn what_cannot_be_scanned_is_an_error_and_the_rest_is_scanned() {
    let home = home();
    let run = home.run(["scan", "--defs", "defs", "missing", "files"]).exits(2);
    assert!(run.err.contains("missing") && run.out.contains("files/eicar: "), "{} {}", run.out, run.err);
    let run = home.run(["scan", "--defs", "no-such-defs", "files"]).exits(2);
    assert!(run.err.contains("no-such-defs"), "{}", run.err);
    home.write("empty/a.ndb", "# nothing\n");
    let run = home.run(["scan", "--defs", "empty", "files"]).exits(2);
    assert!(run.err.contains("no definitions"), "{}", run.err);
}

#[test]
fn lines_that_cannot_be_used_are_named_and_strict_refuses_them() {
    let home = home();
    home.write("mixed/a.ndb", format!("{EICAR}\nBroken:0:*:xyz\n"));
    home.write("mixed/b.ldb", "Regular;Engine:81-255,Target:0;0&1;41424344;0/abc/\n");
    let run = home.run(["scan", "--defs", "mixed", "files"]).exits(1);
    assert!(run.err.contains("a.ndb:2") && run.err.contains("Regular"), "{}", run.err);
    home.run(["scan", "--defs", "mixed", "--strict", "files"]).exits(2);
}

#[test]
fn folders_in_folders_are_scanned_when_asked_for_and_links_are_not_followed() {
    let home = home();
    home.write("files/deep/er/eicar", eicar());
    std::os::unix::fs::symlink("/", home.path("files/link")).expect("writable");
    let flat = home.run(["scan", "--defs", "defs", "files"]).exits(1);
    assert!(!flat.out.contains("deep"), "{}", flat.out);
    let deep = home.run(["scan", "--defs", "defs", "--recursive", "files"]).exits(1);
    assert!(deep.out.contains("files/deep/er/eicar: ") && deep.err.contains("files/link"), "{} {}", deep.out, deep.err);
}

#[test]
fn a_hostile_name_reaches_no_terminal() {
    let home = home();
    home.write("files/\u{1b}[31mred\nline", eicar());
    let run = home.run(["scan", "--defs", "defs", "--infected", "files"]).exits(1);
    assert!(!run.out.contains('\u{1b}') && run.out.lines().count() == 2, "{}", run.out);
}

#[test]
fn yara_rules_are_definitions_like_others() {
    let home = home();
    let rules = "private rule base { strings: $a = \"nothing\" condition: $a }\n\
                 rule Plain : tag { condition: base }\n\
                 rule Inside { strings: $a = \"in the archive\" condition: $a }\n";
    home.write("yara/a.yar", rules);
    home.write("yara/b.ndb", format!("{EICAR}\n"));
    let tar = tar("member", b"what is in the archive");
    home.write("files/packed.gz", gzip(&tar));
    let run = home.run(["scan", "--defs", "yara", "--infected", "--allmatch", "files"]).exits(1);
    let lines: Vec<&str> = run.out.lines().collect();
    assert_eq!(
        lines,
        ["files/clean: YARA.Plain FOUND", "files/eicar: Test.EICAR FOUND", "files/packed.gz: YARA.Inside FOUND"]
    );
    let only = home.run(["scan", "--defs", "yara/a.yar", "--json", "files/clean"]).exits(1).lines();
    assert_eq!(only[0]["found"][0], "YARA.Plain");
    // An allowance of the file suppresses them as it does others.
    let digest = ring::digest::digest(&ring::digest::SHA256, b"nothing to see here");
    let digest: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    home.write("yara/c.sfp", format!("{digest}:19:Known.Good\n"));
    home.run(["scan", "--defs", "yara", "files/clean"]).exits(0);
}

#[test]
fn yara_rules_that_cannot_be_used_are_named_and_strict_refuses_them() {
    let home = home();
    home.write("yara/a.yara", "rule good { condition: filesize > 0 }\nrule bad {\n condition: $x }\n");
    let run = home.run(["scan", "--defs", "yara", "files/clean"]).exits(1);
    assert!(run.out.contains("YARA.good FOUND") && run.err.contains("a.yara:3:"), "{} {}", run.out, run.err);
    let run = home.run(["scan", "--defs", "yara", "--strict", "files/clean"]).exits(2);
    assert!(run.err.contains("a.yara:3:"), "{}", run.err);
    home.write("none/a.yar", "rule bad { condition: $x }\n");
    let run = home.run(["scan", "--defs", "none", "files"]).exits(2);
    assert!(run.err.contains("no definitions") && run.err.contains("a.yar:1:"), "{}", run.err);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    // One stored block: nothing here depends on the compression.
    let length = u16::try_from(bytes.len()).expect("small");
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 1];
    out.extend(length.to_le_bytes());
    out.extend((!length).to_le_bytes());
    out.extend(bytes);
    out.extend([0; 4]);
    out.extend(u32::from(length).to_le_bytes());
    out
}

/// An archive of one member.
fn tar(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut head = [0; 512];
    head[..name.len()].copy_from_slice(name.as_bytes());
    head[100..108].copy_from_slice(b"0000644\0");
    head[124..136].copy_from_slice(format!("{:011o}\0", bytes.len()).as_bytes());
    head[148..156].fill(b' ');
    head[156] = b'0';
    head[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
    head[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut out = head.to_vec();
    out.extend(bytes);
    out.resize(out.len().next_multiple_of(512) + 1024, 0);
    out
}

/// Debian's test files by the digest of what they wrap: what the table calls *same* is found here as by `clamscan`.
#[test]
fn the_test_files_are_answered_as_the_table_says() {
    const FOLDER: &str = "/usr/share/clamav-testfiles";
    let Ok(payload) = std::fs::read(Path::new(FOLDER).join("clam.exe")) else {
        assert!(std::env::var_os("CI").is_none(), "clamav-testfiles is not installed");
        return;
    };
    let home = Home::new();
    let digest = ring::digest::digest(&ring::digest::SHA256, &payload);
    let digest: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    home.write("defs/a.hsb", format!("{digest}:{}:ClamAV-Test-File\n", payload.len()));
    let run = home.run(["scan", "--defs", "defs", "--json", FOLDER]).exits(1);
    let found: BTreeMap<String, bool> = run
        .lines()
        .iter()
        .map(|line| {
            let path = line["path"].as_str().expect("a path");
            (path.rsplit('/').next().expect("a name").to_owned(), !line["found"].as_array().expect("names").is_empty())
        })
        .collect();
    let table = include_str!("../../../docs/testfiles.md");
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    let stated: BTreeMap<String, bool> = rows.map(|(name, rest)| (name.to_owned(), rest.starts_with("same"))).collect();
    assert_eq!(found, stated);
}
