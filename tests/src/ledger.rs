//! Every ack a victim ever gave for one store, and the judgement of the store by them.

use crate::sample;
use crate::victim::{Ack, OPEN_OR_FORK};
use engine::catalogue::Filter;
use engine::disk::Disk;
use engine::{Engine, Settings};
use model::Item;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// Items asked for at once.
const PAGE_ITEMS: usize = 500;

/// A catalogue that commits nothing for so long hangs.
const CATCH_UP: Duration = Duration::from_secs(60);

/// What was acknowledged, and which of it has been read back.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Item by the index of its sample.
    acked: BTreeMap<u64, u64>,
    /// Items up to this one were read back by an earlier check and are not read again until the last.
    read_up_to: u64,
}

/// How much of a store is read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Lists every item, reads back those that came since the last check.
    New,
    /// Lists and reads back every item.
    All,
}

/// What is wrong with a store. Empty means that it keeps its promise.
#[derive(Debug, Default)]
pub struct Findings {
    /// Acknowledged, and not listed or not readable.
    pub lost: Vec<String>,
    /// Listed, and other than it was sent, or twice.
    pub wrong: Vec<String>,
    /// Items listed.
    pub listed: usize,
}

impl Findings {
    /// Whether nothing is lost and nothing is wrong.
    #[must_use]
    pub fn are_none(&self) -> bool {
        self.lost.is_empty() && self.wrong.is_empty()
    }
}

/// Settings under which small loads meet the engine's rare paths: tiny segments, large samples soon.
#[must_use]
pub fn settings() -> Settings {
    Settings {
        max_bytes: 1 << 30,
        segment_bytes: Some(4 << 20),
        large_bytes_min: sample::LARGE_BYTES_MIN,
        prepare_bytes: 256 << 10,
        ..Settings::default()
    }
}

impl Ledger {
    /// Adds what a victim acknowledged.
    ///
    /// # Panics
    /// A sample was acknowledged twice, as two items.
    pub fn add(&mut self, acks: &[Ack]) {
        for ack in acks {
            let before = self.acked.insert(ack.index, ack.item);
            assert!(before.is_none_or(|item| item == ack.item), "{ack:?} was acknowledged before as item {before:?}");
        }
    }

    /// How many samples were acknowledged.
    #[must_use]
    pub fn len(&self) -> usize {
        self.acked.len()
    }

    /// Whether none was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.acked.is_empty()
    }

    /// Opens the store, which recovers it, and compares.
    ///
    /// # Errors
    /// The store does not open, or cannot be listed.
    pub fn judge(&mut self, store: &Path, disk: Arc<dyn Disk>, depth: Depth) -> Result<Findings, String> {
        let _open = OPEN_OR_FORK.read().unwrap_or_else(PoisonError::into_inner);
        let (engine, recovery) =
            Engine::open(store, settings(), disk).map_err(|error| format!("the store does not open: {error:?}"))?;
        let items = list(&engine)?;
        let mut findings = Findings { listed: items.len(), ..Findings::default() };
        if !recovery.damage.is_empty() {
            findings.wrong.push(format!("recovery found damage: {:?}", recovery.damage));
        }
        self.compare(&engine, &items, depth, &mut findings);
        engine.close();
        // The store's lock goes with it, before the turn does.
        drop(engine);
        Ok(findings)
    }

    fn compare(&mut self, engine: &Engine, items: &[Item], depth: Depth, findings: &mut Findings) {
        let mut by_index: BTreeMap<u64, u64> = BTreeMap::new();
        for item in items {
            let Some(index) = sample::index_of(&item.name) else {
                findings.wrong.push(format!("item {} has a name that nobody sent: {:?}", item.id, item.name));
                continue;
            };
            if let Some(other) = by_index.insert(index, item.id.0) {
                findings.wrong.push(format!("sample {index} is listed twice, as items {other} and {}", item.id));
            }
            let already = depth == Depth::New && item.id.0 <= self.read_up_to;
            if already {
                continue;
            }
            match read_back(engine, item, index) {
                Ok(()) => {}
                Err(what) if self.acked.contains_key(&index) => findings.lost.push(what),
                Err(what) => findings.wrong.push(format!("listed but never acknowledged: {what}")),
            }
        }
        for (index, item) in &self.acked {
            match by_index.get(index) {
                Some(listed) if listed == item => {}
                Some(listed) => {
                    findings.wrong.push(format!("sample {index}: acknowledged as item {item}, listed as {listed}"))
                }
                None => findings.lost.push(format!("sample {index}, acknowledged as item {item}, is not listed")),
            }
        }
        self.read_up_to = items.iter().map(|item| item.id.0).max().unwrap_or(0).max(self.read_up_to);
    }
}

/// Every item, once the catalogue has what opening fed it from the log.
fn list(engine: &Engine) -> Result<Vec<Item>, String> {
    let catalogue = engine.catalogue();
    while catalogue.lag() > 0 {
        if !catalogue.reach(catalogue.watermark() + 1, CATCH_UP) {
            return Err(format!("the catalogue stands at {} with {} to go", catalogue.watermark(), catalogue.lag()));
        }
    }
    let mut items = Vec::new();
    let mut cursor = None;
    loop {
        let page = catalogue
            .page(&Filter::default(), PAGE_ITEMS, cursor.as_ref())
            .map_err(|error| format!("the items cannot be listed: {error}"))?;
        items.extend(page.items);
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok(items),
        }
    }
}

/// Compares an item's bytes with those that were sent.
fn read_back(engine: &Engine, item: &Item, index: u64) -> Result<(), String> {
    let what = format!("sample {index}, item {}", item.id);
    let expected = sample::content(index);
    let sample = engine
        .sample(&item.sample.blake3)
        .map_err(|error| format!("{what} cannot be found: {error}"))?
        .ok_or_else(|| format!("{what} is listed, but its bytes are unknown"))?;
    let bytes = sample.read(0, expected.len() + 1).map_err(|error| format!("{what} cannot be read: {error}"))?;
    if bytes == expected {
        return Ok(());
    }
    let at = bytes.iter().zip(&expected).position(|(one, other)| one != other);
    Err(format!("{what}: {} bytes where {} were sent, first difference at {at:?}", bytes.len(), expected.len()))
}
