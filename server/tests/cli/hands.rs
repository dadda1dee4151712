//! What a person decides at the command line: alerts, clients, items by hand.

use crate::defs::{finds, home, item_when};
use crate::support::{Home, Server};

/// A server whose definitions find a wolf, with two items: what is known, and what is held.
fn two_items(home: &Home) -> (Server, String, String) {
    home.write("defs/main.ndb", finds("Test.Wolf", "with a wolf"));
    home.run(["defs", "build", "defs", "--sequence", "1", "--key", "my.key", "--out", "1.lzd"]).exits(0);
    let server = home.serve("");
    home.run(["--server", &server.url, "defs", "install", "1.lzd"]).exits(0);
    let put = |name: &str, text: &str, status: &str| {
        home.write(name, text);
        let put = ["--server", &server.url, "--json", "put", "--client", "desk", name];
        let id = home.run(put).exits(0).value()["item"].to_string();
        item_when(home, &server, &id, status);
        id
    };
    let (known, held) = (put("a", "a text with a wolf", "Available"), put("b", "a text without one", "Held"));
    (server, known, held)
}

#[test]
fn items_are_acted_on_by_number_and_by_filter_and_a_refusal_is_an_answer_of_no() {
    let home = home();
    let (server, known, held) = two_items(&home);
    let at = |args: &[&str]| home.run([&["--server", server.url.as_str()], args].concat());
    assert!(at(&["items", "submit", &held]).exits(0).out.contains("1 queued for submission"));
    item_when(&home, &server, &held, "Submitted");
    let again = at(&["items", "submit", &held]).exits(1);
    assert!(again.err.contains("an item that is Submitted cannot become Submitted"), "{}", again.err);
    at(&["items", "query", &known]).exits(1);
    at(&["items", "priority", &held, "--submission", "7"]).exits(0);
    at(&["items", "restart", "--client", "desk", "--status", "Submitted"]).exits(0);
    item_when(&home, &server, &held, "Submitted");
    at(&["items", "applied", "--client", "desk", "--status", "Available"]).exits(0);
    item_when(&home, &server, &known, "Installed");
    at(&["items", "deliver", "--client", "nobody"]).exits(1);
    at(&["items", "submit"]).exits(2);
    at(&["items", "submit", &held, "--strip", "--whole"]).exits(2);
    let json = at(&["--json", "items", "submit", &held, "999999"]).exits(1).value();
    assert_eq!((&json["done"], &json["refused"]), (&0.into(), &2.into()), "{json}");
}

#[test]
fn clients_are_listed_shown_and_changed() {
    let home = home();
    let (server, known, _) = two_items(&home);
    let at = |args: &[&str]| home.run([&["--server", server.url.as_str()], args].concat());
    assert!(at(&["clients", "list"]).exits(0).out.contains("desk"));
    at(&["clients", "show", "nobody"]).exits(1);
    at(&["clients", "set", "desk"]).exits(2);
    let set = at(&["--json", "clients", "set", "desk", "--managed", "true", "--platform", "linux"]).exits(0).value();
    assert_eq!((&set["managed"], &set["platform"], &set["items"]), (&true.into(), &"linux".into(), &2.into()));
    let auto = at(&["--json", "clients", "set", "desk", "--managed", "auto"]).exits(0).value();
    assert_eq!((&auto["managed"], &auto["managed_set"]), (&false.into(), &serde_json::Value::Null));
    at(&["clients", "set", "desk", "--sequence", "1"]).exits(0);
    item_when(&home, &server, &known, "Installed");
}

#[test]
fn alerts_are_listed_routed_switched_and_tried() {
    let home = Home::new();
    let server = home.serve("");
    let at = |args: &[&str]| home.run([&["--server", server.url.as_str()], args].concat());
    assert_eq!(at(&["--json", "alerts", "list"]).exits(0).lines().len(), 23);
    assert!(at(&["alerts", "test", "quota_low"]).exits(1).err.contains("goes to the log only"));
    at(&["alerts", "route", "10", "--methods", "console,email", "--recipients", "ann@example.org"]).exits(0);
    let tried = at(&["alerts", "test", "10"]).exits(1);
    assert!(tried.out.contains("console: delivered") && tried.out.contains("alerts.smtp_server"), "{}", tried.out);
    at(&["alerts", "route", "quota_low", "--methods", "console"]).exits(0);
    at(&["alerts", "test", "10"]).exits(0);
    at(&["alerts", "disable", "all"]).exits(0);
    let rows = at(&["--json", "alerts", "list"]).exits(0).lines();
    assert!(rows.iter().all(|row| row["enabled"] == false));
    assert_eq!(rows[9]["recipients"], serde_json::json!(["ann@example.org"]), "what is left out stays");
    at(&["alerts", "enable", "quota_low"]).exits(0);
    assert!(at(&["alerts", "disable", "flood"]).exits(2).err.contains("there is no event flood"));
    assert!(at(&["alerts", "route", "10", "--methods", "pigeon"]).exits(2).err.contains("pigeon"));
    assert!(at(&["alerts", "route", "10", "--recipients", "ann"]).exits(2).err.contains("mail address"));
    at(&["alerts", "route", "10"]).exits(2);
    let listed = at(&["alerts", "list"]).exits(0).out;
    assert!(listed.contains("quota_low") && listed.contains("log, console: ann@example.org"), "{listed}");
}
