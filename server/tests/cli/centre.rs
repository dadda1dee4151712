//! A centre as a person runs it: what is for a person, an answer by hand, a false alarm that is taken back, certification.

use crate::support::{Home, Server};
use crate::thousand::{Killed, noise};
use serde_json::Value;
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(60);

#[test]
fn a_false_alarm_is_taken_back_from_every_set_when_a_person_says_so() {
    let home = Home::new();
    let (_centre, server) = estate(&home, &["--soak", "2s"]);
    let ours = noise("a tool of ours", 3000);
    home.write("files/ours.bin", &ours);
    home.write("files/other.bin", noise("a stranger", 3000));
    home.run(["--server", &server.url, "put", "--recursive", "files"]).exits(0);
    until(&home, &server, "both are detected", |items| count(items, "Available") == 2);
    // What was in use long enough is certified, for everybody.
    let certified = until_status(&home, &server, |status| status["gateway"]["certified"].as_u64() > Some(1));
    let digest = blake3::hash(&ours).to_hex().to_string();
    let answered = ["centre", "answer", "--data", "centre", &digest, "clean", "--why", "it is ours"];
    assert!(home.run(answered).exits(0).out.contains("clean"));
    // The next certified set finds it no more: what it had caused is taken back, and the centre knows it is clean.
    home.run(["--server", &server.url, "settings", "set", "definition_policy.certified_interval_min", "1s"]).exits(0);
    until_status(&home, &server, |status| {
        status["gateway"]["certified"].as_u64() > certified["gateway"]["certified"].as_u64()
    });
    let items = until(&home, &server, "ours needs nothing", |items| count(items, "Unneeded") == 1);
    let ours = items.iter().find(|item| item["status"] == "Unneeded").expect("there is one");
    assert!(ours["name"].as_str().is_some_and(|name| name.ends_with("ours.bin")), "{ours}");
    assert_eq!(count(&items, "Available"), 1, "the stranger is found as before");
}

#[test]
fn what_is_for_a_person_is_listed_with_its_reason_and_a_person_answers_it() {
    let home = Home::new();
    // Of one byte nothing can be said.
    home.write("files/dull.bin", vec![b'A'; 5000]);
    let (_centre, server) = estate(&home, &[]);
    home.run(["--server", &server.url, "put", "--recursive", "files"]).exits(0);
    until(&home, &server, "it needs attention", |items| count(items, "Attention") == 1);
    let waiting = home.run(["--json", "centre", "waiting", "--data", "centre"]).exits(0).lines();
    assert_eq!(waiting.len(), 1);
    assert!(waiting[0]["why"].as_str().is_some_and(|why| why.contains("unlike goodware")), "{}", waiting[0]);
    assert!(home.run(["centre", "waiting", "--data", "centre"]).exits(0).out.contains("dull.bin"));
    let digest = waiting[0]["blake3"].as_str().expect("a digest");
    home.run(["centre", "answer", "--data", "centre", digest, "clean"]).exits(0);
    until(&home, &server, "it needs nothing", |items| count(items, "Unneeded") == 1);
    assert_eq!(home.run(["--json", "centre", "waiting", "--data", "centre"]).exits(0).out, "");
    let unknown = "0".repeat(64);
    assert!(home.run(["centre", "answer", "--data", "centre", &unknown, "clean"]).exits(1).err.contains("no content"));
    assert!(home.run(["centre", "waiting", "--data", "nowhere"]).exits(2).err.contains("there is no centre"));
}

#[test]
fn the_loop_closes_over_tls_with_an_authority_of_ones_own() {
    let home = Home::new();
    let key = rcgen::KeyPair::generate().expect("a key");
    let params = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("a name");
    let certificate = params.self_signed(&key).expect("a certificate").pem();
    home.write("centre.pem", &certificate);
    home.write("centre-key.pem", key.serialize_pem());
    home.write("files/one.bin", noise("a stranger", 3000));
    let gateway = "secure_submission = true\nsecure_download = true\nca_file = \"centre.pem\"";
    let (_centre, server) = estate_over(&home, &["--certificate", "centre.pem", "--key", "centre-key.pem"], gateway);
    home.run(["--server", &server.url, "put", "--recursive", "files"]).exits(0);
    until(&home, &server, "it is detected", |items| count(items, "Available") == 1);
}

/// A centre and a quarantine whose gateway it is.
fn estate(home: &Home, flags: &[&str]) -> (Killed, Server) {
    estate_over(home, flags, "secure_submission = false\nsecure_download = false")
}

fn estate_over(home: &Home, flags: &[&str], security: &str) -> (Killed, Server) {
    let (centre, gateway) = crate::thousand::centre(home, flags);
    let server = home.serve(&format!(
        "[web_communication]\ngateway = \"{gateway}\"\n{security}\n[customer]\naccount = \"1\"\n\
         [sample_policy]\nautomatic = true\nstrip_user_data = false\nqueue_check_interval_s = 1\n\
         status_query_interval_s = 1\n[definition_policy]\ncertified_interval_min = \"2s\"\n"
    ));
    std::fs::copy(home.path("centre/centre.key.pub"), home.path("data/keys/centre.pub")).expect("the key is there");
    (centre, server)
}

fn until(home: &Home, server: &Server, what: &str, holds: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let began = Instant::now();
    loop {
        let items = home.run(["--server", &server.url, "--json", "items", "list"]).exits(0).lines();
        if holds(&items) {
            return items;
        }
        assert!(began.elapsed() < DEADLINE, "it is not so that {what}: {items:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn until_status(home: &Home, server: &Server, holds: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let status = home.run(["--server", &server.url, "--json", "status"]).exits(0).value();
        if holds(&status) {
            return status;
        }
        assert!(began.elapsed() < DEADLINE, "{status}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn count(items: &[Value], status: &str) -> usize {
    items.iter().filter(|item| item["status"] == status).count()
}
