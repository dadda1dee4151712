//! The loop for a thousand different samples in one run: families and strangers, from their arrival to the definitions that
//! find them. What it took is printed: `cargo test --release -p server --test cli thousand -- --nocapture`.

use crate::support::Home;
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

const FAMILIES: usize = 20;
const MEMBERS: usize = 40;
const STRANGERS: usize = 200;
const ALL: usize = FAMILIES * MEMBERS + STRANGERS;
/// Far longer than it takes on a slow machine.
const DEADLINE: Duration = Duration::from_secs(120);

#[test]
fn a_thousand_unknown_samples_become_known_and_each_says_how_long_it_took() {
    let home = Home::new();
    for (name, content) in samples() {
        home.write(&format!("files/{name}"), content);
    }
    let (_centre, gateway) = centre(&home, &[]);
    let server = home.serve(&format!(
        "[web_communication]\ngateway = \"{gateway}\"\nsecure_submission = false\nsecure_download = false\n\
         [customer]\naccount = \"1\"\n[sample_policy]\nautomatic = true\nstrip_user_data = false\n\
         queue_check_interval_s = 1\nstatus_query_interval_s = 1\n"
    ));
    std::fs::copy(home.path("centre/centre.key.pub"), home.path("data/keys/centre.pub")).expect("the key is there");
    home.run(["--server", &server.url, "put", "--recursive", "files"]).exits(0);
    let began = Instant::now();
    let mut listed: Vec<Value> = Vec::new();
    while listed.len() < ALL {
        assert!(began.elapsed() < DEADLINE, "{} of {ALL} are known: {:?}", listed.len(), statuses(&home, &server.url));
        std::thread::sleep(Duration::from_millis(200));
        let args = ["--server", &server.url, "--json", "items", "list", "--status", "Available", "--limit", "2000"];
        listed = home.run(args).exits(0).lines();
    }
    let mut took: Vec<f64> = listed.iter().map(immunity).collect();
    took.sort_by(f64::total_cmp);
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
    eprintln!(
        "time to immunity of {ALL} samples, seconds: p50 {:.2} p99 {:.2} max {:.2}",
        at(0.5),
        at(0.99),
        took[took.len() - 1]
    );
    let mut names: Vec<&str> = listed.iter().filter_map(|item| item["verdict"]["signatures"][0].as_str()).collect();
    assert_eq!(names.len(), ALL, "each is found by something");
    names.sort_unstable();
    names.dedup();
    eprintln!("signatures: {} for {FAMILIES} families and {STRANGERS} strangers", names.len());
    assert!(names.len() < STRANGERS + FAMILIES * MEMBERS / 4, "families share signatures: {}", names.len());
}

fn statuses(home: &Home, url: &str) -> Value {
    home.run(["--server", url, "--json", "status"]).exits(0).value()["items"].clone()
}

/// Seconds from the arrival of an item to the definitions that find it.
fn immunity(item: &Value) -> f64 {
    let at = |text: &Value| {
        let text = text.as_str().expect("a time");
        let (_, clock) = text.split_once('T').expect("a date and a time");
        let mut parts = clock.trim_end_matches('Z').split(':').map(|part| part.parse::<f64>().expect("a number"));
        let mut next = || parts.next().expect("three parts");
        next() * 3600.0 + next() * 60.0 + next()
    };
    let actions = item["actions"].as_array().expect("actions");
    let known = actions.iter().rfind(|action| {
        action["what"].as_str().is_some_and(|what| what.starts_with("definitions are here and detect it"))
    });
    let known = known.unwrap_or_else(|| panic!("not known: {item}"));
    // Past midnight the clock begins anew.
    (at(&known["at"]) - at(&item["received_at"])).rem_euclid(86_400.0)
}

/// A centre on a free port, and its address.
pub fn centre(home: &Home, flags: &[&str]) -> (Killed, String) {
    let mut command = home.command(["centre", "--data", "centre", "--listen", "127.0.0.1:0"]);
    let mut child =
        command.args(flags).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the centre starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("the centre's line");
    let http =
        line.split(' ').find_map(|word| word.strip_prefix("http=")).unwrap_or_else(|| panic!("not ready: {line}"));
    (Killed(child), http.to_owned())
}

/// A process that ends with the test.
pub struct Killed(pub Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Files by name: members of families, which share a body behind different hosts, and files like no other.
fn samples() -> Vec<(String, Vec<u8>)> {
    let member = |family: usize, number: usize| {
        let host = noise(&format!("host {family} {number}"), 4000 + number * 7);
        [host, noise(&format!("body {family}"), 1500)].concat()
    };
    let families = (0..FAMILIES).flat_map(|family| (0..MEMBERS).map(move |number| (family, number)));
    let members = families.map(|(family, number)| (format!("f{family}-{number}.bin"), member(family, number)));
    let strangers = (0..STRANGERS).map(|number| (format!("s{number}.bin"), noise(&format!("stranger {number}"), 5000)));
    members.chain(strangers).collect()
}

pub fn noise(name: &str, bytes: usize) -> Vec<u8> {
    let mut content = vec![0; bytes];
    blake3::Hasher::new().update(name.as_bytes()).finalize_xof().fill(&mut content);
    content
}
