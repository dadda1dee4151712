//! What follows from a durable batch, in this order: readers, index, ledger, catalogue, retries, and last the answers.

use super::batch::{After, Coming, Doomed, How, Outcome, Placed, Stored, arrived};
use super::writer::Lane;
use crate::catalogue::Change;
use crate::pack::{Digests, Effort};
use crate::quota::Settlement;
use crate::retry::Remembered;
use crate::segment::Place;
use crate::segment::footer::{ENTRY_BYTES, Entry, prefix};
use crate::segment::reader::Fresh;
use crate::segment::record::RecordHead;
use model::{Arrival, ItemId, RawBytes, SampleId, StoredBytes};
use std::time::Instant;

impl Lane {
    /// Publishes a durable batch: readers, index, ledger, catalogue, retries, then the answers. Gives whether someone
    /// asked for the segment to be sealed.
    pub(super) fn settle(&mut self, after: Vec<After>, start: u64, last_sequence: u64) -> bool {
        self.publish(&after, start);
        self.charge(&after);
        let mut changes = Vec::with_capacity(after.len());
        let mut answers: Vec<(super::Done, Outcome, Instant)> = Vec::with_capacity(after.len());
        let mut others: Vec<Box<dyn FnOnce() + Send>> = Vec::new();
        let mut seal = false;
        for after in after {
            match after {
                After::Arrived { placed, coming, how } => {
                    let Coming { arrival, permit, done, submitted, .. } = *coming;
                    let (change, stored) = self.keep(&placed.head, arrival, how);
                    changes.push(change);
                    let new_sample = !stored.duplicate;
                    let record_bytes = placed.head.record_bytes() as u64;
                    self.shared.ledger.settle(permit, Settlement { record_bytes, new_sample });
                    answers.push((done, Ok(stored), submitted));
                }
                After::Repeated { remembered, stored_bytes, coming } => {
                    self.answer_repeated(remembered, stored_bytes, *coming);
                }
                After::Deleted { placed, items, who, at_ms, done } => {
                    let ids = items.iter().map(|doomed| doomed.item).collect();
                    changes.push(Change::Deleted { sequence: placed.head.sequence, items: ids, at_ms, who });
                    self.bury(&items);
                    others.push(Box::new(move || done(Ok(()))));
                }
                After::Dropped { placed, sample, done, .. } => {
                    changes.push(Change::Passed { sequence: placed.head.sequence });
                    self.drop_content(sample);
                    others.push(Box::new(move || done(Ok(true))));
                }
                After::Passed { seal: and_seal, done } => {
                    seal |= and_seal;
                    others.push(Box::new(move || done(Ok(last_sequence))));
                }
            }
        }
        self.shared.catalogue.feed(changes);
        for (done, outcome, submitted) in answers {
            self.shared.counters.ack_us.observe_us(submitted.elapsed());
            done(outcome);
        }
        for done in others {
            done();
        }
        seal
    }

    fn publish(&mut self, after: &[After], start: u64) {
        let mut entries = Vec::with_capacity(after.len());
        let mut fresh = Vec::new();
        let mut indexed = Vec::new();
        for after in after {
            let placed = match after {
                After::Arrived { placed, .. } | After::Deleted { placed, .. } | After::Dropped { placed, .. } => placed,
                After::Repeated { .. } | After::Passed { .. } => continue,
            };
            let Placed { head, at } = placed;
            let offset = start + *at as u64;
            entries.push(Entry::of(head, offset));
            if head.kind.brings_content() {
                let digests = Digests { blake3: head.blake3, sha256: head.sha256 };
                fresh.push(Fresh { offset, digests, raw_bytes: head.raw_bytes });
                indexed.push((prefix(&head.blake3), SampleId(head.sequence), offset));
            }
        }
        let Some(active) = &mut self.active else { unreachable!("the batch was written to it") };
        active.count_entries(entries.len());
        active.segment.publish(&entries, &fresh);
        let segment = active.segment.id;
        for (prefix, sample, offset) in indexed {
            self.shared.index.put(prefix, sample, Place { segment, offset });
        }
    }

    /// What the batch took besides arrivals' records, while their permits still cover it.
    fn charge(&self, after: &[After]) {
        let settled_apart: u64 = after.iter().map(After::arrival_bytes).sum();
        let notes = after.iter().filter(|after| matches!(after, After::Deleted { .. } | After::Dropped { .. })).count();
        let entries = (notes * ENTRY_BYTES) as u64;
        self.shared.ledger.charge((self.buffer.len() as u64 + entries).saturating_sub(settled_apart));
    }

    /// Takes a durable arrival into the books that are not the ledger.
    fn keep(&mut self, head: &RecordHead, arrival: Arrival, how: How) -> (Change, Stored) {
        let shared = &self.shared;
        let (sample, stored_bytes, duplicate) = match how {
            How::New { effort } => {
                if matches!(effort, Effort::Raw | Effort::Light) {
                    shared.pressure.add_light(head.raw_bytes);
                }
                (SampleId(head.sequence), head.record_bytes() as u64, false)
            }
            How::NewLarge(large) => {
                if let Some(discard) = large.discard {
                    discard.keep();
                }
                (SampleId(head.sequence), large.stored_bytes, false)
            }
            How::Known { sample, stored_bytes, unpin } => {
                if unpin {
                    shared.holds.lock().unpin(sample);
                }
                (sample, stored_bytes, true)
            }
        };
        let counters = &shared.counters;
        if duplicate {
            counters.duplicates.add(1)
        } else {
            shared.count_if_healed(&head.blake3, sample);
            counters.stored.add(1)
        }
        counters.raw_bytes.add(head.raw_bytes);
        if let Some(key) = arrival.retry_key {
            let remembered = Remembered::new(ItemId(head.sequence), sample, &head.blake3);
            self.retry.remember(&arrival.client, key, remembered);
        }
        let stored = Stored {
            item: ItemId(head.sequence),
            sample,
            blake3: head.blake3,
            sha256: head.sha256,
            raw: RawBytes(head.raw_bytes),
            stored: StoredBytes(stored_bytes),
            duplicate,
            repeated: false,
        };
        (arrived(head, arrival, sample, stored_bytes), stored)
    }

    pub(super) fn answer_repeated(&self, remembered: Remembered, stored_bytes: u64, coming: Coming) {
        self.shared.counters.repeated.add(1);
        let Coming { digests, raw_bytes, permit, done, .. } = coming;
        drop(permit);
        done(Ok(Stored {
            item: remembered.item,
            sample: remembered.sample,
            blake3: digests.blake3,
            sha256: digests.sha256,
            raw: RawBytes(raw_bytes),
            stored: StoredBytes(stored_bytes),
            duplicate: remembered.item.0 != remembered.sample.0,
            repeated: true,
        }));
    }

    fn bury(&self, items: &[Doomed]) {
        let mut dead = self.shared.dead.lock();
        for doomed in items {
            if dead.items.insert(doomed.item.0) {
                let known = !doomed.kind.brings_content();
                self.shared.ledger.forget_item(&doomed.client, doomed.record_bytes, known);
                if known && let Some((segment, _)) = self.shared.table.locate(doomed.item.0) {
                    segment.add_dead(doomed.record_bytes);
                }
            }
        }
    }

    fn drop_content(&self, sample: SampleId) {
        self.shared.ledger.forget_sample();
        self.shared.dead.lock().samples.insert(sample.0);
        let Some((segment, place)) = self.shared.table.locate(sample.0) else { return };
        if let Ok(view) = segment.record(place.offset) {
            segment.add_dead(view.head.record_bytes() as u64);
            crate::large::remove_file_of(&self.shared, &view.head);
        }
    }
}

impl After {
    /// A batch whose write failed may still be found by recovery, which then needs the file that it names.
    pub(super) fn keep_file(&mut self) {
        if let Self::Arrived { how: How::NewLarge(large), .. } = self
            && let Some(discard) = large.discard.take()
        {
            discard.keep();
        }
    }

    /// Bytes of an arrival's record, which the ledger charges with its permit.
    fn arrival_bytes(&self) -> u64 {
        match self {
            Self::Arrived { placed, .. } => placed.head.record_bytes() as u64,
            Self::Repeated { .. } | Self::Deleted { .. } | Self::Dropped { .. } | Self::Passed { .. } => 0,
        }
    }
}
