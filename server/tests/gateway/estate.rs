//! A server that sends what it does not know to a gateway at once, and what tests look at.

use crate::scripted::Gateway;
use crate::support::Server;
use crate::support::sets::{finds, scanning};
use gateway::reply::Said;
use serde_json::{Value, json};
use server::config::Origin;
use server::daemon::ServeOptions;
use std::time::Duration;

/// How long one request may take in these tests: far longer than any does on a busy machine.
const REQUEST_MAX: &str = "20 s";

/// A server of this gateway, with definitions that find nothing; `change` makes the settings the test's own.
pub fn estate(gateway: &str, change: impl FnOnce(&mut ServeOptions)) -> Server {
    let server = scanning(|options| {
        for (name, text) in [
            ("web_communication.gateway", gateway),
            ("web_communication.secure_submission", "false"),
            ("web_communication.secure_download", "false"),
            ("web_communication.request_max_s", REQUEST_MAX),
            ("sample_policy.automatic", "true"),
            ("sample_policy.queue_check_interval_s", "100 ms"),
            ("sample_policy.status_query_interval_s", "100 ms"),
            ("sample_policy.strip_user_data", "false"),
            ("customer.account", "A-17"),
        ] {
            set(options, name, text);
        }
        options.limits.gateway_wait_first = Duration::from_millis(200);
        change(options);
    });
    server.install_ndb(1, &finds("Test.Other", "what is in no sample here"));
    server
}

/// Sets a setting as a configuration file would.
pub fn set(options: &mut ServeOptions, name: &str, text: &str) {
    options.settings.put_text(name, text, Origin::File(1)).unwrap_or_else(|error| panic!("{name}: {error}"));
}

/// Lines of an item's errors.
pub fn errors(item: &Value) -> Vec<String> {
    words(&item["errors"])
}

/// Lines of an item's actions.
pub fn actions(item: &Value) -> Vec<String> {
    words(&item["actions"])
}

fn words(lines: &Value) -> Vec<String> {
    let lines = lines.as_array().unwrap_or_else(|| panic!("lines: {lines}"));
    lines.iter().map(|line| line["what"].as_str().unwrap_or_default().to_owned()).collect()
}

impl Server {
    /// How it goes with the gateway.
    pub fn gateway(&self) -> Value {
        self.get("/v1/status").json()["gateway"].clone()
    }

    /// How often an event was raised.
    pub fn alerts(&self, number: u64) -> u64 {
        let alerts = self.get("/v1/alerts").json();
        let alerts = alerts["alerts"].as_array().expect("alerts");
        let one = alerts.iter().find(|alert| alert["number"] == number).expect("the event");
        one["count"].as_u64().expect("a count")
    }

    /// Waits until an event was raised so often: alerts follow what they tell of.
    pub fn alerted(&self, number: u64, count: u64) {
        self.eventually(&format!("alert {number}"), || (self.alerts(number) >= count).then_some(()));
    }

    /// Waits until an event was raised with these words.
    pub fn alert_says(&self, number: u64, says: &str) {
        self.eventually(&format!("alert {number} '{says}'"), || {
            let alerts = self.get("/v1/alerts").json();
            let mut alerts = alerts["alerts"].as_array().expect("alerts").iter();
            let one = alerts.find(|alert| alert["number"] == number).expect("the event");
            (one["count"] != 0 && one["text"].as_str().is_some_and(|text| text.contains(says))).then_some(())
        });
    }

    /// Acts on one item; the answer for it.
    pub fn act_on(&self, id: u64, action: &str, more: &Value) -> Value {
        let mut asked = json!({"action": action, "ids": [id]});
        for (name, value) in more.as_object().into_iter().flatten() {
            asked[name] = value.clone();
        }
        let answer = self.request("POST", "/v1/items/actions", &[], asked.to_string().as_bytes());
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["items"][0].clone()
    }

    /// Changes settings while the server runs.
    pub fn change(&self, settings: &Value) {
        let answer = self.request("PUT", "/v1/settings", &[], settings.to_string().as_bytes());
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// The gateway's trouble, once it says this.
    pub fn trouble(&self, says: &str) -> String {
        self.eventually(&format!("trouble '{says}'"), || {
            let trouble = self.gateway()["trouble"].as_str().expect("a text").to_owned();
            trouble.contains(says).then_some(trouble)
        })
    }

    /// Waits for a trouble with a submission, and sees that it is told of wherever it should be and changed nothing.
    pub fn is_troubled(&self, id: u64, says: &str) {
        self.trouble(says);
        let item = self.eventually(&format!("an error '{says}' of item {id}"), || {
            let item = self.item(id);
            errors(&item).iter().any(|line| line.contains(says) && line.contains("again")).then_some(item)
        });
        assert_eq!(item["status"], "Submitted", "trouble on the way changes no status: {item}");
        self.alerted(1, 1);
        assert_eq!(self.gateway()["state"], "down");
    }

    /// The gateway behaves again: the item goes to its end by itself, and the bytes that the gateway has are the
    /// sample's.
    pub fn goes_on(&self, gateway: &Gateway, id: u64, sample: &[u8]) {
        gateway.behaves();
        gateway.says(sample, Said::NotInfected, "");
        let item = self.item_when(id, "Unneeded");
        assert!(gateway.submissions(sample).iter().any(|one| one.held == sample), "{item}");
        assert_eq!(self.get(&format!("/v1/items/{id}/sample")).body, sample, "nothing is lost here");
        self.eventually("a gateway that is up", || (self.gateway()["state"] == "up").then_some(()));
        assert_eq!(self.gateway()["trouble"], "");
    }
}
