//! Definitions come in, samples are scanned, statuses follow; then definitions change.

mod support;

use serde_json::{Value, json};
use server::daemon::{Daemon, ListenOptions, ServeOptions};
use std::sync::atomic::{AtomicBool, Ordering};
use support::sets::{finds, key, package, prepare, scanning};

fn actions(item: &Value) -> Vec<String> {
    let actions = item["actions"].as_array().expect("actions");
    actions.iter().map(|action| action["what"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn samples_wait_for_definitions_and_are_then_known_or_held() {
    let server = scanning(|_| {});
    let (bad, clean) = (server.store(b"some text with a wolf in it"), server.store(b"some text without one"));
    assert_eq!(server.get("/v1/status").json()["definitions"], json!({"state": "none", "active": null}));
    assert_eq!(server.item(bad)["status"], "Quarantined");
    server.install_ndb(3, &finds("Test.Wolf", "with a wolf"));
    let item = server.item_when(bad, "Available");
    assert_eq!(item["verdict"], json!({"signatures": ["Test.Wolf"], "sequence": 3}));
    assert_eq!(item["attributes"]["X-Signatures-Sequence"], 3);
    let did = actions(&item);
    assert_eq!(did[1], "scanned, detected with definitions 3: Test.Wolf");
    assert_eq!(did.len(), 3, "received, Needed, Available: {did:?}");
    let item = server.item_when(clean, "Held");
    assert_eq!(item["verdict"], json!({"signatures": [], "sequence": 3}));
    let status = server.get("/v1/status").json();
    assert_eq!((&status["definitions"]["active"], &status["scanner"]["state"]), (&json!(3), &json!("running")));
    assert_eq!(server.figure("lazaret_definitions_sequence"), 3.0);
    assert_eq!(server.get("/v1/items/count?signature=Test.Wolf").json()["count"], 1);
}

#[test]
fn a_client_that_has_the_set_needs_nothing() {
    let server = scanning(|_| {});
    server.install_ndb(5, &finds("Test.Wolf", "with a wolf"));
    let put = |client: &str, sequence: &str| {
        let headers = [("X-Client", client), ("X-Definitions-Sequence", sequence)];
        server.put(b"a text with a wolf", &headers).json()["id"].as_u64().expect("an id")
    };
    let (behind, not_behind) = (put("one", "4"), put("other", "5"));
    server.item_when(behind, "Available");
    server.item_when(not_behind, "Unneeded");
}

#[test]
fn a_sample_is_scanned_once_however_many_items_share_it() {
    let server = scanning(|_| {});
    server.install_ndb(1, &finds("Test.Wolf", "with a wolf"));
    let first = server.store(b"text with a wolf, many times");
    server.item_when(first, "Available");
    let items: Vec<u64> = (0..20).map(|_| server.store(b"text with a wolf, many times")).collect();
    for item in items {
        assert_eq!(server.item_when(item, "Available")["verdict"]["signatures"], json!(["Test.Wolf"]));
    }
    assert_eq!(server.figure("lazaret_scan_samples_total"), 1.0);
}

#[test]
fn what_new_definitions_find_moves_on_and_what_they_withdraw_comes_back() {
    let server = scanning(|_| {});
    let (wolf, sheep) = (finds("Test.Wolf", "with a wolf"), finds("Test.Sheep", "with a sheep"));
    server.install_ndb(1, &wolf);
    let (one, two) = (server.store(b"a text with a wolf"), server.store(b"a text with a sheep"));
    server.item_when(one, "Available");
    server.item_when(two, "Held");

    server.install_ndb(2, &format!("{wolf}{sheep}"));
    let item = server.item_when(two, "Available");
    assert!(
        actions(&item).contains(&"newly detected by a re-test with definitions 2: Test.Sheep".to_owned()),
        "{item}"
    );
    let retest = server.retested(2);
    assert_eq!((&retest["newly_detected"], &retest["no_longer_detected"]), (&json!(1), &json!(0)));
    assert_eq!(server.item(one)["status"], "Available", "what was known stays as it was");

    server.install_ndb(3, &sheep);
    let item = server.item_when(one, "Held");
    let did = actions(&item);
    assert!(did.iter().any(|what| what.starts_with("its only detecting signature was withdrawn")), "{did:?}");
    assert_eq!(item["verdict"], json!({"signatures": [], "sequence": 3}));
    assert_eq!(server.retested(3)["no_longer_detected"], 1);
    assert_eq!(server.item(two)["status"], "Available");
}

#[test]
fn an_allowance_keeps_a_match_from_counting_until_it_goes() {
    let server = scanning(|_| {});
    let body = b"a text with a wolf";
    let wolf = finds("Test.Wolf", "with a wolf");
    let digest: String = sha256(body);
    let allow = format!("{digest}:{}:Allow.Wolf\n", body.len());
    let install = |sequence, files: &[(&str, &str)]| {
        let answer = server.install(&package(sequence, files));
        assert_eq!(answer.status, 201, "{answer:?}");
    };
    install(1, &[("a.ndb", &wolf), ("a.sfp", &allow)]);
    let id = server.store(body);
    assert_eq!(server.item_when(id, "Held")["verdict"]["signatures"], json!([]));
    install(2, &[("a.ndb", &wolf)]);
    assert_eq!(server.item_when(id, "Available")["verdict"]["signatures"], json!(["Test.Wolf"]));
    install(3, &[("a.ndb", &wolf), ("a.sfp", &allow)]);
    server.item_when(id, "Held");
}

fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string grows");
        text
    })
}

#[test]
fn a_package_that_is_wrong_in_any_way_changes_nothing_and_says_why() {
    let server = scanning(|_| {});
    server.install_ndb(5, &finds("Test.Wolf", "with a wolf"));
    let refused = |package: &[u8], status: u16, kind: &str, word: &str| {
        let answer = server.install(package);
        let told = answer.json()["detail"].as_str().unwrap_or_default().to_owned();
        assert_eq!((answer.status, answer.problem().as_str()), (status, kind), "{told}");
        assert!(told.contains(word), "{told}");
        assert_eq!(server.get("/v1/status").json()["definitions"]["active"], 5);
        assert_eq!(server.get("/v1/definitions").json()["definitions"].as_array().map(Vec::len), Some(1));
    };
    let good = package(6, &[("main.ndb", &finds("Test.Wolf", "with a wolf"))]);
    refused(b"", 422, "definitions-unusable", "no package");
    refused(b"rubbish", 422, "definitions-unusable", "no package");
    refused(&good[..good.len() - 1], 422, "definitions-unusable", "cut off");
    let mut flipped = good.clone();
    *flipped.last_mut().expect("bytes") ^= 1;
    refused(&flipped, 422, "definitions-unusable", "digest");
    let forged = {
        let draft = defcast::package::Draft {
            sequence: 9,
            created_at: "2026-01-02T03:04:05Z".to_owned(),
            files: vec![("a.ndb".to_owned(), finds("A", "abcdefgh").into_bytes())],
            ..defcast::package::Draft::default()
        };
        defcast::package::build(&draft, &defcast::keys::SigningKey::from_seed([9; 32], "")).expect("a package")
    };
    refused(&forged, 422, "definitions-unusable", "no such key is trusted");
    for sequence in [4, 5] {
        let old = package(sequence, &[("main.ndb", &finds("A", "abcdefgh"))]);
        refused(&old, 409, "not-newer", "not newer than 5");
    }
    refused(&package(6, &[("main.ndb", "rubbish\n")]), 422, "definitions-unusable", "no usable signature");
    refused(&package(6, &[("main.txt", "rubbish\n")]), 422, "definitions-unusable", "no usable signature");
    assert_eq!(server.install(&good).status, 201, "and the number is not used up");
}

#[test]
fn sets_are_listed_shown_compared_and_fetched() {
    let server = scanning(|_| {});
    let (wolf, sheep) = (finds("Test.Wolf", "with a wolf"), finds("Test.Sheep", "with a sheep"));
    server.install_ndb(1, &wolf);
    server.install_ndb(2, &format!("{sheep}{}:0:*:zz\n", "Broken"));
    let list = server.get("/v1/definitions").json();
    assert_eq!((&list["active"], &list["definitions"][0]["sequence"]), (&json!(2), &json!(2)));
    assert_eq!(list["definitions"][1]["files"][0]["name"], "main.ndb");
    let shown = server.get("/v1/definitions/2").json();
    assert_eq!(
        (&shown["active"], &shown["signatures"], &shown["complaint_count"]),
        (&json!(true), &json!(1), &json!(1))
    );
    let diff = server.get("/v1/definitions/1/diff/2").json();
    assert_eq!((&diff["added"], &diff["removed"]), (&json!(["Test.Sheep"]), &json!(["Test.Wolf"])));
    let fetched = server.get("/v1/definitions/1/package").body;
    let trusted = defcast::keys::TrustedKeys::new(vec![key().public()]);
    let opened =
        defcast::package::Package::open(&fetched, &trusted, defcast::package::Limits::default()).expect("opens");
    assert_eq!(opened.manifest.sequence, 1);
    assert_eq!(server.get("/v1/definitions/9").status, 404);
    assert_eq!(server.get("/v1/definitions/x").status, 400);
    assert_eq!(server.get("/v1/definitions/9/package").status, 404);
    let file =
        std::fs::read(server.data.path().join("data/definitions/2/files/main.ndb")).expect("a file by its number");
    assert!(file.starts_with(b"Test.Sheep"));
}

#[test]
fn a_sample_is_repaired_by_its_recipe_and_only_a_clean_result_is_given() {
    let server = scanning(|_| {});
    let wolf = finds("Test.Wolf", "WOLF-BODY");
    let (bear, sheep) = (finds("Test.Bear", "BEAR-BODY"), finds("Test.Sheep", "SHEEP-BODY"));
    let ndb = format!("{wolf}{bear}{sheep}");
    let repairs = "Test.Wolf;truncate match\nTest.Bear;write start 00\n";
    let answer = server.install(&package(1, &[("a.ndb", &ndb), ("a.repair", repairs)]));
    assert_eq!((answer.status, answer.json()["complaints"].clone()), (201, json!(0)), "{answer:?}");
    let repaired = |id: u64| server.get(&format!("/v1/items/{id}/repaired"));

    let appended = server.store(b"the clean original, then WOLF-BODY and more");
    server.item_when(appended, "Available");
    let answer = repaired(appended);
    assert_eq!((answer.status, answer.body.as_slice()), (200, &b"the clean original, then "[..]));
    assert_eq!(answer.header("x-blake3"), Some(blake3::hash(&answer.body).to_hex().as_str()));
    let did = actions(&server.item(appended));
    assert_eq!(did.last().map(String::as_str), Some("repaired with definitions 1: Test.Wolf, 25 bytes"));

    for (body, why) in [
        (&b"a text with nothing in it"[..], "no repair is necessary"),
        (b"a SHEEP-BODY has no recipe", "no repair recipe for Test.Sheep"),
        (b"a BEAR-BODY is found after its recipe", "after its repair Test.Bear is still found"),
    ] {
        let id = server.store(body);
        server.eventually("a verdict", || (server.item(id)["status"] != "Quarantined").then_some(()));
        let answer = repaired(id);
        assert_eq!((answer.status, answer.problem().as_str()), (409, "not-repaired"));
        assert!(answer.json()["detail"].as_str().is_some_and(|detail| detail.contains(why)), "{answer:?}");
        let errors = server.item(id)["errors"].to_string();
        assert!(errors.contains("was not repaired") && errors.contains(why), "{errors}");
    }
    let act = json!({"action": "repair", "ids": [appended, 777_777]}).to_string();
    let answer = server.request("POST", "/v1/items/actions", &[], act.as_bytes()).json();
    assert_eq!((&answer["done"], &answer["refused"]), (&json!(1), &json!(1)));
}

#[test]
fn a_package_is_tested_against_what_is_stored_and_nothing_changes() {
    let server = scanning(|_| {});
    server.install_ndb(1, &finds("Test.Wolf", "with a wolf"));
    let (one, two) = (server.store(b"a text with a wolf"), server.store(b"a text with a sheep"));
    server.item_when(one, "Available");
    server.item_when(two, "Held");
    let test = |package: &[u8]| server.request("POST", "/v1/definitions/test", &[], package);
    let answer = test(&package(2, &[("a.ndb", &finds("Test.Sheep", "with a sheep"))]));
    assert_eq!(answer.status, 200, "{answer:?}");
    let text = String::from_utf8(answer.body).expect("text");
    let last: Value = serde_json::from_str(text.lines().last().expect("a line")).expect("JSON");
    let counts = |name: &str| last[name].as_u64();
    assert_eq!((counts("samples"), counts("detected")), (Some(2), Some(1)));
    assert_eq!((counts("newly_detected"), counts("no_longer_detected")), (Some(1), Some(1)));
    assert_eq!(last["newly"][0]["signatures"], json!(["Test.Sheep"]));
    assert_eq!(last["no_longer"][0]["signatures"], json!(["Test.Wolf"]));
    assert_eq!(test(b"rubbish").status, 422);
    assert_eq!(server.get("/v1/status").json()["definitions"]["active"], 1);
    assert_eq!(server.item(one)["status"], "Available");
}

/// Shelves of a few dozen samples.
fn small_shelves(options: &mut ServeOptions) {
    options.shelves.plain_bytes = 64 << 10;
}

/// Bytes that no other sample has, with a text among them.
fn filled(number: u64, text: &str) -> Vec<u8> {
    let mut bytes = vec![0; 3000];
    blake3::Hasher::new().update(&number.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes.splice(1000..1000, text.bytes());
    bytes
}

fn shelves(server: &support::Server, at_least: u64) {
    server.eventually("shelves", || {
        let told = server.get("/v1/retests").json();
        (told["shelves"].as_u64() >= Some(at_least)).then_some(())
    });
}

/// A full re-test after a delta: what it changes, the delta has missed.
fn full_finds_nothing_more(server: &support::Server) {
    let body = json!({"action": "start", "full": true}).to_string();
    assert_eq!(server.request("POST", "/v1/retests", &[], body.as_bytes()).status, 200);
    let full = server.eventually("a full re-test", || {
        let newest = server.get("/v1/retests").json()["retests"][0].clone();
        (newest["extent"] == "full" && newest["state"] == "done").then_some(newest)
    });
    assert_eq!((&full["newly_detected"], &full["no_longer_detected"]), (&json!(0), &json!(0)), "{full}");
}

#[test]
fn new_definitions_are_asked_of_shelves_and_samples_are_left_alone() {
    let mut server = scanning(small_shelves);
    let wolf = finds("Test.Wolf", "a wolf in the text");
    server.install_ndb(1, &wolf);
    let text = |number: u64| match number % 50 {
        0 => "a wolf in the text",
        1 => "a sheep in the text",
        2 => "a bear in the text",
        _ => "nothing in the text",
    };
    let items: Vec<u64> = (0..200).map(|number| server.store(&filled(number, text(number)))).collect();
    server.item_when(items[199], "Held");
    // All but the last two, which do not fill one.
    shelves(&server, 9);

    // A literal is looked for in the blocks that may hold it.
    server.install_ndb(2, &format!("{wolf}{}", finds("Test.Sheep", "a sheep in the text")));
    let delta = server.retested(2);
    assert_eq!((&delta["newly_detected"], &delta["answered"]), (&json!(4), &json!(200)), "{delta}");
    assert!(delta["scanned"].as_u64() < Some(60), "most samples are not read: {delta}");
    server.item_when(items[1], "Available");
    full_finds_nothing_more(&server);

    // A digest is a join; the shelves' samples are not read at all.
    let body = filled(2, text(2));
    let hdb = format!("{}:{}:Test.Digest\n", sha256(&body), body.len());
    let sheep = finds("Test.Sheep", "a sheep in the text");
    let ndb = format!("{wolf}{sheep}");
    assert_eq!(server.install(&package(3, &[("main.ndb", &ndb), ("a.hsb", &hdb)])).status, 201);
    let delta = server.retested(3);
    assert_eq!((&delta["newly_detected"], &delta["blocks_read"]), (&json!(1), &json!(0)), "{delta}");
    assert_eq!(server.item_when(items[2], "Available")["verdict"]["signatures"], json!(["Test.Digest"]));
    full_finds_nothing_more(&server);

    // A signature that is withdrawn reads nothing; one too short to be asked for reads everything.
    server.install_ndb(4, &wolf);
    let delta = server.retested(4);
    assert_eq!((&delta["no_longer_detected"], &delta["blocks_read"]), (&json!(5), &json!(0)), "{delta}");
    server.item_when(items[1], "Held");
    server.install_ndb(5, &format!("{wolf}{}", finds("Test.Short", "a bear")));
    let delta = server.retested(5);
    assert_eq!((&delta["newly_detected"], &delta["scanned"]), (&json!(4), &json!(200)), "{delta}");
    full_finds_nothing_more(&server);

    // Shelves survive a restart, and a damaged one costs time and nothing else.
    server.daemon.take().expect("it runs").stop().expect("it stops");
    let data = server.data.path().join("data");
    let shelf = data.join("shelves/00000002.shelf");
    let mut bytes = std::fs::read(&shelf).expect("a shelf");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&shelf, bytes).expect("written");
    let daemon = again_with(&data, small_shelves);
    server.http = daemon.http();
    server.daemon = Some(daemon);
    server.install_ndb(6, &format!("{wolf}{sheep}"));
    let delta = server.retested(6);
    assert_eq!((&delta["newly_detected"], &delta["answered"]), (&json!(4), &json!(200)), "{delta}");
    full_finds_nothing_more(&server);
    let quota = server.get("/v1/quota").json();
    assert!(quota["derived_bytes"].as_u64() > Some(0), "{quota}");
}

#[test]
fn samples_that_fill_no_shelf_are_asked_from_small_ones_which_become_one() {
    let mut server = scanning(small_shelves);
    let shelves_told =
        |server: &support::Server| server.get("/v1/retests").json()["shelves"].as_u64().expect("a count");
    let mut ndb = finds("Test.Wolf", "a wolf in the text");
    server.install_ndb(1, &ndb);
    // One shelf, so that its rule is known; what is scanned from then on leaves its facts.
    let mut number = 0;
    let mut store = |server: &support::Server, count: u64, text: &str| {
        let items: Vec<u64> = (0..count).map(|_| (number += 1, server.store(&filled(number, text))).1).collect();
        items.into_iter().for_each(|item| _ = server.item_when(item, "Held"));
    };
    store(&server, 22, "nothing in the text");
    shelves(&server, 1);
    let mut stored = 22;
    for round in 2..=24_u64 {
        let text = blake3::hash(&round.to_le_bytes()).to_string();
        store(&server, 3, &text);
        stored += 3;
        ndb += &finds(&format!("Test.{round}"), &text);
        server.install_ndb(round, &ndb);
        let delta = server.retested(round);
        assert_eq!((&delta["newly_detected"], &delta["answered"]), (&json!(3), &json!(stored)), "{delta}");
        assert!(delta["scanned"].as_u64() < Some(12), "hardly more than what is found is read: {delta}");
        // 23 rounds leave a shelf each; before there are 17 small ones they become one.
        server.eventually("few shelves", || (shelves_told(&server) <= 17).then_some(()));
    }
    full_finds_nothing_more(&server);

    // What the shelves hold survives a restart; facts that were only in memory cost a scan.
    store(&server, 3, "a bear in the text");
    server.daemon.take().expect("it runs").stop().expect("it stops");
    let data = server.data.path().join("data");
    let daemon = again_with(&data, small_shelves);
    server.http = daemon.http();
    server.daemon = Some(daemon);
    ndb += &finds("Test.Bear", "a bear in the text");
    server.install_ndb(25, &ndb);
    let delta = server.retested(25);
    assert_eq!((&delta["newly_detected"], &delta["answered"]), (&json!(3), &json!(stored + 3)), "{delta}");
    full_finds_nothing_more(&server);
}

/// A letter whose attachment says "a sheep in the text" when it is decoded.
const LETTER: &[u8] = b"Received: from one by other\r\nFrom: a@example.org\r\nTo: b@example.org\r\nSubject: one\r\n\
    MIME-Version: 1.0\r\nContent-Type: application/octet-stream; name=\"a.bin\"\r\n\
    Content-Transfer-Encoding: base64\r\n\r\nd2hhdCBhIGxldHRlciBob2xkczogYSBzaGVlcCBpbiB0aGUgdGV4dCBvZiBpdA==\r\n";

#[test]
fn new_yara_rules_are_asked_of_shelves_too() {
    let server = scanning(small_shelves);
    let wolf = finds("Test.Wolf", "a wolf in the text");
    let rule = |name: &str, text: &str| format!("rule {name} {{ strings: $a = \"{text}\" condition: $a }}\n");
    let install = |number: u64, ndb: &str, yar: &str| {
        assert_eq!(server.install(&package(number, &[("a.ndb", ndb), ("a.yar", yar)])).status, 201);
        server.retested(number)
    };
    let body = package(1, &[("a.ndb", &wolf), ("a.yar", &rule("bear", "a bear in the text"))]);
    assert_eq!(server.install(&body).status, 201);
    let text = |number: u64| match number % 50 {
        0 => "a wolf in the text",
        1 => "a sheep in the text",
        2 => "a bear in the text",
        _ => "nothing in the text",
    };
    // First, so that it is on a shelf.
    let letter = server.store(LETTER);
    let items: Vec<u64> = (0..198).map(|number| server.store(&filled(number, text(number)))).collect();
    server.item_when(letter, "Held");
    server.item_when(items[2], "Available");
    shelves(&server, 9);

    // A new rule is looked for where its atoms may be; one that stays is not looked for, wherever it stands now.
    let (bear, sheep) = (rule("bear", "a bear in the text"), rule("sheep", "a sheep in the text"));
    let delta = install(2, &wolf, &format!("{sheep}{bear}"));
    assert_eq!((&delta["newly_detected"], &delta["no_longer_detected"]), (&json!(5), &json!(0)), "{delta}");
    assert!(delta["scanned"].as_u64() < Some(40), "most samples are not read: {delta}");
    assert_eq!(server.item_when(items[1], "Available")["verdict"]["signatures"], json!(["YARA.sheep"]));
    assert_eq!(server.item_when(letter, "Available")["verdict"]["signatures"], json!(["YARA.sheep"]));
    full_finds_nothing_more(&server);

    // One that is withdrawn reads nothing but loose samples; one that changed is asked anew, and where it was found.
    let delta = install(3, &wolf, &bear);
    assert_eq!((&delta["no_longer_detected"], &delta["blocks_read"]), (&json!(5), &json!(0)), "{delta}");
    server.item_when(items[1], "Held");
    let delta = install(4, &wolf, &rule("bear", "a sheep in the text"));
    assert_eq!((&delta["newly_detected"], &delta["no_longer_detected"]), (&json!(5), &json!(4)), "{delta}");
    server.item_when(items[2], "Held");
    full_finds_nothing_more(&server);

    // One that needs no bytes is tried on everything; a signature may have the name of a rule that goes.
    let any = rule("bear", "a sheep in the text") + "rule odd { condition: filesize % 1000 == 19 }\n";
    let delta = install(5, &wolf, &any);
    assert_eq!((&delta["scanned"], delta["newly_detected"].as_u64() > Some(100)), (&json!(199), true), "{delta}");
    let named = format!("{wolf}{}", finds("YARA.bear", "a bear in the text"));
    install(6, &named, "rule other { condition: false }\n");
    assert_eq!(server.item_when(items[2], "Available")["verdict"]["signatures"], json!(["YARA.bear"]));
    server.item_when(items[1], "Held");
    full_finds_nothing_more(&server);
    let told = server.get("/v1/definitions/2/diff/4").json();
    assert_eq!((&told["changed"], &told["removed"]), (&json!(["YARA.bear"]), &json!(["YARA.sheep"])), "{told}");
}

#[test]
fn members_of_archives_and_samples_over_a_border_of_blocks_are_on_shelves_too() {
    let server = scanning(small_shelves);
    server.install_ndb(1, &finds("Test.Wolf", "a wolf in the text"));
    let mut long = vec![b'x'; (64 << 10) - 9];
    long.extend_from_slice(b"a sheep over the border");
    long.resize(100_000, b'y');
    let archive = stored_zip("inner.txt", b"what an archive holds: a bear in a box, and some more text");
    let (border, inside) = (server.store(&long), server.store(&archive));
    for number in 0..60 {
        server.store(&filled(number, "nothing"));
    }
    server.item_when(border, "Held");
    server.item_when(inside, "Held");
    shelves(&server, 2);
    let ndb = format!("{}{}", finds("Test.Border", "a sheep over the border"), finds("Test.Inside", "a bear in a box"));
    server.install_ndb(2, &ndb);
    assert_eq!(server.retested(2)["newly_detected"], 2);
    assert_eq!(server.item_when(border, "Available")["verdict"]["signatures"], json!(["Test.Border"]));
    assert_eq!(server.item_when(inside, "Available")["verdict"]["signatures"], json!(["Test.Inside"]));
    full_finds_nothing_more(&server);
}

/// An archive with one member, not compressed.
fn stored_zip(name: &str, content: &[u8]) -> Vec<u8> {
    let crc = {
        let mut crc = u32::MAX;
        for byte in content {
            crc ^= u32::from(*byte);
            for _ in 0..8 {
                crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
            }
        }
        !crc
    };
    let (size, name_len) = (content.len() as u32, name.len() as u16);
    let mut fields = Vec::new();
    for word in [20_u16, 0, 0, 0, 0] {
        fields.extend_from_slice(&word.to_le_bytes());
    }
    for word in [crc, size, size] {
        fields.extend_from_slice(&word.to_le_bytes());
    }
    fields.extend_from_slice(&name_len.to_le_bytes());
    fields.extend_from_slice(&[0, 0]);
    let local = [b"PK\x03\x04", fields.as_slice(), name.as_bytes(), content].concat();
    let central = [b"PK\x01\x02\x14\0", fields.as_slice(), &[0; 14], name.as_bytes()].concat();
    let mut end = b"PK\x05\x06\0\0\0\0\x01\0\x01\0".to_vec();
    end.extend_from_slice(&(central.len() as u32).to_le_bytes());
    end.extend_from_slice(&(local.len() as u32).to_le_bytes());
    end.extend_from_slice(&[0, 0]);
    [local, central, end].concat()
}

/// A server over a directory that outlives it.
fn again(data: &std::path::Path) -> Daemon {
    again_with(data, |_| {})
}

/// As [`again`], with options of the test's own.
fn again_with(data: &std::path::Path, change: impl FnOnce(&mut ServeOptions)) -> Daemon {
    let mut options = ServeOptions {
        data: data.to_owned(),
        http: ListenOptions::plain("127.0.0.1:0"),
        intake: ListenOptions::plain("127.0.0.1:0"),
        ..ServeOptions::default()
    };
    prepare(&mut options, data);
    change(&mut options);
    Daemon::start(&options).expect("the daemon starts")
}

#[test]
fn definitions_verdicts_and_paused_retests_survive_a_restart() {
    let mut server = scanning(|_| {});
    let (wolf, sheep) = (finds("Test.Wolf", "with a wolf"), finds("Test.Sheep", "with a sheep"));
    server.install_ndb(1, &wolf);
    let (one, two) = (server.store(b"a text with a wolf"), server.store(b"a text with a sheep"));
    server.item_when(one, "Available");
    server.item_when(two, "Held");
    let act = |server: &support::Server, body: Value| {
        server.request("POST", "/v1/retests", &[], body.to_string().as_bytes()).status
    };
    assert_eq!(act(&server, json!({"action": "pause"})), 200);
    assert_eq!(act(&server, json!({"action": "pause"})), 409);
    server.install_ndb(2, &format!("{wolf}{sheep}"));
    let daemon = server.daemon.take().expect("it runs");
    daemon.stop().expect("it stops");

    let data = server.data.path().join("data");
    let daemon = again(&data);
    server.http = daemon.http();
    server.daemon = Some(daemon);
    server
        .eventually("definitions 2", || (server.get("/v1/status").json()["definitions"]["active"] == 2).then_some(()));
    let three = server.store(b"another text with a sheep");
    server.item_when(three, "Available");
    assert_eq!(server.item(two)["status"], "Held", "re-tests are paused still");
    assert_eq!(act(&server, json!({"action": "resume"})), 200);
    server.item_when(two, "Available");
    let retest = server.retested(2);
    assert_eq!(retest["newly_detected"], 1);
    assert_eq!(server.item(one)["status"], "Available");
}

#[test]
fn a_full_retest_answers_for_every_sample() {
    let server = scanning(|_| {});
    let act = |body: Value| server.request("POST", "/v1/retests", &[], body.to_string().as_bytes());
    assert_eq!(act(json!({"action": "start", "full": true})).status, 409, "there are no definitions");
    server.install_ndb(1, &finds("Test.Wolf", "with a wolf"));
    let items: Vec<u64> =
        (0..300).map(|number| server.store(format!("text {number} with a wolf").as_bytes())).collect();
    for item in &items {
        server.item_when(*item, "Available");
    }
    assert_eq!(act(json!({"action": "start", "full": true})).status, 200);
    let full = server.eventually("a full re-test", || {
        let newest = server.get("/v1/retests").json()["retests"][0].clone();
        (newest["extent"] == "full" && newest["state"] == "done").then_some(newest)
    });
    assert_eq!((&full["answered"], &full["newly_detected"]), (&json!(300), &json!(0)));
    assert_eq!(act(json!({"action": "explode"})).status, 400);
}

#[test]
fn sets_are_swapped_under_load_without_a_scan_that_fails_or_mixes_two() {
    let server = scanning(|_| {});
    // Every set finds every sample, under a name of its own.
    let set = |sequence: u64| finds(&format!("Set.{sequence}"), "text with a wolf");
    server.install_ndb(1, &set(1));
    // Else each item's errors say where an administrator finds its definitions.
    assert_eq!(server.send("PUT", "/v1/clients/pc", &json!({"managed": true})).status, 200);
    let stop = AtomicBool::new(false);
    let items = std::thread::scope(|scope| {
        let put = scope.spawn(|| {
            let mut items = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                items.push(server.store(format!("{} text with a wolf", items.len()).as_bytes()));
            }
            items
        });
        for sequence in 2..=20 {
            server.install_ndb(sequence, &set(sequence));
        }
        stop.store(true, Ordering::Relaxed);
        put.join().expect("it stores")
    });
    for item in &items {
        let item = server.eventually("the last set", || {
            let item = server.item(*item);
            (item["status"] == "Available" && item["verdict"]["sequence"] == 20).then_some(item)
        });
        assert_eq!(item["verdict"]["signatures"], json!(["Set.20"]));
        assert_eq!(item["errors"], json!([]));
        // Whatever set answered, it named itself and no other.
        for what in actions(&item) {
            if let Some((_, with)) = what.split_once("with definitions ")
                && let Some((sequence, names)) = with.split_once(": ")
            {
                assert_eq!(names, format!("Set.{sequence}"), "{item}");
            }
        }
    }
    assert_eq!(server.figure("lazaret_scan_faults_total"), 0.0);
}
