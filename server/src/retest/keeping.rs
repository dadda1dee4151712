//! Shelves kept in order while there is nothing to re-test: loose samples put on them, those that were mostly deleted taken
//! away.

use super::driver::{Work, all};
use super::shelve::{SHELF_SAMPLES_MAX, Shelved, shelve};
use super::stock::Loose;
use crate::definitions::Active;
use engine::catalogue::{CatalogueError, Own};
use model::SampleId;
use std::time::{Duration, Instant};

/// How often one shelf is looked at for samples that were deleted: it takes some 50 ms.
const THIN_EVERY: Duration = Duration::from_secs(20);
impl Work {
    /// Puts loose samples on a shelf when there are enough of them.
    pub(super) fn shelve(&mut self, active: &Active) -> Result<(), CatalogueError> {
        let Some(shelves) = &mut self.shelves else { return Ok(()) };
        let samples = {
            let shelf_bytes = self.context.shelf_options.plain_bytes;
            let stock = self.context.retests.stock.lock();
            if stock.loose_bytes() < shelf_bytes {
                return Ok(());
            }
            let ready = |sample: &SampleId, loose: &Loose| {
                loose.sequence == active.sequence && !self.unshelvable.contains(sample)
            };
            let mut bytes = 0;
            let samples = stock.loose().filter(|(sample, loose)| ready(sample, loose)).take(SHELF_SAMPLES_MAX);
            let samples: Vec<(SampleId, Loose)> = samples
                .take_while(|(_, loose)| {
                    let fits = bytes < shelf_bytes;
                    bytes += loose.raw_bytes;
                    fits
                })
                .collect();
            if bytes < shelf_bytes && samples.len() < SHELF_SAMPLES_MAX {
                return Ok(());
            }
            samples
        };
        let began = Instant::now();
        match shelve(&self.context, &self.engine, shelves, &samples)? {
            Shelved::Done { number, sequence, samples, gone, faulty } => {
                let took_ms = began.elapsed().as_millis() as u64;
                tracing::info!(number, samples = samples.len(), took_ms, "a shelf is made");
                let mut stock = self.context.retests.stock.lock();
                stock.shelved(number, sequence, samples);
                gone.into_iter().for_each(|sample| stock.gone(sample));
                self.unshelvable.extend(faulty);
                drop(stock);
                // There may be enough for another.
                self.context.retests.look();
            }
            Shelved::NotNow => {}
        }
        Ok(())
    }

    /// Looks at one shelf now and then: when most of its samples were deleted, the others become loose and it goes.
    pub(super) fn thin(&mut self) -> Result<(), CatalogueError> {
        if self.thinned.elapsed() < THIN_EVERY {
            return Ok(());
        }
        self.thinned = Instant::now();
        let Some(shelves) = &mut self.shelves else { return Ok(()) };
        let Some((number, samples)) = shelves.next_after(self.thinned_last) else {
            self.thinned_last = 0;
            return Ok(());
        };
        self.thinned_last = number;
        let mut left = Vec::new();
        for sample in &samples {
            left.extend(self.engine.catalogue().sample_row(*sample)?);
        }
        if left.len() * 2 > samples.len() {
            return Ok(());
        }
        all(self.engine.catalogue().apply(vec![Own::ShelfGone(number)])?)?;
        if let Err(error) = shelves.remove(&self.engine, number) {
            tracing::warn!(%error, number, "a shelf cannot be removed");
        }
        let mut stock = self.context.retests.stock.lock();
        let loose = left
            .iter()
            .map(|row| (row.sample, Loose { blake3: row.blake3, raw_bytes: row.raw.0, sequence: row.sequence }));
        stock.dissolve(number, &samples, loose);
        tracing::info!(number, samples = left.len(), "most of a shelf was deleted: the rest of it is loose");
        Ok(())
    }
}
