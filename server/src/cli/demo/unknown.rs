//! The loop closes by itself: files that nobody knows go to an analysis centre and come back as definitions.

use super::child::{Centre, Server};
use super::narrator::Narrator;
use super::stage::{Stage, write};
use crate::cli::Failure;
use crate::cli::client::{Client, Content, Meta, Put};
use crate::cli::screen::escaped;
use bytes::Bytes;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Files that the worm has visited, each of another computer.
const VISITED: usize = 12;
/// As many of them as the centre has clean copies of.
const KNOWN_CLEAN: usize = 4;
/// Bytes of a file before the worm came, and of the worm.
const HOST_BYTES: usize = 12_000;
const WORM_BYTES: usize = 2_000;
/// Far longer than the loop takes.
const DEADLINE: Duration = Duration::from_secs(60);

/// The step.
///
/// # Errors
/// A check does not hold.
pub fn run(stage: &mut Stage) -> Result<(), Failure> {
    let place = Place::make(&stage.scratch)?;
    let centre = Centre::start(&place.centre, &place.goodware, &place.log)?;
    stage.narrator.command("lazaret centre --data centre --goodware goodware")?;
    stage
        .narrator
        .tell(&format!("an analysis centre on {}, with {KNOWN_CLEAN} files known to be clean", centre.http))?;
    let config = place.config(&centre)?;
    let quarantine = Server::start(&place.quarantine, Some(&config), &place.log)?;
    place.trust()?;
    stage.narrator.tell("a second quarantine, whose gateway is this centre; it trusts the centre's key")?;
    let shop = Shop { client: Client::new(&quarantine.url(), None, None)?, url: quarantine.url() };
    let first = shop.forward(stage)?;
    stage
        .narrator
        .tell(&format!("{VISITED} computers forward a file each, which a worm that nobody knows has visited"))?;
    let began = Instant::now();
    let last = shop.until_all(stage, "Available")?;
    let took = began.elapsed().as_secs_f64();
    let signature = last.pointer("/verdict/signatures/0").and_then(Value::as_str).unwrap_or_default().to_owned();
    stage.narrator.check(
        signature.starts_with("Lazaret.Auto."),
        &format!("{took:.2} s later all {VISITED} are detected, by {} of the centre", escaped(&signature)),
    )?;
    history(&stage.narrator, &shop.log(stage)?, first)?;
    repair(stage, &shop, &place, first)?;
    installed(stage, &shop)?;
    let (quarantine, centre) = (quarantine.stop()?, centre.stop()?);
    stage.narrator.check(quarantine.success() && centre.success(), "both end with exit 0")
}

/// An item's statuses, with the clock.
fn history(narrator: &Narrator, log: &Value, item: u64) -> Result<(), Failure> {
    let entries = log.get("entries").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for entry in entries.iter().rev().filter(|entry| entry.get("item").and_then(Value::as_u64) == Some(item)) {
        let text = |name: &str| escaped(entry.get(name).and_then(Value::as_str).unwrap_or_default());
        // The key of the submission says nothing to a person who watches.
        let what = text("what");
        narrator.tell(&format!("{}  {}", text("at"), what.split(" (submission").next().unwrap_or_default()))?;
    }
    Ok(())
}

/// The centre wrote a recipe too, for it knows clean copies of some of the files.
fn repair(stage: &mut Stage, shop: &Shop, place: &Place, item: u64) -> Result<(), Failure> {
    let out = place.root.join("repaired");
    std::fs::create_dir_all(&out).map_err(|error| Failure::No(error.to_string()))?;
    let id = item.to_string();
    stage.narrator.command(&format!("lazaret items repair {id} --to repaired"))?;
    let output = shop.command(&["items", "repair", &id, "--to", &out.to_string_lossy()])?;
    if !output.status.success() {
        return Err(Failure::No(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    let repaired = std::fs::read(out.join(format!("{id}-{}", name(0)))).unwrap_or_default();
    let clean = host(0);
    stage
        .narrator
        .check(repaired == clean, "its recipe gives the file back as it was before the worm came, byte for byte")
}

/// The clients report the definitions that they have by now.
fn installed(stage: &mut Stage, shop: &Shop) -> Result<(), Failure> {
    let client = shop.client.clone();
    let definitions = stage.wait(async { client.get("/v1/status", &[]).await })?;
    let sequence = definitions.pointer("/definitions/active").cloned().unwrap_or_default();
    for number in 0..VISITED {
        let (path, body) = (format!("/v1/clients/{}", desk(number)), json!({"definitions_sequence": sequence}));
        let client = shop.client.clone();
        stage.wait(async { client.send(reqwest::Method::PUT, &path, &body).await })?;
    }
    shop.until_all(stage, "Installed")?;
    stage
        .narrator
        .check(true, &format!("each computer reports definitions {sequence}: all {VISITED} items are Installed"))
}

/// A quarantine that is forwarded to.
struct Shop {
    client: Client,
    url: String,
}

impl Shop {
    /// Forwards every visited file; the first item.
    fn forward(&self, stage: &Stage) -> Result<u64, Failure> {
        let mut first = 0;
        for number in 0..VISITED {
            let content = Bytes::from([host(number), worm()].concat());
            let digest = super::corpus::digest(&content);
            let meta = Meta {
                client: desk(number),
                name: name(number),
                reason: "behaves like a worm".to_owned(),
                idempotency_key: format!("visited-{number}"),
            };
            let (content, client) = (Content::Whole(content), self.client.clone());
            let answer = stage
                .wait(async { client.put(&Put { meta: &meta, digest, content: &content, sent: &|_| {} }).await })?;
            let item = answer.get("id").or_else(|| answer.get("item")).and_then(Value::as_u64).unwrap_or(0);
            if number == 0 {
                first = item;
            }
        }
        Ok(first)
    }

    /// Waits until all items have a status; the newest of them.
    fn until_all(&self, stage: &Stage, status: &str) -> Result<Value, Failure> {
        let began = Instant::now();
        loop {
            let client = self.client.clone();
            let query = [("limit", "100".to_owned())];
            let page = stage.wait(async { client.get("/v1/items", &query).await })?;
            let items = page.get("items").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            if items.len() == VISITED
                && items.iter().all(|item| item.get("status").and_then(Value::as_str) == Some(status))
            {
                return Ok(items[0].clone());
            }
            if began.elapsed() > DEADLINE {
                let told: Vec<_> = items.iter().map(|item| item["status"].to_string()).collect();
                return Err(Failure::No(format!(
                    "{} s have passed and not all are {status}: {}",
                    DEADLINE.as_secs(),
                    told.join(", ")
                )));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn log(&self, stage: &Stage) -> Result<Value, Failure> {
        let client = self.client.clone();
        stage.wait(async { client.get("/v1/log", &[("limit", "1000".to_owned())]).await })
    }

    fn command(&self, arguments: &[&str]) -> Result<std::process::Output, Failure> {
        let failed = |error: std::io::Error| Failure::No(format!("cannot run lazaret: {error}"));
        let mut command = Command::new(std::env::current_exe().map_err(failed)?);
        command.args(arguments).stdin(Stdio::null()).env("LAZARET_SERVER", &self.url).env_remove("LAZARET_TOKEN");
        command.output().map_err(failed)
    }
}

/// The folders of this step.
struct Place {
    root: PathBuf,
    centre: PathBuf,
    goodware: PathBuf,
    quarantine: PathBuf,
    log: PathBuf,
}

impl Place {
    fn make(scratch: &Path) -> Result<Self, Failure> {
        let root = scratch.join("loop");
        let place = Self {
            centre: root.join("centre"),
            goodware: root.join("goodware"),
            quarantine: root.join("quarantine"),
            log: root.join("log"),
            root,
        };
        let made = std::fs::create_dir_all(&place.goodware);
        made.map_err(|error| Failure::No(format!("cannot make {}: {error}", place.goodware.display())))?;
        for number in 0..KNOWN_CLEAN {
            write(&place.goodware.join(name(number)), &host(number))?;
        }
        Ok(place)
    }

    /// A quarantine that submits at once; the intervals are what a person has the patience for.
    fn config(&self, centre: &Centre) -> Result<PathBuf, Failure> {
        let path = self.root.join("lazaret.toml");
        let text = format!(
            "[web_communication]\ngateway = \"{}\"\nsecure_submission = false\nsecure_download = false\n\
             [customer]\naccount = \"12345\"\n\
             [sample_policy]\nautomatic = true\nstrip_user_data = false\nqueue_check_interval_s = 1\n\
             status_query_interval_s = 1\n",
            centre.http
        );
        write(&path, text.as_bytes())?;
        Ok(path)
    }

    fn trust(&self) -> Result<(), Failure> {
        let from = self.centre.join("centre.key.pub");
        let to = self.quarantine.join("keys").join("centre.pub");
        std::fs::copy(&from, &to)
            .map(drop)
            .map_err(|error| Failure::No(format!("cannot copy {}: {error}", from.display())))
    }
}

fn desk(number: usize) -> String {
    format!("desk-{number:04}")
}

fn name(number: usize) -> String {
    format!("tool-{number}.bin")
}

/// A file before the worm came.
fn host(number: usize) -> Vec<u8> {
    noise(&format!("host {number}"), HOST_BYTES)
}

/// What the worm puts behind a file it visits; synthetic, of course.
fn worm() -> Vec<u8> {
    noise("worm", WORM_BYTES)
}

fn noise(name: &str, bytes: usize) -> Vec<u8> {
    let mut content = vec![0; bytes];
    blake3::Hasher::new_derive_key("lazaret demo loop v1").update(name.as_bytes()).finalize_xof().fill(&mut content);
    content
}
