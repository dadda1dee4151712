//! Debian's `clamav-testfiles`: whether the walk reaches what each file wraps.
//!
//! The payload is one file of 544 bytes; `clamscan` with its MD5 as the only signature reports every file of the
//! package. `docs/testfiles.md` is the committed answer: *same* or *unsupported* with what stands in the way, and
//! this test keeps it true in both directions. Where the package is not installed the test has nothing to say.

use std::collections::BTreeMap;
use std::path::Path;

use scanner::file::{Digests, Flow, Limits, walk};

const FOLDER: &str = "/usr/share/clamav-testfiles";
const TABLE: &str = include_str!("../../docs/testfiles.md");

#[test]
fn every_test_file_is_answered_as_the_table_says() {
    let Ok(payload) = std::fs::read(Path::new(FOLDER).join("clam.exe")) else {
        assert!(std::env::var_os("CI").is_none(), "clamav-testfiles is not installed");
        return;
    };
    let stated: BTreeMap<&str, &str> = TABLE.lines().filter_map(row).collect();
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(FOLDER).expect("the folder was there").flatten() {
        let name = entry.file_name().into_string().expect("names are ASCII");
        let bytes = std::fs::read(entry.path()).expect("readable");
        let mut reached = false;
        walk(&bytes, &Limits::default(), &|| false, &mut |member| {
            reached |= member.digests == Digests::Counted && member.bytes == payload;
            Flow::On
        });
        let answer = if reached { "same" } else { "unsupported" };
        if stated.get(name.as_str()).copied() != Some(answer) {
            wrong.push(format!("{name}: {answer}, the table says {:?}", stated.get(name.as_str())));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `| file | answer | ... |`
fn row(line: &str) -> Option<(&str, &str)> {
    let mut cells = line.strip_prefix("| `")?.split('|');
    Some((cells.next()?.trim().trim_end_matches('`'), cells.next()?.trim()))
}
