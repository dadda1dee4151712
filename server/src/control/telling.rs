//! Samples at the gateway, and their items: how far a submission has come is written once, then told to each.

use super::owner::{CHANGES_MAX, Owner, PAGE_ITEMS};
use super::settle::{Said, by_cause, error};
use super::spread;
use crate::daemon::clock;
use engine::catalogue::{CatalogueError, Own, Standing, SubmissionRow};
use model::lifecycle::{Answer, Cause};
use model::submission::Stage;
use model::{ItemId, SampleId, Status};
use std::time::Instant;

/// Submissions read at a time when the loop starts.
const SUBMISSIONS: usize = 1000;
/// Items that are told of a failed attempt: of more that share a sample the first are enough.
const TROUBLED_MAX: usize = 100;

impl Owner {
    /// Writes how far a submission has come. Its items are told by [`Owner::tell_items`], so that a kill between the two
    /// loses neither.
    pub(super) fn staged(&mut self, row: SubmissionRow) {
        // One that is late, for its items were told meanwhile or another has taken its place, would bring back what is over.
        let known = self.engine.catalogue().submission(row.sample);
        if !matches!(&known, Ok(Some(known)) if known.key == row.key && known.stage.is_open()) {
            tracing::debug!(sample = row.sample.0, key = row.key, "what the gateway said about a submission is late");
            return;
        }
        if row.stage != Stage::Sending {
            self.news.insert(row.sample);
        }
        self.changes.push(Own::Submission(Box::new(row)));
    }

    /// Items of a sample that wait for the gateway; one that a person wants to have sent whole is left out of what
    /// stripping does.
    pub(super) fn each_submitted(&mut self, sample: SampleId, cause: &Cause, why: &str) {
        let now = clock::now();
        self.each_item(sample, |owner, item, standing| {
            let spared = *cause == Cause::CannotBeStripped && standing.strip_override == Some(false);
            if standing.status != Status::Submitted || spared {
                return;
            }
            let said = Said::by(spread::GATEWAY, cause);
            if let Ok((changes, moved)) = by_cause(item, standing, cause, &owner.ground, said, now) {
                owner.changes.extend(changes);
                owner.changes.push(error(item, now, why));
                owner.moved.push(moved);
            }
        });
        self.changes.push(Own::SubmissionGone(sample));
    }

    pub(super) fn troubled(&mut self, sample: SampleId, why: &str) {
        let now = clock::now();
        let items = self.engine.catalogue().items_of(sample, ItemId(0), TROUBLED_MAX).unwrap_or_default();
        for item in items {
            if let Ok(Some(standing)) = self.engine.catalogue().standing(item)
                && matches!(standing.status, Status::Submitted | Status::Released | Status::Attention | Status::Needed)
            {
                self.changes.push(error(item, now, why));
            }
        }
    }

    /// Every item of a sample, in pages; what cannot be read now is found again later.
    fn each_item(&mut self, sample: SampleId, mut see: impl FnMut(&mut Self, ItemId, &Standing)) {
        let mut after = ItemId(0);
        while let Ok(items) = self.engine.catalogue().items_of(sample, after, PAGE_ITEMS) {
            let Some(last) = items.last() else { return };
            after = *last;
            for item in items {
                if let Ok(Some(standing)) = self.engine.catalogue().standing(item) {
                    see(self, item, &standing);
                }
            }
            if self.changes.len() >= CHANGES_MAX && self.write().is_err() {
                return;
            }
        }
    }

    /// Tells items what became of their submissions. A submission is done with in the transaction that tells the last of its
    /// items: a kill before that repeats what then changes nothing.
    pub(super) fn tell_items(&mut self) -> Result<(), CatalogueError> {
        if self.untold {
            // Those that are accepted have no news but for items that came since, which the gateway's task finds.
            let mut after = SampleId(0);
            loop {
                let rows = self.engine.catalogue().submissions(after, SUBMISSIONS)?;
                let Some(last) = rows.last() else { break };
                after = last.sample;
                let told = |row: &&SubmissionRow| matches!(row.stage, Stage::Refused | Stage::Answered(_));
                self.news.extend(rows.iter().filter(told).map(|row| row.sample));
            }
            self.untold = false;
        }
        while let Some(sample) = self.news.first().copied() {
            if let Some(row) = self.engine.catalogue().submission(sample)? {
                self.tell_items_of(&row);
            }
            if self.changes.len() >= CHANGES_MAX {
                self.write()?;
            }
            self.news.remove(&sample);
        }
        // Restarted items are Quarantined.
        self.look = true;
        self.write()
    }

    fn tell_items_of(&mut self, row: &SubmissionRow) {
        let now = clock::now();
        self.each_item(row.sample, |owner, item, standing| {
            let (changes, moved) = spread::decide(row, item, standing, &owner.ground, now);
            owner.changes.extend(changes);
            owner.moved.extend(moved);
        });
        match row.stage {
            Stage::Sending | Stage::Accepted => {}
            // A person looks at it, and it is asked about further.
            Stage::Answered(Answer::NeedsPerson) => {
                let row = SubmissionRow { stage: Stage::Accepted, ..row.clone() };
                self.changes.push(Own::Submission(Box::new(row)));
            }
            Stage::Refused | Stage::Answered(_) => self.changes.push(Own::SubmissionGone(row.sample)),
        }
        if let Stage::Answered(Answer::Definitions(_)) = row.stage {
            // They may be here already, and may have found it or not.
            self.changes.push(Own::Unsettled(row.sample));
            self.unsettled = true;
            self.review.begin(Instant::now());
        }
    }
}
