//! Every stored sample answers to new definitions.
//!
//! ```text
//! verdict  -> Stock      stock     which samples were scanned, with which set, on which shelf
//! samples  -> Facts      larder    what their first scan saw of them, until they are on a shelf
//! Facts    -> shelf      shelve    what a delta asks instead of the samples, stored by `shelves`, begun by `keeping`
//! old, new -> Change     change    what is new, what is gone, and who had it
//! Change   -> answers    delta     one shelf asked, candidates read, the rest left alone
//! shelves  -> answers    asking    all that are behind, on every processor
//! samples  -> answers    full      every sample, with the whole set
//! samples  -> Trial      trial     what a set would find that is not in use
//! all      -> Book       driver    one at a time, below intake, paused and resumed, through restarts
//! ```
//!
//! 1. What was found is written together with the mark that it holds for the new set, and with the samples whose items
//!    are then to be looked at: a kill at any point repeats work and loses none.
//! 2. A re-test changes no status; the control loop does, from what it wrote.

mod asking;
mod book;
mod change;
mod delta;
mod driver;
mod keeping;
mod larder;
mod rescan;
mod shelve;
mod shelves;
mod stock;
mod trial;

pub use book::{Extent, Retest, State};
pub use driver::Driver;
pub use larder::Larder;
pub use stock::{Loose, Stock};
pub use trial::{Trial, trial};

use crate::daemon::clock;
use book::Book;
use engine::catalogue::SampleVerdict;
use model::SampleId;
use parking_lot::{Condvar, Mutex};
use scanner::retest::Facts;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// What the daemon knows of re-tests; shared by the driver, the control loop and the doors.
pub struct Retests {
    book: Mutex<Book>,
    stock: Mutex<Stock>,
    larder: Arc<Larder>,
    told: Mutex<Told>,
    wake: Condvar,
}

/// What the driver is told.
#[derive(Debug, Default)]
struct Told {
    look: bool,
    stop: bool,
}

impl Retests {
    /// What an earlier process left.
    pub fn new(data: &Path) -> Self {
        Self {
            book: Mutex::new(Book::open(&data.join("retests.json"))),
            stock: Mutex::default(),
            larder: Arc::default(),
            told: Mutex::default(),
            wake: Condvar::new(),
        }
    }

    /// The verdict with the newest set that it holds for.
    pub fn current(&self, verdict: SampleVerdict) -> SampleVerdict {
        self.stock.lock().current(verdict)
    }

    /// A sample was scanned for the first time, and its verdict is durable.
    pub fn scanned(&self, sample: SampleId, loose: Loose, facts: Option<Box<Facts>>) {
        if let (true, Some(facts)) = (self.stock.lock().scanned(sample, loose), facts) {
            self.larder.keep(sample, *facts);
        }
    }

    /// Where facts of scanned samples wait for their shelf.
    pub fn larder(&self) -> &Arc<Larder> {
        &self.larder
    }

    /// Definitions changed, or somebody wants something.
    pub fn look(&self) {
        self.told.lock().look = true;
        self.wake.notify_all();
    }

    /// Asks for a full re-test. False when one is wanted or under way already.
    pub fn want_full(&self, who: &str) -> bool {
        let mut book = self.book.lock();
        let under_way = book.running().is_some_and(|retest| retest.extent == Extent::Full);
        if under_way || book.full_wanted_by.is_some() {
            return false;
        }
        book.full_wanted_by = Some(who.to_owned());
        book.save();
        drop(book);
        self.look();
        true
    }

    /// Lets re-tests wait, or go on. False when they do already.
    pub fn pause(&self, paused: bool) -> bool {
        let mut book = self.book.lock();
        if book.paused == paused {
            return false;
        }
        book.paused = paused;
        book.save();
        drop(book);
        self.look();
        true
    }

    /// Whether re-tests wait.
    pub fn is_paused(&self) -> bool {
        self.book.lock().paused
    }

    /// Samples that were scanned.
    pub fn samples(&self) -> u64 {
        self.stock.lock().samples()
    }

    /// Samples that the present re-test has not answered.
    pub fn remaining(&self) -> u64 {
        self.book.lock().running().map_or(0, |retest| retest.samples.saturating_sub(retest.answered))
    }

    /// For the API: whether re-tests wait, the newest first, samples on shelves and loose.
    pub fn told(&self) -> Value {
        let book = self.book.lock();
        let retests: Vec<_> = book.retests.iter().rev().collect();
        let stock = self.stock.lock();
        json!({
            "paused": book.paused,
            "full_wanted": book.full_wanted_by.is_some(),
            "samples": stock.samples(),
            "shelves": stock.shelves().count(),
            "unshelved_bytes": stock.loose_bytes(),
            "retests": retests,
        })
    }

    /// Changes the record of the present re-test.
    fn progress(&self, change: impl FnOnce(&mut Retest)) {
        if let Some(retest) = self.book.lock().running() {
            change(retest);
        }
    }

    fn end(&self, state: State) {
        let mut book = self.book.lock();
        book.end(state, clock::now());
        book.save();
    }

    fn stop(&self) {
        self.told.lock().stop = true;
        self.wake.notify_all();
    }

    fn is_stopping(&self) -> bool {
        self.told.lock().stop
    }

    /// Waits until told something, at most this long; false when told to stop.
    fn wait(&self, at_most: Duration) -> bool {
        let mut told = self.told.lock();
        if !told.look && !told.stop {
            self.wake.wait_for(&mut told, at_most);
        }
        told.look = false;
        !told.stop
    }
}
