//! Requests that a test makes of its server over and over.

use super::{Answer, Server};
use serde_json::{Value, json};

impl Server {
    /// One request with a JSON body.
    pub fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.request(method, path, &[], body.to_string().as_bytes())
    }

    /// Changes settings, which must be taken.
    #[track_caller]
    pub fn set(&self, settings: &Value) {
        let answer = self.send("PUT", "/v1/settings", settings);
        assert_eq!(answer.status, 200, "{settings}: {answer:?}");
    }

    /// Acts on items by id.
    #[track_caller]
    pub fn act(&self, action: &str, ids: &[u64]) -> Value {
        self.act_with(json!({"action": action, "ids": ids}))
    }

    /// Acts on items as the body says.
    #[track_caller]
    pub fn act_with(&self, body: Value) -> Value {
        let answer = self.send("POST", "/v1/items/actions", &body);
        assert_eq!(answer.status, 200, "{body}: {answer:?}");
        answer.json()
    }

    /// Routes an event, all of it or what is named.
    #[track_caller]
    pub fn route(&self, event: &str, route: Value) {
        let answer = self.send("PUT", "/v1/alerts", &json!({event: route}));
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// What is known of an event.
    pub fn alert(&self, event: &str) -> Value {
        let told = self.get("/v1/alerts").json();
        let alerts = told["alerts"].as_array().expect("a list");
        alerts.iter().find(|alert| alert["event"] == event).unwrap_or_else(|| panic!("no {event}")).clone()
    }

    /// What is known of an event once it was told, which is after it was raised.
    pub fn alert_told(&self, event: &str) -> Value {
        self.eventually(&format!("alert {event}"), || {
            let alert = self.alert(event);
            (!alert["told_at"].is_null()).then_some(alert)
        })
    }

    /// What the Quarantine Log says, the newest first.
    pub fn log(&self) -> Vec<String> {
        let log = self.get("/v1/log?limit=1000").json();
        let entries = log["entries"].as_array().expect("a list");
        entries.iter().map(|entry| entry["what"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Ends it and starts another over the same data.
    #[must_use]
    pub fn restarted(mut self, change: impl FnOnce(&mut server::daemon::ServeOptions)) -> Self {
        self.daemon.take().expect("running").stop().expect("the daemon stops");
        let data = std::mem::replace(&mut self.data, tempfile::tempdir().expect("a temporary directory"));
        let mut again = super::start(|options| {
            options.data = data.path().join("data");
            change(options);
        });
        again.data = data;
        again
    }
}

/// Texts of an item's list, `actions` or `errors`.
pub fn lines(item: &Value, list: &str) -> Vec<String> {
    let lines = item[list].as_array().unwrap_or_else(|| panic!("no {list} in {item}"));
    lines.iter().map(|line| line["what"].as_str().unwrap_or_default().to_owned()).collect()
}
