//! The whole loop with real processes, either of which is killed again and again: samples are submitted, a centre makes
//! definitions of them, those come back. Whatever was killed when, everything ends as if nothing had happened.

use crate::defs::item_when;
use crate::support::{Home, Server, free_port};
use defcast::keys::TrustedKeys;
use defcast::package::{Limits, Package};
use rusqlite::{Connection, OpenFlags};
use std::collections::BTreeSet;
use std::time::Duration;

/// In a test run; `LAZARET_CYCLES` asks for more.
const CYCLES: usize = 10;
/// Families that come in each cycle, unlike all before: what a set finds already is not submitted.
const FAMILIES: usize = 2;
/// Samples of each.
const MEMBERS: usize = 2;

/// Bytes that only this name has.
fn noise(name: &str, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new_derive_key("lazaret loop test v1").update(name.as_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

/// A sample: what its family has, and something of its own.
fn sample(family: &str, member: usize) -> Vec<u8> {
    let mut bytes = noise(&format!("family {family}"), 3000);
    bytes.extend(noise(&format!("member {family} {member}"), 500));
    bytes
}

/// The settings of a quarantine that submits by itself to a centre on this port.
fn config(port: u16) -> String {
    format!(
        "[sample_policy]\nautomatic = true\nqueue_check_interval_s = 1\nstatus_query_interval_s = 1\n\
         strip_user_data = false\n\
         [web_communication]\ngateway = '127.0.0.1:{port}'\nsecure_submission = false\nsecure_download = false\n\
         [customer]\naccount = '4711'\n"
    )
}

/// What the centre has written down, and its newest set.
struct Centre {
    book: Connection,
    newest: Package,
}

impl Centre {
    fn read(home: &Home) -> Self {
        let book = home.path("centre/book.sqlite");
        let book = Connection::open_with_flags(book, OpenFlags::SQLITE_OPEN_READ_WRITE).expect("the book opens");
        let sequence: i64 =
            book.query_row("SELECT max(sequence) FROM definitions", [], |row| row.get(0)).expect("there is a set");
        let bytes = std::fs::read(home.path(&format!("centre/definitions/{sequence}.lzd"))).expect("the set is there");
        let trusted = TrustedKeys::read(&[home.path("centre/centre.key.pub")]).expect("its key");
        Self { book, newest: Package::open(&bytes, &trusted, Limits::default()).expect("the set opens") }
    }

    /// Every submission: its key and the sample.
    fn submitted(&self) -> BTreeSet<(String, String)> {
        let mut rows = self.book.prepare("SELECT key, lower(hex(blake3)) FROM submission").expect("the book reads");
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("the book reads");
        rows.map(|row| row.expect("a row")).collect()
    }

    /// Lines of the newest set.
    fn lines(&self) -> Vec<String> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
        let files = self.newest.files.iter().map(|(_, bytes)| text(bytes));
        files.flat_map(|file| file.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
    }
}

#[test]
fn the_loop_killed_on_either_side_ends_as_if_nothing_had_happened() {
    let cycles = std::env::var("LAZARET_CYCLES").ok().and_then(|text| text.parse().ok()).unwrap_or(CYCLES);
    let home = Home::new();
    let port = free_port();
    let config = config(port);
    let mut centre = home.centre(port);
    let key = std::fs::read(home.path("centre/centre.key.pub")).expect("the centre's key");
    home.write("data/keys/centre.pub", key);
    let mut server = home.serve(&config);
    for cycle in 0..cycles {
        let folder = format!("cycle-{cycle}");
        for family in (0..FAMILIES).map(|family| format!("{cycle}-{family}")) {
            for member in 0..MEMBERS {
                home.write(&format!("{folder}/{family}-{member}.bin"), sample(&family, member));
            }
        }
        let put = ["--server", &server.url, "put", "--recursive", "--client", "desk", &folder];
        home.run(put).exits(0);
        // From at once to about when the answers come: a point of its own in each cycle.
        std::thread::sleep(Duration::from_millis(cycle as u64 * 370 % 2300));
        match cycle % 3 {
            0 => {
                server.kill();
                server = home.serve(&config);
            }
            1 => {
                centre.kill();
                centre = home.centre(port);
            }
            _ => {
                centre.kill();
                server.kill();
                server = home.serve(&config);
                centre = home.centre(port);
            }
        }
    }
    let samples = cycles * FAMILIES * MEMBERS;
    let accepted = ended(&home, &server, samples);
    let read = Centre::read(&home);
    let submitted = read.submitted();
    let contents: BTreeSet<_> = submitted.iter().map(|(_, blake3)| blake3).collect();
    assert_eq!(contents.len(), submitted.len(), "each sample was submitted under one key");
    assert!(submitted.len() <= samples && submitted.len() >= accepted.len(), "{} came", submitted.len());
    for one in &accepted {
        assert!(submitted.contains(one), "{one:?} was accepted, and the centre has it under this key");
    }
    let lines = read.lines();
    assert_eq!(lines.iter().collect::<BTreeSet<_>>().len(), lines.len(), "no line comes twice: {lines:?}");
    centre.kill();
    assert!(server.stop().success());
    let data = home.path("data").to_string_lossy().into_owned();
    let report = home.run(["verify", "--json", "--data", &data]).exits(0).value();
    assert_eq!((report["samples"].as_u64(), report["items"].as_u64()), (Some(samples as u64), Some(samples as u64)));
}

/// Every item has the definitions that it needs. Gives the submissions that items say were accepted: none for an item
/// whose family was found by a set that came before its turn.
fn ended(home: &Home, server: &Server, count: usize) -> BTreeSet<(String, String)> {
    let listed = home.run(["--server", &server.url, "--json", "items", "list", "--limit", "1000"]).exits(0).lines();
    assert_eq!(listed.len(), count);
    let mut accepted = BTreeSet::new();
    for item in listed {
        let item = item_when(home, server, &item["id"].to_string(), "Available");
        let names = item["verdict"]["signatures"].as_array().expect("names");
        assert!(!names.is_empty(), "{item}");
        let actions = item["actions"].as_array().expect("actions");
        let keys: Vec<&str> = actions
            .iter()
            .filter_map(|one| one["what"].as_str()?.strip_prefix("gateway accepted (submission ")?.strip_suffix(')'))
            .collect();
        assert!(keys.len() <= 1, "{item}");
        let blake3 = item["sample"]["blake3"].as_str().expect("a digest");
        accepted.extend(keys.iter().map(|key| ((*key).to_owned(), blake3.to_owned())));
    }
    assert!(accepted.len() * 2 > count, "{} of {count} samples went out", accepted.len());
    accepted
}
