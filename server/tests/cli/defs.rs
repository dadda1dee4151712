//! Definitions from a folder to a server, and what comes of the samples there.

use crate::support::{Home, Server};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

pub fn finds(name: &str, text: &str) -> String {
    format!("{name}:0:*:{}\n", text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>())
}

/// A home with a key, whose public half its server trusts.
pub fn home() -> Home {
    let home = Home::new();
    home.run(["defs", "keygen", "--out", "my.key", "--comment", "me"]).exits(0);
    let public = std::fs::read(home.path("my.key.pub")).expect("a public half");
    home.write("data/keys/my.pub", public);
    home
}

/// Builds a package of one `.ndb`, and a `.repair` where there is one.
fn build(home: &Home, sequence: u64, ndb: &str, repair: &str) -> String {
    let dir = format!("defs-{sequence}");
    home.write(&format!("{dir}/main.ndb"), ndb);
    if !repair.is_empty() {
        home.write(&format!("{dir}/main.repair"), repair);
    }
    let package = format!("{sequence}.lzd");
    let number = sequence.to_string();
    home.run(["defs", "build", &dir, "--sequence", &number, "--key", "my.key", "--out", &package]).exits(0);
    package
}

pub fn item_when(home: &Home, server: &Server, id: &str, status: &str) -> Value {
    let began = Instant::now();
    loop {
        let item = home.run(["--server", &server.url, "--json", "items", "show", id]).exits(0).value();
        if item["status"] == status {
            return item;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{item}");
    }
}

#[test]
fn a_key_is_for_its_owner_only_and_never_overwritten() {
    let home = Home::new();
    let ran = home.run(["--json", "defs", "keygen", "--out", "k"]).exits(0).value();
    assert_eq!(ran["public"], "k.pub");
    let mode = std::fs::metadata(home.path("k")).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    assert!(home.run(["defs", "keygen", "--out", "k"]).exits(2).err.contains("cannot write the key"));
}

#[test]
fn what_no_server_could_use_is_refused_when_it_is_built() {
    let home = home();
    home.write("bad/main.ndb", "rubbish\n");
    home.write("some/main.ndb", format!("{}rubbish\n", finds("A", "abcdefgh")));
    home.write("odd/a b.ndb", finds("A", "abcdefgh"));
    let build = |dir: &str, more: &[&str]| {
        let mut args = vec!["defs", "build", dir, "--sequence", "1", "--key", "my.key", "--out", "p.lzd"];
        args.extend(more);
        home.run(args)
    };
    assert!(build("bad", &[]).exits(2).err.contains("no definitions in it"));
    assert!(build("missing", &[]).exits(2).err.contains("missing"));
    assert!(build("odd", &[]).exits(2).err.contains("is no name for a file of definitions"));
    assert!(build("some", &["--strict"]).exits(2).err.contains("main.ndb"));
    assert!(!home.path("p.lzd").exists());
    let built = build("some", &["--json", "--certified"]).exits(0).value();
    assert_eq!((&built["signatures"], &built["complaints"], &built["certified"]), (&json!(1), &json!(1), &json!(true)));
    assert!(build("some", &[]).exits(2).err.contains("never overwritten"));
}

#[test]
fn a_sample_unknown_to_one_set_is_found_and_repaired_with_the_next() {
    let home = home();
    let server = home.serve("");
    let run = |args: &[&str]| home.run(["--server", &server.url].iter().chain(args));
    home.write("suspects/letter.doc", b"Dear all, hello. WOLF-BODY follows");
    let put = run(&["--json", "put", "suspects/letter.doc"]).exits(0).value();
    let id = put["item"].to_string();

    let first = build(&home, 1, &finds("Test.Sheep", "SHEEP-BODY"), "");
    assert!(run(&["defs", "install", &first]).exits(0).out.contains("definitions 1 are in use: 1 signature"));
    item_when(&home, &server, &id, "Held");
    let second = build(
        &home,
        2,
        &format!("{}{}", finds("Test.Sheep", "SHEEP-BODY"), finds("Test.Wolf", "WOLF-BODY")),
        "Test.Wolf;truncate match\n",
    );
    // What it would do, first.
    home.write("good/clean.txt", b"a text with nothing in it");
    let tested = run(&["defs", "test", &second, "--goodware", "good"]).exits(0).out;
    assert!(tested.contains("newly detected      1") && tested.contains("0 hits"), "{tested}");
    home.write("good/unclean.txt", b"a text with a SHEEP-BODY");
    let tested = run(&["defs", "test", &second, "--goodware", "good"]).exits(1);
    assert!(tested.out.contains("unclean.txt: Test.Sheep"), "{}", tested.out);
    item_when(&home, &server, &id, "Held");

    run(&["defs", "install", &second]).exits(0);
    let item = item_when(&home, &server, &id, "Available");
    assert_eq!(item["verdict"]["signatures"], json!(["Test.Wolf"]));
    let shown = run(&["items", "show", &id]).exits(0).out;
    assert!(shown.contains("Test.Wolf"), "{shown}");
    home.write("out/.keep", b"");
    let repaired = run(&["items", "repair", &id, "--to", "out"]).exits(0).out;
    assert!(repaired.contains("Test.Wolf repaired"), "{repaired}");
    let path = home.path(&format!("out/{id}-letter.doc"));
    assert_eq!(std::fs::read(&path).expect("written"), b"Dear all, hello. ");
    assert!(run(&["items", "repair", &id, "--to", "out"]).exits(5).err.contains("is there already"));
    assert!(run(&["items", "repair", &id, "--to", "nowhere"]).exits(2).err.contains("is no folder"));

    let listed = run(&["defs", "list"]).exits(0).out;
    assert!(listed.contains("in use") && listed.lines().count() == 3, "{listed}");
    assert!(run(&["defs", "show", "2"]).exits(0).out.contains("main.repair"));
    assert!(run(&["defs", "diff", "1", "2"]).exits(0).out.contains("+ Test.Wolf"));
    assert!(run(&["defs", "show", "9"]).exits(1).err.contains("definitions 9 are not here"));
    let status = run(&["retest", "status"]).exits(0).out;
    assert!(status.contains("delta") && status.contains("done"), "{status}");

    // Back to the first set, under a new number.
    assert!(run(&["defs", "install", &first]).exits(5).err.contains("not newer"));
    assert!(run(&["defs", "rollback", "2", "--key", "my.key"]).exits(1).err.contains("the newest"));
    let rolled = run(&["defs", "rollback", "1", "--key", "my.key"]).exits(0).out;
    assert!(rolled.contains("definitions 3 are in use"), "{rolled}");
    item_when(&home, &server, &id, "Held");
    assert!(run(&["items", "repair", &id, "--to", "out"]).exits(5).err.contains("no repair is necessary"));

    run(&["retest", "pause"]).exits(0);
    assert!(run(&["retest", "status"]).exits(0).out.contains("paused"));
    run(&["retest", "resume"]).exits(0);
    run(&["retest", "start", "--full"]).exits(0);
    server.kill();
}

#[test]
fn a_stranger_s_package_is_refused_with_the_key_named() {
    let home = home();
    let server = home.serve("");
    home.run(["defs", "keygen", "--out", "other.key"]).exits(0);
    home.write("defs/main.ndb", finds("A", "abcdefgh"));
    home.run(["defs", "build", "defs", "--sequence", "1", "--key", "other.key", "--out", "o.lzd"]).exits(0);
    let refused = home.run(["--server", &server.url, "defs", "install", "o.lzd"]).exits(2).err;
    assert!(refused.contains("no such key is trusted here"), "{refused}");
    home.write("rubbish.lzd", b"rubbish");
    let refused = home.run(["--server", &server.url, "defs", "install", "rubbish.lzd"]).exits(2).err;
    assert!(refused.contains("this is no package"), "{refused}");
    server.kill();
}
