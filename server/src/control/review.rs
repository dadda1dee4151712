//! Items that wait for definitions are looked at again when what they wait for may have come: another set in use, a
//! re-test that ended, another policy, a client that is managed now or has reported its set.
//!
//! A review is made in pages between other work. One that is begun while another is under way begins from the first
//! item, so that what changed meanwhile is seen. Clients that report with what they forward begin one too; as thousands of
//! them do so within minutes, those reviews take a tenth of the time at most.

use super::owner::{CHANGES_MAX, Owner, PAGE_ITEMS};
use super::settle::{Ground, Said, by_cause};
use crate::daemon::clock;
use engine::catalogue::{CatalogueError, Standing};
use model::lifecycle::Cause;
use model::{ItemId, Sequence, Status};
use std::time::{Duration, Instant};

/// Whose items are looked at, in this order.
const STATUSES: [Status; 5] =
    [Status::Needed, Status::Available, Status::Distribute, Status::Distributed, Status::NotInstalled];
/// How long the next review because of a report waits, at least, and in times that the last one took.
const REST: Duration = Duration::from_secs(1);
/// See [`REST`].
const REST_TIMES: u32 = 10;
/// Who changes a status because of a policy.
pub const POLICY: &str = "policy";

/// How far a review has come.
#[derive(Debug, Default)]
pub struct Review {
    /// The status under review and the last item of it that was looked at; `None` when there is nothing to do.
    at: Option<(usize, ItemId)>,
    began: Option<Instant>,
    /// None is begun because of a report before this.
    rest_until: Option<Instant>,
    /// The catalogue's count of such reports that the last review has seen.
    news: u64,
}

impl Review {
    /// Begins one, from the first item.
    pub fn begin(&mut self, now: Instant) {
        self.at = Some((0, ItemId(0)));
        self.began = Some(now);
    }

    /// Clients have reported, `news` times by now.
    pub fn heard(&mut self, news: u64, now: Instant) {
        if news != self.news && !self.is_due() && self.rest_until.is_none_or(|until| now >= until) {
            self.news = news;
            self.begin(now);
        }
    }

    /// Whether there is more to look at.
    pub fn is_due(&self) -> bool {
        self.at.is_some()
    }
}

impl Owner {
    /// One page.
    pub(super) fn review(&mut self) -> Result<(), CatalogueError> {
        let Some((number, after)) = self.review.at else { return Ok(()) };
        let Some(status) = STATUSES.get(number) else {
            if let Some(began) = self.review.began.take() {
                let took = began.elapsed();
                tracing::debug!(?took, "waiting items were looked at");
                self.review.rest_until = Some(Instant::now() + REST.max(took * REST_TIMES));
            }
            self.review.at = None;
            return Ok(());
        };
        let items = self.engine.catalogue().items_in(*status, after, PAGE_ITEMS)?;
        self.review.at = match items.last() {
            Some(last) => Some((number, *last)),
            None => Some((number + 1, ItemId(0))),
        };
        let now = clock::now();
        for item in items {
            let Some(standing) = self.engine.catalogue().standing(item)? else { continue };
            if let Some(cause) = cause(&standing, &self.ground) {
                let said = Said::by(POLICY, &cause);
                if let Ok((changes, moved)) = by_cause(item, &standing, &cause, &self.ground, said, now) {
                    self.changes.extend(changes);
                    self.moved.push(moved);
                }
            } else if standing.status == Status::Needed
                && let Some(verdict) = self.engine.catalogue().verdict(standing.sample)?
            {
                let verdict = self.context.retests.current(verdict);
                self.item(item, &verdict, now);
            }
        }
        if self.changes.len() >= CHANGES_MAX { self.write() } else { Ok(()) }
    }
}

/// What a policy or a client's report makes of an item that waits for definitions.
fn cause(standing: &Standing, ground: &Ground) -> Option<Cause> {
    let needed = standing.attributes.signatures_sequence;
    if needed > Sequence(0) && standing.client_sequence >= needed {
        return Some(Cause::SequenceConfirmed(standing.client_sequence));
    }
    match standing.status {
        Status::Available if ground.selects(standing) => Some(Cause::PolicySelects),
        Status::Distribute if !ground.managed(standing) => Some(Cause::ClientIsNonmanaged),
        _ => None,
    }
}
