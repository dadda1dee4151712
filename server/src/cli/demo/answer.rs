//! Definitions arrive: what is stored is answered, what nobody knew waits, and the next set finds and repairs it.

use super::corpus;
use super::stage::{Parcel, Stage, write};
use crate::cli::Failure;
use crate::config::amount::grouped;
use serde_json::Value;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// What the worm puts behind a file it infects; synthetic, of course.
const WORM: &[u8] = b"synthetic worm of the demonstration, behind every file it visits";
/// A file before the worm came.
const LETTER: &[u8] = b"Dear all,\n\nthe meeting is on Thursday.\n";
/// Far longer than the scanner takes for everything that the demonstration stores.
const DEADLINE: Duration = Duration::from_secs(60);

/// The step.
///
/// # Errors
/// A check does not hold.
pub fn run(stage: &mut Stage) -> Result<(), Failure> {
    let key = stage.scratch.join("definitions.key");
    said(stage, &["defs", "keygen", "--out", &key.to_string_lossy()])?;
    let keys = stage.data.join("keys");
    let failed = |error: std::io::Error| Failure::No(format!("cannot write {}: {error}", keys.display()));
    std::fs::create_dir_all(&keys).map_err(failed)?;
    std::fs::copy(stage.scratch.join("definitions.key.pub"), keys.join("definitions.pub")).map_err(failed)?;
    let test_file = line("Demo.TestFile", &corpus::eicar()[..40]);
    install(stage, 1, &test_file, "")?;
    let began = Instant::now();
    until(stage, "every sample is answered", |stage| Ok(count(stage, "Quarantined")? == 0))?;
    let (items, known, held) = (stage.count()?, count(stage, "Available")?, count(stage, "Held")?);
    let took = began.elapsed().as_secs_f64();
    stage.narrator.check(
        known >= 3 && known + held == items,
        &format!(
            "{} items answered in {took:.1} s: {known} detected, {} unknown and held",
            grouped(items),
            grouped(held)
        ),
    )?;

    let item = forward(stage)?;
    until(stage, "the letter is scanned", |stage| Ok(status(stage, item)? == "Held"))?;
    stage
        .narrator
        .check(true, &format!("item {item}, a letter with a worm that definitions 1 do not know, is Held"))?;
    let both = format!("{test_file}{}", line("Demo.Worm", WORM));
    let package = build(stage, 2, &both, "Demo.Worm;truncate match\n")?;
    said(stage, &["defs", "test", &package])?;
    let began = Instant::now();
    said(stage, &["defs", "install", &package])?;
    until(stage, "the letter is detected", |stage| Ok(status(stage, item)? == "Available"))?;
    let took = began.elapsed().as_secs_f64();
    stage.narrator.check(true, &format!("{took:.2} s from the package to the item's status Available"))?;
    for action in stage.get(&format!("/v1/items/{item}"), &[])?["actions"].as_array().into_iter().flatten() {
        let text = |name: &str| action.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        stage.narrator.tell(&format!("{}  {}", text("at"), text("what")))?;
    }
    let out = stage.scratch.join("repaired");
    std::fs::create_dir_all(&out).map_err(failed)?;
    said(stage, &["items", "repair", &item.to_string(), "--to", &out.to_string_lossy()])?;
    let repaired = std::fs::read(out.join(format!("{item}-letter.txt"))).unwrap_or_default();
    stage.narrator.check(repaired == LETTER, "the repaired letter is what it was before the worm came")
}

fn forward(stage: &mut Stage) -> Result<u64, Failure> {
    let client = stage.client()?;
    let parcel = Parcel {
        client: "desk-0042".to_owned(),
        name: "C:\\Users\\anna\\letter.txt".to_owned(),
        content: [LETTER, WORM].concat().into(),
        key: "worm".to_owned(),
    };
    let (acks, failure) = stage.forward(&client, vec![parcel], 1);
    if let Some(failure) = failure {
        return Err(failure);
    }
    let ack = acks.into_iter().next().ok_or_else(|| Failure::No("the letter has no ack".to_owned()))?;
    stage.truth.acked(ack.item, ack.digest, ack.bytes);
    Ok(ack.item)
}

/// A signature over these bytes.
fn line(name: &str, bytes: &[u8]) -> String {
    let mut line = format!("{name}:0:*:");
    for byte in bytes {
        // A string takes whatever is written.
        let _ = write!(line, "{byte:02x}");
    }
    line + "\n"
}

fn build(stage: &mut Stage, sequence: u64, ndb: &str, repair: &str) -> Result<String, Failure> {
    let dir = stage.scratch.join(format!("definitions-{sequence}"));
    std::fs::create_dir_all(&dir).map_err(|error| Failure::No(format!("cannot make {}: {error}", dir.display())))?;
    write(&dir.join("main.ndb"), ndb.as_bytes())?;
    if !repair.is_empty() {
        write(&dir.join("main.repair"), repair.as_bytes())?;
    }
    let path = |name: &str| stage.scratch.join(name).to_string_lossy().into_owned();
    let (key, package, number) = (path("definitions.key"), path(&format!("{sequence}.lzd")), sequence.to_string());
    said(stage, &["defs", "build", &dir.to_string_lossy(), "--sequence", &number, "--key", &key, "--out", &package])?;
    Ok(package)
}

fn install(stage: &mut Stage, sequence: u64, ndb: &str, repair: &str) -> Result<(), Failure> {
    let package = build(stage, sequence, ndb, repair)?;
    said(stage, &["defs", "install", &package])
}

/// Runs a command and shows what it says.
fn said(stage: &mut Stage, arguments: &[&str]) -> Result<(), Failure> {
    stage.narrator.command(&format!("lazaret {}", arguments.join(" ")))?;
    let output = stage.run(arguments)?;
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        stage.narrator.tell(line)?;
    }
    if output.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(Failure::No(format!("lazaret {}: {why}", arguments.first().copied().unwrap_or_default())))
}

fn count(stage: &Stage, status: &str) -> Result<u64, Failure> {
    let query = [("status", status.to_owned())];
    Ok(stage.get("/v1/items/count", &query)?.get("count").and_then(Value::as_u64).unwrap_or(0))
}

fn status(stage: &Stage, item: u64) -> Result<String, Failure> {
    let item = stage.get(&format!("/v1/items/{item}"), &[])?;
    Ok(item.get("status").and_then(Value::as_str).unwrap_or_default().to_owned())
}

fn until(stage: &Stage, what: &str, holds: impl Fn(&Stage) -> Result<bool, Failure>) -> Result<(), Failure> {
    let began = Instant::now();
    while !holds(stage)? {
        if began.elapsed() > DEADLINE {
            return Err(Failure::No(format!("{} s have passed and it is not so that {what}", DEADLINE.as_secs())));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
