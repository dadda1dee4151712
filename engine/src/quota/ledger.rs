//! A ledger of what is stored and what has been promised.
//!
//! 1. `charged + reserved <= limit` holds after every call; a [`Permit`] is granted only within it.
//! 2. A permit reserves the worst case of its arrival; what turns out smaller is given back at settlement.
//! 3. Deletions are never refused: a share of the limit is kept for them, and they end in less.
//! 4. New samples and known ones each have a part that the other cannot take.

use parking_lot::Mutex;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::disk::PAGE_BYTES;
use crate::pack::{TAG_BYTES, block_count};
use crate::segment::batch::BATCH_OVERHEAD_BYTES;
use crate::segment::footer::ENTRY_BYTES;
use crate::segment::record::{HEAD_BYTES, META_BYTES_MAX};

/// Charged for an item besides its record: its row in the catalogue and that row's index entries.
pub const ITEM_BYTES: u64 = 512;
/// Charged for a sample besides its record: its slot in the dedupe index.
pub const SLOT_BYTES: u64 = 20;
/// Charged when a segment is made, corrected when it is sealed: its header page, and what its footer may take besides
/// the entries.
pub(crate) const SEGMENT_SLACK_BYTES: u64 = 3 * PAGE_BYTES as u64;
/// Permits that may be out at once; with it every queue behind them is bounded.
pub const PERMITS_MAX: u64 = 4096;
/// Plain bytes that permits may cover at once, which bounds the memory of bodies in flight.
pub const IN_FLIGHT_BYTES_MAX: u64 = 256 << 20;
/// A pause that lets a batch or two through.
const SHORT_PAUSE_MS: u64 = 200;

/// How full the store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Below the low watermark.
    Normal,
    /// Past the low watermark: an alert.
    Low,
    /// Past the high watermark: intake is slowed.
    High,
    /// Nothing new fits.
    Full,
}

/// What the quota stands at. All in bytes or counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct QuotaState {
    /// Charged: physical records, their share of the index, the items.
    pub used_bytes: u64,
    /// The limit.
    pub max_bytes: u64,
    /// Distinct samples.
    pub used_samples: u64,
    /// Their limit.
    pub max_samples: u64,
    /// Promised to arrivals in flight.
    pub reserved_bytes: u64,
    /// The part of `used_bytes` that is kept beside the samples and derived from them.
    pub derived_bytes: u64,
    /// Items.
    pub items: u64,
    /// Space prepared ahead of the lane; not charged.
    pub prepared_bytes: u64,
    /// Free on the filesystem.
    pub free_disk_bytes: u64,
    /// How full that is.
    pub level: Level,
}

/// Why intake should slow down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SlowReason {
    /// Too many arrivals are in flight.
    InFlight,
    /// The catalogue is behind the log by more than its bound.
    CatalogueLag,
}

/// What is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FullReason {
    /// The limit in bytes.
    Bytes,
    /// The limit in samples.
    Samples,
    /// This client's share, while the store is past its low watermark.
    ClientShare,
    /// The filesystem itself.
    Disk,
}

/// An arrival that is not admitted. It was refused before its body was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Larger than one sample may be.
    #[error("the sample has {bytes} bytes where one sample may have {limit}")]
    TooLarge {
        /// Its plain bytes.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// Come back a little later.
    #[error("slow down and try again in {retry_after_ms} ms: {}", match reason {
        SlowReason::InFlight => "too many arrivals are in flight",
        SlowReason::CatalogueLag => "the catalogue is catching up",
    })]
    SlowDown {
        /// When to come back.
        retry_after_ms: u64,
        /// Why.
        reason: SlowReason,
    },
    /// The store is full.
    #[error("the store is full: {}", match what {
        FullReason::Bytes => format!("{} of {} bytes are used", quota.used_bytes, quota.max_bytes),
        FullReason::Samples if quota.used_samples < quota.max_samples => format!("{} of {} samples are stored, and the other places are promised to arrivals under way", quota.used_samples, quota.max_samples),
        FullReason::Samples => format!("{} of {} samples are stored", quota.used_samples, quota.max_samples),
        FullReason::ClientShare => "this client's share of it is used up".to_owned(),
        FullReason::Disk => format!("its filesystem has only {} bytes left", quota.free_disk_bytes),
    })]
    Full {
        /// What is full.
        what: FullReason,
        /// The quota as it stood.
        quota: QuotaState,
    },
    /// The store has stopped writing after a failed write.
    #[error("the store has stopped after a failed write and must be opened again")]
    Stopped,
}

/// The limits, changeable at run time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) max_bytes: u64,
    pub(crate) max_samples: u64,
    pub(crate) low_percent: u8,
    pub(crate) high_percent: u8,
    pub(crate) sample_bytes_max: u64,
    pub(crate) client_share_percent: u8,
    /// Free disk that is never given away: one segment, for deleting and compaction.
    pub(crate) disk_reserve_bytes: u64,
}

impl Limits {
    /// Kept for deletion records.
    fn deletion_reserve(&self) -> u64 {
        (self.max_bytes / 256).clamp(2 * BATCH_OVERHEAD_BYTES as u64, 8 << 20)
    }

    /// What new samples and known ones together may take.
    fn arrivals_max(&self) -> u64 {
        self.max_bytes.saturating_sub(self.deletion_reserve())
    }

    /// Kept for arrivals of known samples.
    fn known_reserve(&self) -> u64 {
        self.max_bytes / 64
    }

    /// What arrivals of known samples may take at most.
    fn known_max(&self) -> u64 {
        self.max_bytes / 4
    }
}

#[derive(Debug, Default)]
struct Books {
    /// Physical bytes of records, batches, headers and footers.
    file_bytes: u64,
    /// The part of `file_bytes` and of the items' charge that known samples' arrivals took.
    known_bytes: u64,
    /// Bytes of what others keep beside the samples and derive from them.
    derived_bytes: u64,
    items: u64,
    samples: u64,
    reserved_bytes: u64,
    reserved_known_bytes: u64,
    reserved_samples: u64,
    permits: u64,
    in_flight_bytes: u64,
    clients: HashMap<String, u64>,
}

impl Books {
    fn charged(&self) -> u64 {
        self.file_bytes + self.derived_bytes + self.items * ITEM_BYTES + self.samples * SLOT_BYTES
    }
}

/// The ledger of a store.
#[derive(Debug)]
pub(crate) struct Ledger {
    books: Mutex<Books>,
    limits: Mutex<Limits>,
    free_disk_bytes: AtomicU64,
    prepared_bytes: AtomicU64,
}

/// What an arrival settles at, once it is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settlement {
    /// Bytes of its record.
    pub(crate) record_bytes: u64,
    /// It brought a new sample.
    pub(crate) new_sample: bool,
}

impl Ledger {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            books: Mutex::default(),
            limits: Mutex::new(limits),
            free_disk_bytes: AtomicU64::new(u64::MAX),
            prepared_bytes: AtomicU64::new(0),
        }
    }

    /// Grants a permit for an arrival of `raw_bytes`, or says what stands against it.
    pub(crate) fn admit(self: &Arc<Self>, raw_bytes: u64, known: bool, client: &str) -> Result<Permit, Refusal> {
        let limits = *self.limits.lock();
        if raw_bytes > limits.sample_bytes_max {
            return Err(Refusal::TooLarge { bytes: raw_bytes, limit: limits.sample_bytes_max });
        }
        let bytes = if known { known_worst_case() } else { worst_case(raw_bytes) };
        let mut books = self.books.lock();
        let in_flight = if known { 0 } else { raw_bytes };
        // One arrival may always be in flight, however large, else it could never be admitted.
        if books.permits >= PERMITS_MAX || books.permits > 0 && books.in_flight_bytes + in_flight > IN_FLIGHT_BYTES_MAX
        {
            return Err(Refusal::SlowDown { retry_after_ms: SHORT_PAUSE_MS, reason: SlowReason::InFlight });
        }
        if let Some(what) = self.obstacle(&books, &limits, bytes, known, client) {
            let quota = self.state(&books, &limits);
            return Err(Refusal::Full { what, quota });
        }
        books.reserved_bytes += bytes;
        books.reserved_known_bytes += if known { bytes } else { 0 };
        books.reserved_samples += u64::from(!known);
        books.permits += 1;
        books.in_flight_bytes += in_flight;
        Ok(Permit {
            ledger: Arc::clone(self),
            bytes,
            known,
            in_flight,
            limit: limits.sample_bytes_max,
            client: client.to_owned(),
        })
    }

    fn obstacle(&self, books: &Books, limits: &Limits, bytes: u64, known: bool, client: &str) -> Option<FullReason> {
        let committed = books.charged() + books.reserved_bytes + bytes;
        let own_part =
            if known { limits.arrivals_max() } else { limits.arrivals_max().saturating_sub(limits.known_reserve()) };
        if committed > own_part || known && books.known_bytes + books.reserved_known_bytes + bytes > limits.known_max()
        {
            return Some(FullReason::Bytes);
        }
        if !known && books.samples + books.reserved_samples + 1 > limits.max_samples {
            return Some(FullReason::Samples);
        }
        let free = self.free_disk_bytes.load(Ordering::Relaxed);
        if free < limits.disk_reserve_bytes.saturating_add(books.reserved_bytes + bytes) {
            return Some(FullReason::Disk);
        }
        let share = limits.max_bytes / 100 * u64::from(limits.client_share_percent);
        let past_low = committed > limits.max_bytes / 100 * u64::from(limits.low_percent);
        let clients_own = books.clients.get(client).copied().unwrap_or(0);
        (past_low && limits.client_share_percent < 100 && clients_own + bytes > share)
            .then_some(FullReason::ClientShare)
    }

    fn state(&self, books: &Books, limits: &Limits) -> QuotaState {
        let used_bytes = books.charged();
        let percent = |percent: u8| limits.max_bytes / 100 * u64::from(percent);
        let samples_percent = |percent: u8| limits.max_samples / 100 * u64::from(percent);
        let past = |percent_of: u8| used_bytes > percent(percent_of) || books.samples > samples_percent(percent_of);
        let smallest = known_worst_case().max(worst_case(0));
        let level = if used_bytes + books.reserved_bytes + smallest > limits.arrivals_max()
            || books.samples >= limits.max_samples
        {
            Level::Full
        } else if past(limits.high_percent) {
            Level::High
        } else if past(limits.low_percent) {
            Level::Low
        } else {
            Level::Normal
        };
        QuotaState {
            used_bytes,
            max_bytes: limits.max_bytes,
            used_samples: books.samples,
            max_samples: limits.max_samples,
            reserved_bytes: books.reserved_bytes,
            derived_bytes: books.derived_bytes,
            items: books.items,
            prepared_bytes: self.prepared_bytes.load(Ordering::Relaxed),
            free_disk_bytes: self.free_disk_bytes.load(Ordering::Relaxed),
            level,
        }
    }

    pub(crate) fn quota(&self) -> QuotaState {
        let limits = *self.limits.lock();
        self.state(&self.books.lock(), &limits)
    }

    pub(crate) fn change_limits(&self, change: impl FnOnce(&mut Limits)) {
        change(&mut self.limits.lock());
    }

    pub(crate) fn set_free_disk(&self, bytes: u64) {
        self.free_disk_bytes.store(bytes, Ordering::Relaxed);
    }

    pub(crate) fn set_prepared(&self, bytes: u64) {
        self.prepared_bytes.store(bytes, Ordering::Relaxed);
    }

    /// Turns a permit into a charge.
    pub(crate) fn settle(&self, permit: Permit, settled: Settlement) {
        let charge = settled.record_bytes + ENTRY_BYTES as u64;
        let all = charge + ITEM_BYTES + if settled.new_sample { SLOT_BYTES } else { 0 };
        debug_assert!(all <= permit.bytes, "a permit covers the worst case: {all} of {}", permit.bytes);
        {
            let mut books = self.books.lock();
            books.file_bytes += charge;
            books.items += 1;
            if settled.new_sample {
                books.samples += 1;
            } else {
                books.known_bytes += charge + ITEM_BYTES;
            }
            match books.clients.get_mut(&permit.client) {
                Some(bytes) => *bytes += all,
                None => {
                    books.clients.insert(permit.client.clone(), all);
                }
            }
        }
        drop(permit);
    }

    /// Charges bytes that belong to no single arrival: batches' heads and padding, headers, footers, deletions. While
    /// arrivals of the same batch still hold their permits, these cover it.
    pub(crate) fn charge(&self, bytes: u64) {
        self.books.lock().file_bytes += bytes;
    }

    /// Gives back bytes of files that were unlinked.
    pub(crate) fn release(&self, bytes: u64) {
        let mut books = self.books.lock();
        books.file_bytes = books.file_bytes.saturating_sub(bytes);
    }

    /// A deleted item no longer counts; its record does until its segment goes.
    pub(crate) fn forget_item(&self, client: &str, record_bytes: u64, known: bool) {
        let mut books = self.books.lock();
        books.items = books.items.saturating_sub(1);
        let charge = record_bytes + ENTRY_BYTES as u64 + ITEM_BYTES;
        if known {
            books.known_bytes = books.known_bytes.saturating_sub(charge);
        }
        if let Some(bytes) = books.clients.get_mut(client) {
            *bytes = bytes.saturating_sub(charge);
            if *bytes == 0 {
                books.clients.remove(client);
            }
        }
    }

    /// A dropped sample no longer counts.
    pub(crate) fn forget_sample(&self) {
        let mut books = self.books.lock();
        books.samples = books.samples.saturating_sub(1);
    }

    /// What recovery found.
    pub(crate) fn restore(&self, file_bytes: u64, known_bytes: u64, items: u64, samples: u64) {
        let mut books = self.books.lock();
        books.file_bytes = file_bytes;
        books.known_bytes = known_bytes;
        books.items = items;
        books.samples = samples;
    }

    /// Charges what is to be kept beside the samples, as bytes of new samples would be; false when it does not fit.
    pub(crate) fn charge_derived(&self, bytes: u64) -> bool {
        let limits = *self.limits.lock();
        let mut books = self.books.lock();
        let committed = books.charged() + books.reserved_bytes + bytes;
        let free = self.free_disk_bytes.load(Ordering::Relaxed);
        let fits = committed <= limits.arrivals_max().saturating_sub(limits.known_reserve())
            && free >= limits.disk_reserve_bytes.saturating_add(books.reserved_bytes + bytes);
        books.derived_bytes += if fits { bytes } else { 0 };
        fits
    }

    /// Charges what is kept beside the samples already.
    pub(crate) fn restore_derived(&self, bytes: u64) {
        self.books.lock().derived_bytes += bytes;
    }

    /// What was kept beside the samples is gone.
    pub(crate) fn release_derived(&self, bytes: u64) {
        let mut books = self.books.lock();
        books.derived_bytes = books.derived_bytes.saturating_sub(bytes);
    }

    /// A client's charge, as the catalogue knows it after a start.
    pub(crate) fn restore_client(&self, client: String, bytes: u64) {
        self.books.lock().clients.insert(client, bytes);
    }
}

/// The most bytes that an arrival with `raw_bytes` of content can come to.
fn worst_case(raw_bytes: u64) -> u64 {
    let blocks = block_count(raw_bytes);
    raw_bytes + blocks * (TAG_BYTES as u64 + 4) + known_worst_case() + SLOT_BYTES
}

/// The most bytes that an arrival of a known sample can come to.
pub(crate) fn known_worst_case() -> u64 {
    (HEAD_BYTES + META_BYTES_MAX + 64 + ENTRY_BYTES + BATCH_OVERHEAD_BYTES) as u64 + SEGMENT_SLACK_BYTES + ITEM_BYTES
}

/// A slot and its bytes, held until the arrival is durable or given up; dropping it gives both back.
#[derive(Debug)]
pub struct Permit {
    ledger: Arc<Ledger>,
    bytes: u64,
    known: bool,
    in_flight: u64,
    limit: u64,
    client: String,
}

impl Permit {
    /// Plain bytes it covers at most, when the body is one of unknown length.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Reserves `more` bytes before they are written.
    pub(crate) fn grow(&mut self, more: u64) -> Result<(), Refusal> {
        let limits = *self.ledger.limits.lock();
        let mut books = self.ledger.books.lock();
        if let Some(what) = self.ledger.obstacle(&books, &limits, more, self.known, &self.client) {
            // The samples' slot is already this permit's own.
            if what != FullReason::Samples {
                return Err(Refusal::Full { what, quota: self.ledger.state(&books, &limits) });
            }
        }
        books.reserved_bytes += more;
        books.reserved_known_bytes += if self.known { more } else { 0 };
        self.bytes += more;
        Ok(())
    }

    /// Bytes already on disk are charged there and need no reservation any more.
    pub(crate) fn shrink(&mut self, bytes: u64) {
        let bytes = bytes.min(self.bytes);
        let mut books = self.ledger.books.lock();
        books.reserved_bytes -= bytes;
        books.reserved_known_bytes -= if self.known { bytes } else { 0 };
        self.bytes -= bytes;
    }

    /// Whether a new sample of so many plain bytes fits what was reserved.
    pub(crate) fn covers(&self, raw_bytes: u64) -> bool {
        !self.known && worst_case(raw_bytes) <= self.bytes
    }

    /// Plain bytes that are surely covered.
    pub(crate) fn covered_bytes(&self) -> u64 {
        if self.known { 0 } else { self.bytes.saturating_sub(worst_case(0)) }
    }

    /// Bytes it still reserves.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut books = self.ledger.books.lock();
        books.reserved_bytes -= self.bytes;
        books.reserved_known_bytes -= if self.known { self.bytes } else { 0 };
        books.reserved_samples -= u64::from(!self.known);
        books.permits -= 1;
        books.in_flight_bytes -= self.in_flight;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(max_bytes: u64, max_samples: u64) -> Arc<Ledger> {
        Arc::new(Ledger::new(Limits {
            max_bytes,
            max_samples,
            low_percent: 80,
            high_percent: 90,
            sample_bytes_max: 1 << 20,
            client_share_percent: 100,
            disk_reserve_bytes: 0,
        }))
    }

    /// Admits and settles at the worst case until refused.
    fn fill(ledger: &Arc<Ledger>, known: bool) -> FullReason {
        loop {
            match ledger.admit(4096, known, "c") {
                Ok(permit) => {
                    let record_bytes = permit.bytes - ITEM_BYTES - SLOT_BYTES - ENTRY_BYTES as u64;
                    ledger.settle(permit, Settlement { record_bytes, new_sample: !known });
                }
                Err(Refusal::Full { what, .. }) => return what,
                Err(other) => panic!("{other}"),
            }
            assert!(ledger.quota().used_bytes <= ledger.quota().max_bytes);
        }
    }

    #[test]
    fn a_flood_of_new_samples_leaves_room_for_known_ones_and_the_reverse() {
        let new_first = ledger(10 << 20, u64::MAX);
        assert_eq!(fill(&new_first, false), FullReason::Bytes);
        assert!(new_first.admit(0, true, "c").is_ok());
        let known_first = ledger(10 << 20, u64::MAX);
        assert_eq!(fill(&known_first, true), FullReason::Bytes);
        assert!(known_first.admit(4096, false, "c").is_ok());
    }

    #[test]
    fn the_limit_of_samples_counts_those_in_flight() {
        let ledger = ledger(1 << 30, 3);
        let held: Vec<_> = (0..3).map(|_| ledger.admit(1, false, "c").unwrap()).collect();
        assert!(matches!(ledger.admit(1, false, "c"), Err(Refusal::Full { what: FullReason::Samples, .. })));
        drop(held);
        assert!(ledger.admit(1, false, "c").is_ok());
    }

    #[test]
    fn a_dropped_permit_gives_everything_back() {
        let ledger = ledger(1 << 30, 10);
        let before = ledger.quota();
        let mut permit = ledger.admit(500, false, "c").unwrap();
        permit.grow(1000).unwrap();
        permit.shrink(300);
        assert_ne!(ledger.quota(), before);
        drop(permit);
        assert_eq!(ledger.quota(), before);
    }

    #[test]
    fn one_client_cannot_fill_the_house_once_it_is_past_low() {
        let ledger = ledger(10 << 20, u64::MAX);
        ledger.change_limits(|limits| {
            limits.client_share_percent = 50;
            limits.low_percent = 20;
        });
        assert_eq!(fill(&ledger, false), FullReason::ClientShare);
        assert!(ledger.admit(4096, false, "another").is_ok());
    }

    #[test]
    fn sixty_four_threads_never_pass_the_limit() {
        let ledger = ledger(4 << 20, 150);
        std::thread::scope(|scope| {
            for thread in 0..64 {
                let ledger = &ledger;
                scope.spawn(move || {
                    for round in 0..200 {
                        let known = (thread + round) % 3 == 0;
                        let Ok(permit) = ledger.admit(8000, known, "c") else { continue };
                        if round % 5 == 0 {
                            continue;
                        }
                        let record_bytes = permit.bytes - ITEM_BYTES - SLOT_BYTES - ENTRY_BYTES as u64;
                        ledger.settle(permit, Settlement { record_bytes, new_sample: !known });
                        let now = ledger.quota();
                        assert!(now.used_bytes + now.reserved_bytes <= now.max_bytes && now.used_samples <= 150);
                    }
                });
            }
        });
        assert_eq!(ledger.quota().reserved_bytes, 0);
    }
}
