//! Which samples go out, in which order, and how often: once.

use crate::estate::{errors, estate};
use crate::scripted::{Gateway, Turn, digest};
use crate::wire::Reply;
use gateway::reply::Said;
use serde_json::json;
use std::path::{Path, PathBuf};

#[test]
fn items_of_one_sample_are_one_submission_and_all_are_answered() {
    let sample = b"found on two computers";
    let gateway = Gateway::start();
    let server = estate("", |_| {});
    let one = server.store(sample);
    let two = server.put(sample, &[("X-Client", "another")]).json()["id"].as_u64().expect("an id");
    server.item_when(one, "Submitted");
    server.item_when(two, "Submitted");
    server.change(&json!({"web_communication.gateway": gateway.name()}));
    server.item_when(one, "Released");
    server.item_when(two, "Released");
    let third = server.put(sample, &[("X-Client", "a third")]).json()["id"].as_u64().expect("an id");
    server.item_when(third, "Released");
    assert_eq!(gateway.submissions(sample).len(), 1);
    assert_eq!(gateway.book(|book| book.came), sample.len(), "bytes leave the house once");
    gateway.says(sample, Said::NotInfected, "");
    for id in [one, two, third] {
        server.item_when(id, "Unneeded");
    }
    assert_eq!(gateway.submissions(sample).len(), 1);
}

#[test]
fn what_is_deleted_takes_its_trouble_along() {
    let gateway = Gateway::start();
    gateway.script(
        |request| {
            if request.is_about("submissions") { Turn::Instead(Reply::new(403, "no")) } else { Turn::Good }
        },
    );
    let server = estate(&gateway.name(), |_| {});
    let id = server.store(b"a sample that a filter keeps in the house");
    server.is_troubled(id, "answered 403");
    assert_eq!(server.act_on(id, "delete", &json!({}))["done"], true);
    server.eventually("a gateway that is up", || (server.gateway()["state"] == "up").then_some(()));
}

#[test]
fn a_sample_that_cannot_be_read_any_more_is_an_error_and_keeps_no_other_back() {
    let gateway = Gateway::start();
    let mut damaged = None;
    let server = estate("", |options| {
        options.store.large_bytes_min = 1 << 20;
        options.store.scrub = false;
        damaged = Some(options.data.clone());
    });
    let large = vec![b'x'; 3 << 20].iter().enumerate().map(|(at, byte)| byte ^ (at % 251) as u8).collect::<Vec<_>>();
    let broken = server.store(&large);
    let small: &[u8] = b"a sample that comes behind it";
    let whole = server.store(small);
    server.item_when(broken, "Submitted");
    server.item_when(whole, "Submitted");
    for file in large_files(&damaged.expect("a folder")) {
        let mut bytes = std::fs::read(&file).expect("it is there");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&file, bytes).expect("written");
    }
    server.change(&json!({"web_communication.gateway": gateway.name()}));
    let item = server.item_when(broken, "Error");
    assert!(errors(&item).iter().any(|line| line.contains("cannot be submitted")), "{item}");
    server.goes_on(&gateway, whole, small);
}

/// Files of samples that have one of their own.
fn large_files(folder: &Path) -> Vec<PathBuf> {
    let (mut open, mut found) = (vec![folder.to_owned()], Vec::new());
    while let Some(path) = open.pop() {
        for entry in std::fs::read_dir(path).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "large") {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "a sample has a file of its own");
    found
}

#[test]
fn the_highest_priority_goes_first() {
    let gateway = Gateway::start();
    let server = estate("", |_| {});
    let put = |name: &str, priority: u32| {
        let sample = format!("a sample of {name} at {priority}");
        let client = format!("client of {name}");
        let id = server.put(sample.as_bytes(), &[("X-Client", &client)]).json()["id"].as_u64().expect("an id");
        server.item_when(id, "Submitted");
        assert_eq!(server.act_on(id, "priority", &json!({"submission": priority}))["done"], true);
        id
    };
    // Lowest first, so that the order of arrival would be the wrong one.
    let ids: Vec<u64> =
        [1, 3, 5].into_iter().flat_map(|priority| ["a", "b", "c", "d"].map(|name| put(name, priority))).collect();
    server.change(&json!({"web_communication.gateway": gateway.name()}));
    for id in ids {
        server.item_when(id, "Released");
    }
    let order: Vec<u32> = gateway.book(|book| book.submissions.iter().map(|one| one.priority).collect());
    assert_eq!(order, [5, 5, 5, 5, 3, 3, 3, 3, 1, 1, 1, 1]);
}

#[test]
fn a_sample_that_never_gets_through_keeps_no_other_from_it() {
    let sample = |number: u32| format!("a sample with the number {number}").into_bytes();
    // More than are under way at once, and all before the others.
    let blocked: Vec<_> = (0..6).map(sample).collect();
    let gateway = Gateway::start();
    let digests: Vec<String> = blocked.iter().map(|sample| digest(sample).to_string()).collect();
    gateway.script(move |request| {
        let is_blocked =
            request.header("x-sample-blake3").is_some_and(|digest| digests.iter().any(|one| one == digest));
        if is_blocked { Turn::Instead(Reply::new(403, "a filter keeps this in the house")) } else { Turn::Good }
    });
    let server = estate("", |_| {});
    let kept: Vec<u64> = blocked.iter().map(|sample| server.store(sample)).collect();
    let others: Vec<_> = (10..16).map(|number| (server.store(&sample(number)), sample(number))).collect();
    for id in kept.iter().chain(others.iter().map(|(id, _)| id)) {
        server.item_when(*id, "Submitted");
    }
    server.change(&json!({"web_communication.gateway": gateway.name()}));
    for (id, sample) in &others {
        gateway.says(sample, Said::NotInfected, "");
        server.item_when(*id, "Unneeded");
    }
    for id in &kept {
        assert_eq!(server.item(*id)["status"], "Submitted");
    }
    assert_eq!(server.gateway()["state"], "down", "and somebody is told");
    for (id, sample) in kept.iter().zip(&blocked) {
        server.goes_on(&gateway, *id, sample);
    }
}
