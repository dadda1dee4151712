//! A server killed while definitions change: whatever it was doing, every item ends as if nothing had happened.

use crate::defs::{finds, home, item_when};
use std::time::Duration;

/// Samples, of which one in five is found by each of the five last sets.
const SAMPLES: usize = 60;
const SETS: usize = 6;

#[test]
fn a_server_killed_while_it_tests_again_leaves_every_item_as_it_would_have_been() {
    let home = home();
    let name = |set: usize| format!("Test.{set}");
    let text = |set: usize| format!("what the set {set} of them finds");
    for sample in 0..SAMPLES {
        home.write(&format!("files/{sample}.txt"), format!("sample {sample}: {}", text(1 + sample % 5)));
    }
    let mut ndb = finds("Test.Other", "what is in no sample at all");
    for set in 0..SETS {
        if set > 0 {
            ndb += &finds(&name(set), &text(set));
        }
        home.write("defs/main.ndb", &ndb);
        let (sequence, out) = ((set + 1).to_string(), format!("{set}.lzd"));
        home.run(["defs", "build", "defs", "--sequence", &sequence, "--key", "my.key", "--out", &out]).exits(0);
    }
    // Small shelves, so that there are many steps to be killed between.
    let config = "[retest]\nshelf_bytes = \"1MiB\"\n";
    let server = home.serve(config);
    home.run(["--server", &server.url, "put", "--recursive", "files"]).exits(0);
    home.run(["--server", &server.url, "defs", "install", "0.lzd"]).exits(0);
    server.kill();
    for set in 1..SETS {
        let server = home.serve(config);
        // The set from before has to be in use again first.
        let out = format!("{set}.lzd");
        let mut tries = 0;
        while home.run(["--server", &server.url, "defs", "install", &out]).code != 0 {
            std::thread::sleep(Duration::from_millis(50));
            tries += 1;
            assert!(tries < 100, "set {set} cannot be installed");
        }
        // From at once to about when it is done.
        std::thread::sleep(Duration::from_millis(set as u64 * 8));
        server.kill();
    }
    let server = home.serve(config);
    let listed = home.run(["--server", &server.url, "--json", "items", "list", "--limit", "100"]).exits(0).lines();
    assert_eq!(listed.len(), SAMPLES);
    for item in listed {
        let id = item["id"].to_string();
        let item = item_when(&home, &server, &id, "Available");
        let sample: usize = item["name"].as_str().and_then(number).expect("a number in its name");
        assert_eq!(item["verdict"]["signatures"], serde_json::json!([name(1 + sample % 5)]), "{item}");
    }
    server.kill();
}

/// The number that a file is called by.
fn number(name: &str) -> Option<usize> {
    name.rsplit(['/', '\\']).next()?.strip_suffix(".txt")?.parse().ok()
}
