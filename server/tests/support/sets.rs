//! Sets of definitions for a test's server, and waiting for what they lead to.

use super::{Answer, Server, start};
use defcast::keys::SigningKey;
use defcast::package::{Draft, build};
use server::daemon::ServeOptions;
use std::path::Path;
use std::time::{Duration, Instant};

/// Far longer than anything here takes; reached only by a bug.
const DEADLINE: Duration = Duration::from_secs(60);

/// The key that [`scanning`] servers trust.
pub fn key() -> SigningKey {
    SigningKey::from_seed([1; 32], "test")
}

/// A package of these files, signed with [`key`].
pub fn package(sequence: u64, files: &[(&str, &str)]) -> Vec<u8> {
    let draft = Draft {
        sequence,
        certified: true,
        created_at: "2026-01-02T03:04:05Z".to_owned(),
        comment: String::new(),
        files: files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect(),
    };
    build(&draft, &key()).expect("a package")
}

/// A line of a `.ndb` that finds a text.
pub fn finds(name: &str, text: &str) -> String {
    format!("{name}:0:*:{}\n", text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>())
}

/// A server that trusts [`key`] and opens samples with the built binary.
pub fn scanning(change: impl FnOnce(&mut ServeOptions)) -> Server {
    start(|options| {
        prepare(options, &options.data.clone());
        change(options);
    })
}

/// What makes a server one of [`scanning`].
pub fn prepare(options: &mut ServeOptions, data: &Path) {
    let keys = data.join("keys");
    std::fs::create_dir_all(&keys).expect("a directory of keys");
    if !keys.join("test.pub").exists() {
        key().write(&keys.join("test")).expect("the key is written");
    }
    options.cage_program = Some(env!("CARGO_BIN_EXE_lazaret").into());
}

impl Server {
    /// Posts a package.
    pub fn install(&self, package: &[u8]) -> Answer {
        self.request("POST", "/v1/definitions", &[], package)
    }

    /// Installs a set of one `.ndb`.
    pub fn install_ndb(&self, sequence: u64, ndb: &str) {
        let answer = self.install(&package(sequence, &[("main.ndb", ndb)]));
        assert_eq!(answer.status, 201, "{answer:?}");
    }

    /// Stores bytes; the item's id.
    pub fn store(&self, body: &[u8]) -> u64 {
        self.put(body, &[("X-Client", "pc")]).json()["id"].as_u64().expect("an id")
    }

    pub fn item(&self, id: u64) -> serde_json::Value {
        self.get(&format!("/v1/items/{id}")).json()
    }

    /// The item once it has this status; fails when it gets stuck elsewhere.
    pub fn item_when(&self, id: u64, status: &str) -> serde_json::Value {
        self.eventually(&format!("item {id} {status}"), || {
            let item = self.item(id);
            (item["status"] == status).then_some(item)
        })
    }

    /// What `look` finds, as soon as it finds it.
    pub fn eventually<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            if let Some(found) = look() {
                return found;
            }
            let status = || self.get("/v1/status").json();
            assert!(began.elapsed() < DEADLINE, "{what} never came: {} {}", status(), self.get("/v1/retests").json());
        }
    }

    /// The newest re-test once none goes on and it answers with this set.
    pub fn retested(&self, sequence: u64) -> serde_json::Value {
        self.eventually(&format!("a re-test with {sequence}"), || {
            let newest = self.get("/v1/retests").json()["retests"][0].clone();
            (newest["sequence"] == sequence && newest["state"] == "done").then_some(newest)
        })
    }

    /// A figure out of `/metrics`.
    pub fn figure(&self, name: &str) -> f64 {
        let text = String::from_utf8(self.get("/metrics").body).expect("text");
        let line = text.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap_or_else(|| panic!("{name}"));
        line[name.len() + 1..].parse().expect("a number")
    }
}
