//! How fast the catalogue takes items and gives pages: `catalogue_rate [ITEMS=2000000] [CLIENTS=10000]
//! [WRITER_CACHE_MIB=64]`.
//!
//! Items come from clients in no order, every fifth is a duplicate of an earlier sample.
//! Prints rows a second per tenth of the run, then page times for several filters, as one JSON object.

#![allow(clippy::print_stdout, reason = "an example reports on stdout")]

use engine::catalogue::{Catalogue, CatalogueHealth, CatalogueSettings, Change, Entry, Filter};
use model::{Arrival, Blake3, ItemId, RawBytes, SampleId, Sha256, Status, StoredBytes};
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let items: u64 = arguments.next().map_or(Ok(2_000_000), |text| text.parse())?;
    let clients: u64 = arguments.next().map_or(Ok(10_000), |text| text.parse())?;
    let cache_mib: usize = arguments.next().map_or(Ok(64), |text| text.parse())?;
    let directory = tempfile::tempdir_in(".")?;
    let settings = CatalogueSettings { writer_cache_bytes: cache_mib << 20, ..CatalogueSettings::default() };
    let catalogue = Catalogue::open(&directory.path().join("catalogue.sqlite"), settings)?;

    let begun = Instant::now();
    let (mut tenths, mut tenth_begun) = (Vec::new(), Instant::now());
    let mut random = Random(1);
    let mut batch = Vec::with_capacity(1_000);
    for id in 1..=items {
        batch.push(Change::Arrived(entry(id, clients, &mut random)));
        if batch.len() == 1_000 || id == items {
            catalogue.feed(std::mem::take(&mut batch));
        }
        if id % (items / 10).max(1) == 0 {
            if !catalogue.reach(id, Duration::from_secs(600)) {
                return Err(format!("stopped at {}: {:?}", catalogue.watermark(), catalogue.health()).into());
            }
            tenths.push((items as f64 / 10.0 / tenth_begun.elapsed().as_secs_f64()) as u64);
            tenth_begun = Instant::now();
        }
    }
    let rate = (items as f64 / begun.elapsed().as_secs_f64()) as u64;
    // What the owner thread would do on a core of its own; on a busy machine the rate above says little.
    let cpu_rate = (items as f64 / owner_cpu_seconds()) as u64;
    assert_eq!(catalogue.health(), CatalogueHealth::Running);

    let mut pages = serde_json::Map::new();
    let quarantined = vec![Status::Quarantined];
    for (name, filter) in [
        ("newest", Filter::default()),
        ("status", Filter { statuses: quarantined.clone(), ..Filter::default() }),
        ("status_rare", Filter { statuses: vec![Status::Held, Status::Error], ..Filter::default() }),
        ("client", Filter { client: Some("client-7.example".to_owned()), ..Filter::default() }),
        (
            "client_status",
            Filter { client: Some("client-7.example".to_owned()), statuses: quarantined, ..Filter::default() },
        ),
        ("sample", Filter { samples: Some(vec![SampleId(1)]), ..Filter::default() }),
        (
            "time",
            Filter { since_ms: Some(items as i64 / 2), until_ms: Some(items as i64 / 2 + 5_000), ..Filter::default() },
        ),
        (
            "client_time",
            Filter {
                client: Some("client-7.example".to_owned()),
                until_ms: Some(items as i64 / 3),
                ..Filter::default()
            },
        ),
    ] {
        let mut times: Vec<Duration> = Vec::new();
        let mut cursor = None;
        for _ in 0..200 {
            let asked = Instant::now();
            let page = catalogue.page(&filter, 100, cursor.as_ref())?;
            times.push(asked.elapsed());
            cursor = page.next;
        }
        times.sort_unstable();
        let at = |share: f64| (times[(times.len() as f64 * share) as usize].as_secs_f64() * 1e6) as u64;
        pages.insert(name.to_owned(), serde_json::json!({"p50_us": at(0.5), "p99_us": at(0.99)}));
    }
    let counted = Instant::now();
    catalogue.count(&Filter { client: Some("client-7.example".to_owned()), since_ms: Some(1), ..Filter::default() })?;
    let count_us = counted.elapsed().as_micros() as u64;
    catalogue.close();
    let bytes = std::fs::metadata(catalogue.path())?.len();
    let report = serde_json::json!({
        "items": items, "clients": clients, "writer_cache_mib": cache_mib, "items_per_s": rate, "items_per_owner_cpu_s": cpu_rate, "items_per_s_by_tenth": tenths,
        "file_bytes_per_item": bytes as f64 / items as f64, "page_of_100": pages, "count_client_time_us": count_us,
        "peak_rss_bytes": peak_rss_bytes(),
    });
    println!("{report:#}");
    Ok(())
}

fn entry(id: u64, clients: u64, random: &mut Random) -> Entry {
    let sample = if id.is_multiple_of(5) { 1 + random.below(id) } else { id };
    let mut blake3 = [0; 32];
    blake3[..8].copy_from_slice(&sample.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    Entry {
        item: ItemId(id),
        sample: SampleId(sample),
        blake3: Blake3(blake3),
        sha256: Sha256(blake3),
        raw: RawBytes(4_096 + random.below(100_000)),
        stored: StoredBytes(2_048 + random.below(50_000)),
        arrival: Arrival {
            received_at_ms: id as i64,
            managed: true,
            client: format!("client-{}.example", random.below(clients)),
            parent_server: format!("relay-{}.example", random.below(40)),
            name: format!("C:\\Users\\person{}\\AppData\\Local\\Temp\\download-{id}.exe", random.below(1_000)),
            reason: "infected, could not be cleaned".to_owned(),
            platform: "windows-11-x86_64".to_owned(),
            ..Arrival::default()
        },
        brings_sample: sample == id,
    }
}

/// The most memory that the process ever held, as Linux counts it; 0 elsewhere.
fn peak_rss_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// Processor time of the owner thread so far, user and system, as Linux counts it in ticks of 10 ms.
fn owner_cpu_seconds() -> f64 {
    let mut ticks = 0_u64;
    for task in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        if let Some((_, rest)) = stat.rsplit_once(')').filter(|(name, _)| name.ends_with("(catalogue")) {
            ticks += rest.split_whitespace().skip(11).take(2).filter_map(|text| text.parse::<u64>().ok()).sum::<u64>();
        }
    }
    ticks as f64 / 100.0
}

/// xorshift64*: the same run every time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % end
    }
}
