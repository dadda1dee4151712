//! Stored samples go to the scanner, and what it says comes back.

use super::event::Figures;
use super::owner::{CHANGES_MAX, Owner, PAGE_ITEMS};
use super::settle::{SCANNER, Said, by_cause, error};
use crate::daemon::clock;
use crate::definitions::Active;
use crate::retest::Loose;
use crate::scanning::{Answer, Failure, IN_FLIGHT_MAX, Job, Report};
use engine::catalogue::{CatalogueError, Found, Own, SampleVerdict};
use model::lifecycle::Cause;
use model::{Blake3, Event, ItemId, SampleId, Sequence, Status};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Items that wait for one sample by name; more are found again when it is known.
const WAITING_MAX: usize = 1024;

impl Owner {
    pub(super) fn scanned(&mut self, answer: Answer) {
        let Some(waiting) = self.in_flight.remove(&answer.sample) else { return };
        let figures = &self.context.figures;
        figures.in_flight.store(self.in_flight.len() as u64, Ordering::Relaxed);
        match answer.result {
            Ok(report) => {
                Figures::add(&figures.scans, 1);
                Figures::add(&figures.scan_bytes, report.bytes);
                self.context.metrics.scan_seconds.observe(answer.took.as_secs_f64());
                figures.down.store(0, Ordering::Relaxed);
                self.found((answer.sample, answer.blake3, answer.sequence), report, &waiting);
            }
            // Its items are gone too, or will be.
            Err(Failure::Gone) => {}
            Err(Failure::Down(why)) => {
                if figures.down.swap(1, Ordering::Relaxed) == 0 {
                    tracing::error!(why, "the scanner is down: samples stay Quarantined");
                    self.context.alerts.raise(Event::ScannerUnreachable, format!("samples stay Quarantined: {why}"));
                }
                self.rest();
            }
            Err(Failure::Sample(why)) => {
                Figures::add(&figures.scan_faults, 1);
                tracing::warn!(sample = answer.sample.0, why, "a sample cannot be scanned");
                self.faulty(&why, &waiting);
            }
        }
    }

    fn found(&mut self, answer: (SampleId, Blake3, Sequence), report: Report, waiting: &[ItemId]) {
        let (sample, blake3, sequence) = answer;
        let findings = report.findings.into_iter().map(|(signature, allowed)| Found { signature, allowed, sequence });
        let verdict = SampleVerdict { sample, sequence, findings: findings.collect() };
        self.changes.push(Own::Verdict(verdict.clone()));
        self.scanned.push((sample, Loose { blake3, raw_bytes: report.bytes, sequence }, report.facts));
        let now = clock::now();
        for item in waiting {
            self.item(*item, &verdict, now);
            self.changes.extend(report.remarks.iter().map(|remark| error(*item, now, remark)));
        }
    }

    fn faulty(&mut self, why: &str, waiting: &[ItemId]) {
        let now = clock::now();
        for item in waiting {
            let Ok(Some(standing)) = self.engine.catalogue().standing(*item) else { continue };
            let said = Said::by(SCANNER, &Cause::ProcessingFault);
            if let Ok((changes, moved)) = by_cause(*item, &standing, &Cause::ProcessingFault, &self.ground, said, now) {
                self.changes.extend(changes);
                self.changes.push(error(*item, now, &format!("cannot be scanned: {why}")));
                self.moved.push(moved);
            }
        }
    }

    /// Hands samples of Quarantined items to the scanner, as many as it takes.
    pub(super) fn refill(&mut self, active: &Arc<Active>) -> Result<(), CatalogueError> {
        let watermark = self.engine.catalogue().watermark();
        if watermark > self.looked_at && self.cursor == ItemId(0) {
            self.look = true;
        }
        while self.look && self.in_flight.len() < IN_FLIGHT_MAX {
            if self.cursor == ItemId(0) {
                self.looked_at = watermark;
            }
            let items = self.engine.catalogue().items_in(Status::Quarantined, self.cursor, PAGE_ITEMS)?;
            self.look = items.len() == PAGE_ITEMS;
            for item in items {
                if !self.take_up(item, active)? {
                    // The scanner is busy; an answer makes room.
                    self.look = true;
                    return Ok(());
                }
                self.cursor = item;
            }
            if !self.look {
                self.cursor = ItemId(0);
            }
            if self.changes.len() >= CHANGES_MAX {
                self.write()?;
            }
        }
        Ok(())
    }

    /// False when the scanner takes no more.
    fn take_up(&mut self, item: ItemId, active: &Arc<Active>) -> Result<bool, CatalogueError> {
        let Some((sample, blake3)) = self.engine.catalogue().sample_of(item)? else { return Ok(true) };
        if let Some(waiting) = self.in_flight.get_mut(&sample) {
            if waiting.len() < WAITING_MAX && !waiting.contains(&item) {
                waiting.push(item);
            }
            return Ok(true);
        }
        if let Some(verdict) = self.engine.catalogue().verdict(sample)? {
            let verdict = self.context.retests.current(verdict);
            self.item(item, &verdict, clock::now());
            return Ok(true);
        }
        if !self.scanners.give(Job { sample, blake3, active: Arc::clone(active) }) {
            return Ok(false);
        }
        self.in_flight.insert(sample, vec![item]);
        self.context.figures.in_flight.store(self.in_flight.len() as u64, Ordering::Relaxed);
        Ok(true)
    }
}
