//! Workers that open samples and try rules are killed while the server scans: nothing is lost, and the server goes on.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, reason = "the size of a run is worth a line")]

mod support;

use serde_json::json;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use support::Server;
use support::sets::{finds, package, scanning};

/// In a test run; `LAZARET_CYCLES` asks for more.
const KILLS: u64 = 60;
const SAMPLES: u64 = 120;
/// Between two kills: some samples long, so that few meet the end of two workers.
const PAUSE: Duration = Duration::from_millis(15);

/// Processes that this one has started as workers, not yet waited for ones aside.
fn workers() -> Vec<u32> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").expect("/proc").flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // They may end while they are looked at.
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        let Ok(line) = std::fs::read(entry.path().join("cmdline")) else { continue };
        let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)?.parse::<u32>().ok());
        let is_worker = line.split(|byte| *byte == 0).any(|word| word.ends_with(b"-worker"));
        if parent == Some(std::process::id()) && is_worker {
            found.push(id);
        }
    }
    found
}

fn open_files() -> usize {
    std::fs::read_dir(Path::new("/proc/self/fd")).expect("descriptors").count()
}

/// What every sample must be in the end.
fn wanted(number: u64) -> (&'static str, &'static str) {
    match number % 3 {
        0 => ("a text with a wolf in it", "Available"),
        1 => ("a text with a bear in it", "Available"),
        _ => ("a text with neither", "Held"),
    }
}

fn full_retest(server: &Server) {
    let body = json!({"action": "start", "full": true}).to_string();
    // Refused while one goes on.
    server.request("POST", "/v1/retests", &[], body.as_bytes());
}

#[test]
fn workers_killed_at_random_cost_no_sample_and_never_the_server() {
    let kills: u64 = std::env::var("LAZARET_CYCLES").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let server = scanning(|_| {});
    let yar = "rule bear { strings: $a = \"a bear in it\" condition: $a }\n";
    let files = [("a.ndb", finds("Test.Wolf", "a wolf in it")), ("a.yar", yar.to_owned())];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    assert_eq!(server.install(&package(1, &files)).status, 201);
    let first = server.store(b"a text with a wolf in it, the first");
    server.item_when(first, "Available");
    let files_before = open_files();

    let done = AtomicBool::new(false);
    let mut killed = 0;
    let mut items = Vec::new();
    std::thread::scope(|scope| {
        let again = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                full_retest(&server);
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        let mut draw = 0x9e37_79b9_7f4a_7c15_u64;
        while killed < kills {
            if (items.len() as u64) < SAMPLES {
                let number = items.len() as u64;
                items.push((number, server.store(format!("{number}: {}", wanted(number).0).as_bytes())));
            }
            let workers = workers();
            draw = draw.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            if let Some(worker) = workers.get((draw >> 33) as usize % workers.len().max(1)) {
                // It may have ended by itself: workers are replaced after a while.
                let sent = Command::new("kill").args(["-KILL", &worker.to_string()]).output().expect("kill");
                killed += u64::from(sent.status.success());
            }
            std::thread::sleep(PAUSE);
        }
        done.store(true, Ordering::Relaxed);
        again.join().expect("it does not panic");
    });

    // Those that met the end of two workers are in Error, with the reason; what was found before stands.
    let mut faulty = 0;
    for (number, item) in &items {
        let status = server.eventually("an answer", || {
            let status = server.item(*item)["status"].as_str().unwrap_or_default().to_owned();
            (status != "Quarantined").then_some(status)
        });
        faulty += u64::from(status == "Error");
        assert!(status == "Error" || status == wanted(*number).1, "item {item}: {}", server.item(*item));
    }
    assert!(faulty * 20 <= items.len() as u64, "{faulty} of {} samples met two deaths", items.len());
    // And a re-test in peace agrees with what was answered in between.
    let full = server.eventually("a full re-test in peace", || {
        let newest = server.get("/v1/retests").json()["retests"][0].clone();
        if newest["state"] == "done" && newest["faults"] == 0 {
            return Some(newest);
        }
        full_retest(&server);
        std::thread::sleep(Duration::from_millis(50));
        None
    });
    assert_eq!(full["no_longer_detected"], 0, "{full}");
    for (number, item) in &items {
        let item = server.item(*item);
        assert!(item["status"] == "Error" || item["status"] == wanted(*number).1, "{item}");
    }
    let files_after = open_files();
    assert!(files_after <= files_before + 16, "{files_before} descriptors before, {files_after} after");
    println!("{killed} workers killed, {} samples, {faulty} of them met two deaths", items.len());
}
