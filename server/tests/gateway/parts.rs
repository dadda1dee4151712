//! Samples in parts: connections that break, and replies that are lost.

use crate::estate::{errors, estate, set};
use crate::scripted::{Gateway, Turn, reworded};
use crate::support::sets::key;
use gateway::reply::{Receipt, Taken};
use serde_json::json;

const MIB: usize = 1 << 20;

/// Bytes that do not compress and are the same each time.
fn noise(bytes: usize) -> Vec<u8> {
    let mut noise = vec![0; bytes];
    blake3::Hasher::new().finalize_xof().fill(&mut noise);
    noise
}

/// It says that it has so many bytes, whatever it has.
fn partly(bytes: u64) -> Turn {
    reworded(key(), move |receipt: &mut Receipt| receipt.taken = Taken::Partly { bytes })
}

#[test]
fn a_connection_cut_in_the_middle_costs_only_what_the_gateway_has_not() {
    let sample = noise(10 * MIB);
    let gateway = Gateway::start();
    let mut parts = 0;
    gateway.script(move |request| {
        parts += usize::from(request.method == "PUT");
        // 4 MiB came whole; of the next part one came.
        if request.method == "PUT" && parts == 2 { Turn::CutAfter(MIB) } else { Turn::Good }
    });
    let server = estate(&gateway.name(), |_| {});
    let id = server.store(&sample);
    server.item_when(id, "Released");
    let submissions = gateway.submissions(&sample);
    assert_eq!(submissions.len(), 1, "the next attempt has the same key");
    assert_eq!(gateway.book(|book| book.came), sample.len(), "no byte came twice");
    server.alerted(1, 1);
    server.goes_on(&gateway, id, &sample);
}

#[test]
fn a_gateway_that_lost_what_it_had_is_given_it_again() {
    let sample = noise(5 * MIB);
    let gateway = Gateway::start();
    let (mut begun, mut cut) = (0, false);
    gateway.script(move |request| {
        begun += usize::from(request.method == "POST" && request.is_about("submissions"));
        let is_second = request.method == "PUT" && request.header("x-sent-offset") != Some("0");
        match (request.method.as_str(), begun) {
            ("PUT", _) if is_second && !std::mem::replace(&mut cut, true) => Turn::CutAfter(0),
            ("POST", 2) if request.is_about("submissions") => partly(MIB as u64),
            _ => Turn::Good,
        }
    });
    let server = estate(&gateway.name(), |_| {});
    let id = server.store(&sample);
    server.item_when(id, "Released");
    assert_eq!(gateway.submissions(&sample).len(), 1);
    assert_eq!(gateway.book(|book| book.came), 8 * MIB, "four, then four from the first on");
    server.goes_on(&gateway, id, &sample);
}

#[test]
fn a_gateway_that_forgets_what_it_is_sent_is_not_sent_it_for_ever() {
    let sample = noise(MIB);
    let gateway = Gateway::start();
    gateway.script(|request| match request.method.as_str() {
        "PUT" => partly(0),
        _ => Turn::Good,
    });
    let server = estate(&gateway.name(), |_| {});
    let id = server.store(&sample);
    server.is_troubled(id, "after it had more");
    // Its book has all of it all the time.
    server.goes_on(&gateway, id, &sample);
}

#[test]
fn a_lost_reply_makes_no_second_submission() {
    let sample = b"taken, and nobody hears of it";
    let gateway = Gateway::start();
    let mut lost = false;
    gateway.script(move |request| {
        if request.method == "PUT" && !std::mem::replace(&mut lost, true) { Turn::Lost } else { Turn::Good }
    });
    let server = estate(&gateway.name(), |_| {});
    let id = server.store(sample);
    server.item_when(id, "Released");
    let submissions = gateway.submissions(sample);
    assert_eq!(submissions.len(), 1, "the retry has the same key and digest");
    assert_eq!(gateway.book(|book| book.came), sample.len(), "what had come was not sent again");
    server.goes_on(&gateway, id, sample);
}

#[test]
fn a_server_that_stops_in_the_middle_goes_on_with_the_same_key() {
    let sample = noise(5 * MIB);
    let gateway = Gateway::start();
    gateway.script(|request| {
        let is_second = request.method == "PUT" && request.header("x-sent-offset") != Some("0");
        if is_second { Turn::CutAfter(0) } else { Turn::Good }
    });
    let mut server = estate(&gateway.name(), |_| {});
    let id = server.store(&sample);
    server.is_troubled(id, "cannot be reached");
    server.daemon.take().expect("it runs").stop().expect("the daemon stops");
    gateway.behaves();
    let data = server.data.path().join("data");
    let again = crate::support::start(|options| {
        options.data = data;
        options.cage_program = Some(env!("CARGO_BIN_EXE_lazaret").into());
        for (name, text) in [
            ("web_communication.gateway", gateway.name().as_str()),
            ("web_communication.secure_submission", "false"),
            ("web_communication.secure_download", "false"),
            ("sample_policy.strip_user_data", "false"),
            ("sample_policy.queue_check_interval_s", "100 ms"),
            ("sample_policy.status_query_interval_s", "100 ms"),
        ] {
            set(options, name, text);
        }
    });
    again.goes_on(&gateway, id, &sample);
    assert_eq!(gateway.submissions(&sample).len(), 1);
    assert_eq!(gateway.book(|book| book.came), sample.len(), "no byte came twice");
}

#[test]
fn only_the_part_that_can_be_infected_leaves_however_long_the_rest_is() {
    // The script stands far behind what is read at a time.
    let secret = "a letter to somebody ".repeat(300_000);
    let page = format!("<html><body><p>{secret}</p><script>bite()</script></body></html>").into_bytes();
    let gateway = Gateway::start();
    let server = estate(&gateway.name(), |options| {
        set(options, "sample_policy.strip_user_data", "true");
    });
    let id = server.store(&page);
    server.item_when(id, "Released");
    let submissions = gateway.submissions(&page);
    let sent = String::from_utf8_lossy(&submissions[0].held).into_owned();
    assert!(sent.contains("bite()") && !sent.contains("letter"), "{} bytes", sent.len());
    assert_eq!(server.get(&format!("/v1/items/{id}/sample")).body, page, "the whole stays here");
}

#[test]
fn what_cannot_be_stripped_is_held_and_not_sent() {
    let text = b"a plain text that nothing in it says can be infected";
    let gateway = Gateway::start();
    let server = estate(&gateway.name(), |options| set(options, "sample_policy.strip_user_data", "true"));
    let id = server.store(text);
    let item = server.item_when(id, "Held");
    assert!(errors(&item).iter().any(|line| line.contains("cannot be stripped")), "{item}");
    assert_eq!(gateway.asked("POST", "submissions"), 0);
    assert_eq!(server.act_on(id, "submit", &json!({"strip": false}))["done"], true);
    server.goes_on(&gateway, id, text);
}
