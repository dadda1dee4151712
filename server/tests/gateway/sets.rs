//! Definitions from the gateway: none that is not what it should be replaces those in use, and a good one later does.

use crate::estate::{estate, set};
use crate::scripted::{Gateway, Turn};
use crate::support::Server;
use crate::support::sets::{finds, key, package};
use crate::wire::Reply;
use defcast::keys::SigningKey;
use defcast::package::{Draft, build};
use server::daemon::ServeOptions;
use std::path::PathBuf;

fn wolf(sequence: u64) -> Vec<u8> {
    package(sequence, &[("main.ndb", &finds("Test.Wolf", "with a wolf"))])
}

/// Looks for certified definitions all the time.
fn asking(gateway: &Gateway, change: impl FnOnce(&mut ServeOptions)) -> Server {
    estate(&gateway.name(), |options| {
        set(options, "definition_policy.certified_interval_min", "100 ms");
        change(options);
    })
}

fn active(server: &Server) -> serde_json::Value {
    server.get("/v1/status").json()["definitions"]["active"].clone()
}

/// What has come of sets that are not whole yet.
fn coming(server: &Server) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(server.data.path().join("data/definitions")).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("coming-"))).collect()
}

/// What the gateway has as set 5 is not used and is told of; set 6 is good.
fn is_not_used(gateway: &Gateway, server: &Server, says: &str) {
    server.alert_says(2, says);
    assert_eq!(active(server), 1, "what was in use stays");
    let known = server.store(b"a text with a wolf");
    server.item_when(known, "Released");
    gateway.behaves();
    gateway.offers(6, wolf(6));
    server.item_when(known, "Available");
    assert_eq!(active(server), 6);
    server.eventually("a gateway that is up", || (server.gateway()["state"] == "up").then_some(()));
    assert_eq!(coming(server), Vec::<PathBuf>::new());
}

#[test]
fn a_set_signed_by_a_stranger_is_not_used() {
    let gateway = Gateway::start();
    let draft = Draft {
        sequence: 5,
        certified: true,
        created_at: "2026-01-02T03:04:05Z".to_owned(),
        comment: String::new(),
        files: vec![("main.ndb".to_owned(), finds("Test.Wolf", "with a wolf").into_bytes())],
    };
    let forged = build(&draft, &SigningKey::from_seed([66; 32], "stranger")).expect("a package");
    gateway.offers(5, forged);
    let server = asking(&gateway, |_| {});
    is_not_used(&gateway, &server, "definitions 5 from the gateway are not used");
}

#[test]
fn a_truncated_set_is_not_used() {
    let gateway = Gateway::start();
    let mut cut = wolf(5);
    cut.truncate(cut.len() - 10);
    gateway.offers(5, cut);
    let server = asking(&gateway, |_| {});
    is_not_used(&gateway, &server, "definitions 5 from the gateway are not used");
}

#[test]
fn an_endless_set_is_left_at_its_bound_and_not_fetched_over_and_over() {
    let gateway = Gateway::start();
    gateway.script(|request| if request.last() == "5" { Turn::Endless } else { Turn::Good });
    gateway.offers(5, Vec::new());
    let server = asking(&gateway, |options| {
        options.limits.package_bytes_max = 1 << 20;
    });
    server.alert_says(2, "longer than 1048576 bytes");
    let asked = gateway.asked("GET", "definitions");
    server.eventually("more looks", || (gateway.asked("GET", "definitions") > asked + 3).then_some(()));
    assert_eq!(gateway.asked("GET", "definitions/5"), 1);
    gateway.offers(6, wolf(6));
    server.eventually("the good set", || (active(&server) == 6).then_some(()));
    assert_eq!(coming(&server), Vec::<PathBuf>::new());
}

#[test]
fn a_set_of_a_higher_number_than_was_asked_for_is_not_used() {
    let gateway = Gateway::start();
    gateway.offers(5, wolf(9));
    let server = asking(&gateway, |_| {});
    is_not_used(&gateway, &server, "definitions 5 from the gateway are not used");
}

#[test]
fn a_set_of_an_old_number_is_not_used() {
    let gateway = Gateway::start();
    gateway.offers(5, wolf(1));
    let server = asking(&gateway, |_| {});
    is_not_used(&gateway, &server, "definitions 5 from the gateway are not used");
}

#[test]
fn a_set_that_is_told_of_and_not_there_is_an_error_and_not_the_end() {
    let gateway = Gateway::start();
    gateway.book(|book| (book.certified, book.newest) = (5, 5));
    let server = asking(&gateway, |_| {});
    is_not_used(&gateway, &server, "has no definitions 5 for us");
}

#[test]
fn a_download_goes_on_where_it_was_cut() {
    // Large enough to come in more than one piece.
    let lines: String = (0..2000).map(|line| finds(&format!("Test.{line}"), &noise(line))).collect();
    let whole = package(5, &[("main.ndb", &lines)]);
    let gateway = Gateway::start();
    gateway.offers(5, whole.clone());
    let mut cut = false;
    gateway.script(move |request| {
        if request.last() == "5" && !std::mem::replace(&mut cut, true) { Turn::Torn(20_000) } else { Turn::Good }
    });
    let server = asking(&gateway, |_| {});
    server.eventually("the set", || (active(&server) == 5).then_some(()));
    let ranges: Vec<_> = gateway.book(|book| {
        let fetches = book.seen.iter().filter(|request| request.last() == "5");
        fetches.map(|request| request.header("range").map(str::to_owned)).collect()
    });
    assert_eq!(ranges, [None, Some("bytes=20000-".to_owned())], "of {} bytes", whole.len());
    server.alerted(1, 1);
    assert_eq!(server.alerts(2), 0, "nothing was wrong with the set");
    assert_eq!(coming(&server), Vec::<PathBuf>::new());
}

#[test]
fn a_part_that_begins_elsewhere_is_not_put_behind_what_is_here() {
    let lines: String = (0..2000).map(|line| finds(&format!("Test.{line}"), &noise(line))).collect();
    let gateway = Gateway::start();
    let whole = package(5, &[("main.ndb", &lines)]);
    let rest = whole[7..].to_vec();
    gateway.offers(5, whole);
    let mut fetches = 0;
    gateway.script(move |request| {
        fetches += usize::from(request.last() == "5");
        match (request.last(), fetches) {
            ("5", 1) => Turn::Torn(20_000),
            ("5", 2) => {
                let range = format!("bytes 7-{}/{}", rest.len() + 6, rest.len() + 7);
                Turn::Instead(Reply::new(206, rest.clone()).with("content-range", range))
            }
            _ => Turn::Good,
        }
    });
    let server = asking(&gateway, |_| {});
    server.eventually("the set", || (active(&server) == 5).then_some(()));
    assert_eq!(server.alerts(2), 0, "nothing was wrong with the set");
}

#[test]
fn parts_of_two_packages_are_thrown_away_and_fetched_anew() {
    let lines = |first: usize| -> String {
        (first..first + 2000).map(|line| finds(&format!("Test.{line}"), &noise(line))).collect()
    };
    let gateway = Gateway::start();
    gateway.offers(5, package(5, &[("main.ndb", &lines(0))]));
    let other = package(5, &[("main.ndb", &lines(9000))]);
    let mut fetches = 0;
    gateway.script(move |request| {
        fetches += usize::from(request.last() == "5");
        match (request.last(), fetches) {
            ("5", 1) => Turn::Torn(20_000),
            // It has put another in its place.
            ("5", 2) => Turn::Instead(Reply::new(206, &other[20_000..]).with("content-range", "bytes 20000-/*")),
            _ => Turn::Good,
        }
    });
    let server = asking(&gateway, |_| {});
    server.eventually("the set", || (active(&server) == 5).then_some(()));
    assert_eq!((gateway.asked("GET", "definitions/5"), server.alerts(2)), (3, 0), "nothing was wrong with the set");
}

/// Letters that do not compress well.
fn noise(line: usize) -> String {
    blake3::hash(&line.to_le_bytes()).to_hex().to_string()
}

#[test]
fn a_key_that_is_taken_away_is_believed_no_more() {
    let gateway = Gateway::start();
    let server = asking(&gateway, |_| {});
    server.eventually("an answer", || (server.gateway()["state"] == "up").then_some(()));
    std::fs::remove_file(server.data.path().join("data/keys/test.pub")).expect("removed");
    gateway.offers(5, wolf(5));
    server.trouble("signature does not hold");
    assert_eq!(active(&server), 1);
    key().write(&server.data.path().join("data/keys/again")).expect("written");
    server.eventually("the set", || (active(&server) == 5).then_some(()));
}
