//! Commands against a real server on loopback.

use crate::support::{Home, eicar, files};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// A command against a server.
fn at<'a>(url: &'a str, args: &[&'a str]) -> Vec<&'a str> {
    let mut all = vec!["--server", url];
    all.extend(args);
    all
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} is missing in {value}"))
}

/// A tree of a few files, one of them twice.
fn tree(home: &Home) {
    home.write("tree/a", b"alpha");
    home.write("tree/b/c", vec![7; 100_000]);
    home.write("tree/b/copy", b"alpha");
    home.write("tree/empty", b"");
}

#[test]
fn a_tree_forwarded_twice_is_stored_once_and_listed_twice() {
    let home = Home::new();
    tree(&home);
    let server = home.serve("");
    let url = server.url.as_str();
    let put = ["put", "--json", "--recursive", "--client", "desk-1", "--reason", "could not be cleaned", "tree"];
    let first = home.run(at(url, &put)).exits(0).lines();
    let outcomes = |lines: &[Value], outcome: &str| lines.iter().filter(|line| line["outcome"] == outcome).count();
    assert_eq!((first.len(), outcomes(&first, "stored"), outcomes(&first, "duplicate")), (4, 3, 1));
    for line in &first {
        for name in ["item", "blake3", "sha256", "bytes", "outcome", "path"] {
            assert!(!line[name].is_null(), "{name} is missing in {line}");
        }
    }
    let second = home.run(at(url, &put)).exits(0);
    assert_eq!(outcomes(&second.lines(), "duplicate"), 4);
    assert_eq!(home.run(at(url, &["items", "count", "--json"])).exits(0).value()["count"], 8);
    let listed = home.run(at(url, &["items", "list", "--json", "--client", "desk-1"])).exits(0).lines();
    assert_eq!(listed.len(), 8);
    assert_eq!(home.run(at(url, &["items", "count", "--client", "nobody"])).exits(0).out, "0\n");
    let quota = home.run(at(url, &["quota", "--json"])).exits(0).value();
    assert_eq!(quota["used_samples"], 3);
}

#[test]
fn a_second_put_of_the_same_files_sends_no_bodies() {
    let home = Home::new();
    tree(&home);
    let server = home.serve("");
    home.run(at(&server.url, &["put", "--recursive", "tree"])).exits(0);
    let again = home.run(at(&server.url, &["put", "--recursive", "tree"])).exits(0);
    assert!(again.err.contains("0 stored, 4 duplicates; 0 B sent"), "{}", again.err);
}

#[test]
fn lists_go_on_where_they_ended() {
    let home = Home::new();
    for at in 0..7 {
        home.write(&format!("tree/{at}"), format!("file {at}"));
    }
    let server = home.serve("");
    let url = server.url.as_str();
    home.run(at(url, &["put", "--recursive", "tree"])).exits(0);
    let page = home.run(at(url, &["items", "list", "--json", "--limit", "4"])).exits(0);
    assert_eq!(page.lines().len(), 4);
    let cursor = page.err.split("--cursor ").nth(1).expect("more follows").trim();
    let rest = home.run(at(url, &["items", "list", "--json", "--limit", "4", "--cursor", cursor])).exits(0);
    assert_eq!(rest.lines().len(), 3);
    let mut ids: Vec<_> = page.lines().iter().chain(&rest.lines()).map(|item| item["id"].as_u64()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 7);
}

#[test]
fn an_item_is_shown_and_an_unknown_one_is_an_answer_of_no() {
    let home = Home::new();
    home.write("evil\u{1b}]0;title\u{7}", b"content");
    let server = home.serve("");
    let url = server.url.as_str();
    let put = home.run(at(url, &["put", "--json", "--client", "desk-7", "evil\u{1b}]0;title\u{7}"])).exits(0);
    let id = put.value()["item"].to_string();
    let item = home.run(at(url, &["items", "show", "--json", &id])).exits(0).value();
    assert_eq!((text(&item, "/client"), text(&item, "/status")), ("desk-7", "Quarantined"));
    assert!(text(&item, "/name").ends_with("evil\u{1b}]0;title\u{7}"), "the name is kept as it is");
    let shown = home.run(at(url, &["items", "show", &id])).exits(0).out;
    assert!(shown.contains("evil\\u{1b}]0;title\\u{7}") && !shown.contains('\u{1b}'), "{shown}");
    let listed = home.run(at(url, &["items", "list"])).exits(0).out;
    assert!(listed.contains("Quarantined") && !listed.contains('\u{1b}'), "{listed}");
    home.run(at(url, &["items", "show", "999999"])).exits(1);
}

#[test]
fn a_restored_sample_is_what_went_in_and_replaces_nothing_unasked() {
    let home = Home::new();
    let content: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    home.write("large", &content);
    let server = home.serve("");
    let url = server.url.as_str();
    let id = home.run(at(url, &["put", "--json", "large"])).exits(0).value()["item"].to_string();
    let ran = home.run(at(url, &["items", "restore", &id, "--to", "back"])).exits(0);
    assert!(ran.err.contains("warning") && ran.out.contains("digest verified"), "{}{}", ran.out, ran.err);
    assert_eq!(std::fs::read(home.path("back")).expect("there"), content);
    assert_eq!(std::fs::metadata(home.path("back")).expect("there").permissions().mode() & 0o777, 0o600);
    home.write("back", b"mine");
    home.run(at(url, &["items", "restore", &id, "--to", "back"])).exits(5);
    assert_eq!(std::fs::read(home.path("back")).expect("there"), b"mine");
    home.run(at(url, &["items", "restore", &id, "--to", "back", "--yes"])).exits(0);
    assert_eq!(std::fs::read(home.path("back")).expect("there"), content);
    home.run(at(url, &["items", "restore", &id, "--to", "."])).exits(2);
    home.run(at(url, &["items", "restore", "999999", "--to", "none"])).exits(1);
    assert!(!home.path("none").exists());
}

#[test]
fn standard_input_is_forwarded_short_and_long() {
    let home = Home::new();
    let server = home.serve("");
    let url = server.url.as_str();
    for content in [b"short".to_vec(), vec![9; 9 << 20]] {
        let ran = home.run_with(at(url, &["put", "--json", "-"]), &content).exits(0);
        assert_eq!(text(&ran.value(), "/blake3"), blake3::hash(&content).to_string());
        assert_eq!(ran.value()["bytes"], content.len());
    }
}

#[test]
fn deleting_warns_and_asks_and_names_what_was_not_there() {
    let home = Home::new();
    tree(&home);
    let server = home.serve("");
    let url = server.url.as_str();
    let put = home.run(at(url, &["put", "--json", "--recursive", "--client", "c", "tree"])).exits(0).lines();
    let id = put[0]["item"].to_string();
    let asked = home.run(at(url, &["items", "delete", &id])).exits(2);
    assert!(asked.err.contains("not resolved") || asked.err.contains("none of it is resolved"), "{}", asked.err);
    assert!(asked.err.contains("--yes"), "{}", asked.err);
    assert_eq!(home.run(at(url, &["items", "count"])).out, "4\n");
    home.run(at(url, &["items", "delete", &id, "--yes"])).exits(0);
    assert!(home.run(at(url, &["items", "delete", &id, "--yes"])).exits(1).err.contains(&id));
    home.run(at(url, &["items", "delete", "--client", "c", "--dry-run"])).exits(0);
    assert_eq!(home.run(at(url, &["items", "count"])).out, "3\n");
    home.run(at(url, &["items", "delete", "--client", "c", "--yes"])).exits(0);
    assert_eq!(home.run(at(url, &["items", "count"])).out, "0\n");
    home.run(at(url, &["items", "delete", "--client", "c", "--yes"])).exits(1);
}

#[test]
fn a_full_quarantine_exits_5_and_says_how_full() {
    let home = Home::new();
    for name in ["one", "two", "three"] {
        home.write(name, name);
    }
    let server = home.serve("[general]\nmax_samples = 2\nfull = 'strict'\n");
    let url = server.url.as_str();
    home.run(at(url, &["put", "one", "two"])).exits(0);
    let ran = home.run(at(url, &["put", "three"])).exits(5);
    assert!(ran.err.contains("samples: 2 of 2") && ran.err.contains("items delete"), "{}", ran.err);
    assert_eq!(home.run(at(url, &["put", "--json", "one"])).exits(0).value()["outcome"], "duplicate");
}

#[test]
fn a_sample_over_the_limit_is_refused_by_name_and_the_others_are_taken() {
    let home = Home::new();
    home.write("tree/large", vec![1; 20_000]);
    home.write("tree/small", b"small");
    let server = home.serve("[general]\nsample_bytes_max = 10000\n");
    let ran = home.run(at(&server.url, &["put", "--json", "--recursive", "tree"])).exits(1);
    assert!(ran.err.contains("refused") && ran.err.contains("large"), "{}", ran.err);
    assert_eq!(ran.lines().len(), 1);
}

#[test]
fn status_and_log_answer_in_both_forms() {
    let home = Home::new();
    let server = home.serve("");
    let url = server.url.as_str();
    assert!(home.run(at(url, &["status", "--json"])).exits(0).value().is_object());
    assert!(home.run(at(url, &["status"])).exits(0).out.contains("version"));
    assert!(home.run(at(url, &["quota"])).exits(0).out.contains("samples"));
    home.run(at(url, &["log"])).exits(0);
}

#[test]
fn a_setting_changes_at_run_time_and_is_shown_as_stored() {
    let home = Home::new();
    let server = home.serve("");
    let url = server.url.as_str();
    home.run(at(url, &["settings", "set", "general.max_samples", "5"])).exits(0);
    assert_eq!(home.run(at(url, &["quota", "--json"])).exits(0).value()["max_samples"], 5);
    assert_eq!(home.run(at(url, &["settings", "get", "general.max_samples"])).exits(0).out, "5\n");
    let shown = home.run(at(url, &["config", "show", "--json", "--non-default", "--origin"])).exits(0).lines();
    assert!(
        shown.iter().any(|line| line["key"] == "general.max_samples" && line["origin"] == "stored setting"),
        "{shown:?}"
    );
    home.run(at(url, &["settings", "set", "general.max_sample", "5"])).exits(2);
    home.run(at(url, &["settings", "set", "general.max_samples", "many"])).exits(2);
    home.run(at(url, &["settings", "set", "general.read", "pread"])).exits(2);
}

#[test]
fn what_was_acked_survives_kill_9_and_verifies_clean() {
    let home = Home::new();
    tree(&home);
    home.write("tree/eicar", eicar());
    let server = home.serve("");
    let put = home.run(at(&server.url, &["put", "--json", "--recursive", "tree"])).exits(0).lines();
    server.kill();
    let server = home.serve("");
    let url = server.url.as_str();
    for line in &put {
        let item = home.run(at(url, &["items", "show", "--json", &line["item"].to_string()])).exits(0).value();
        assert_eq!(text(&item, "/sample/blake3"), text(line, "/blake3"));
    }
    let data = home.path("data").to_string_lossy().into_owned();
    assert!(home.run(["verify", "--data", &data]).exits(5).err.contains("in use"));
    home.run(["rebuild", "--data", &data]).exits(5);
    let second = ["serve", "--data", &data, "--listen", "127.0.0.1:0", "--intake-listen", "127.0.0.1:0"];
    home.run(second).exits(5);
    assert!(server.stop().success());
    let report = home.run(["verify", "--json", "--data", &data]).exits(0).value();
    assert_eq!((report["samples"].as_u64(), report["items"].as_u64()), (Some(4), Some(5)));
    home.run(["rebuild", "--data", &data]).exits(0);
    home.run(["verify", "--data", &data]).exits(0);
    hidden(&home.path("data"));
}

/// Nothing in the store can be recognised or run.
fn hidden(data: &Path) {
    let needle = eicar();
    for file in files(data) {
        let content = std::fs::read(&file).expect("readable");
        assert!(!content.windows(needle.len()).any(|window| window == needle), "{}", file.display());
        let mode = std::fs::metadata(&file).expect("there").permissions().mode();
        assert_eq!(mode & 0o111, 0, "{}", file.display());
    }
}

#[test]
fn damage_is_found_and_named() {
    let home = Home::new();
    let mut noise = vec![0; 50_000];
    blake3::Hasher::new().finalize_xof().fill(&mut noise);
    home.write("sample", noise);
    let server = home.serve("");
    home.run(at(&server.url, &["put", "sample"])).exits(0);
    assert!(server.stop().success());
    let data = home.path("data");
    let segments: Vec<_> = files(&data).into_iter().filter(|path| path.to_string_lossy().contains("segment")).collect();
    let largest = segments.iter().max_by_key(|path| std::fs::metadata(path).expect("there").len()).expect("a segment");
    let mut content = std::fs::read(largest).expect("readable");
    // Noise does not shrink, so the middle of what it was stored as is content.
    content[30_000] ^= 0x40;
    std::fs::write(largest, content).expect("writable");
    let data = data.to_string_lossy().into_owned();
    let ran = home.run(["verify", "--json", "--data", &data]).exits(1);
    assert_ne!(ran.value()["damage"].as_array().map(Vec::len), Some(0), "{}", ran.out);
}
