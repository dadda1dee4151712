//! Which samples go out, in which order, and how often: once.

use crate::estate::estate;
use crate::scripted::{Gateway, Turn, digest};
use crate::wire::Reply;
use gateway::reply::Said;
use serde_json::json;

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
fn the_highest_priority_goes_first() {
    let gateway = Gateway::start();
    let server = estate("", |_| {});
    let put = |name: &str, priority: u32| {
        let sample = format!("a sample of {name} at {priority}");
        let client = format!("client of {name}");
        let id = server.put(sample.as_bytes(), &[("X-Client", &client)]).json()["id"].as_u64().expect("an id");
        server.item_when(id, "Submitted");
        assert_eq!(server.act(id, "priority", &json!({"submission": priority}))["done"], true);
        id
    };
    // Lowest first, so that the order of arrival would be the wrong one. Four are under way at once.
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
