//! What a person, or a program for one, wants of items, and what stands against it.

use super::review::POLICY;
use super::settle::{Ground, Moved, Said, action, by_cause, by_hand};
use engine::catalogue::{Own, Standing};
use model::lifecycle::{Cause, Refused};
use model::{Attributes, ItemId, Status, Timestamp};
use std::num::NonZeroU32;

/// What is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// Queue for the analysis centre; `strip` chooses for these items whether user data is stripped.
    Submit {
        /// `None` leaves it to the policy.
        strip: Option<bool>,
    },
    /// Queue the delivery of definitions.
    Deliver,
    /// Begin again.
    Restart,
    /// The definitions were applied by other means.
    Applied,
    /// Ask the centre about them now.
    Query,
    /// Another place in the queues.
    Priority {
        /// For submission.
        submission: Option<u32>,
        /// For delivery.
        delivery: Option<u32>,
    },
}

/// A request for some items; the answers come in their order.
#[derive(Debug)]
pub struct Ask {
    /// What is wanted.
    pub request: Request,
    /// Of which.
    pub items: Vec<ItemId>,
    /// By whom.
    pub who: String,
    /// Where the answers go: done, or the rule or status that stands against it.
    pub answers: tokio::sync::oneshot::Sender<Vec<Result<(), String>>>,
}

/// What a request changes about one item, and whether its status is among it.
///
/// # Errors
/// What stands against it, in words.
pub fn decide(
    request: Request,
    item: ItemId,
    standing: &Standing,
    ground: &Ground,
    who: &str,
    now: Timestamp,
) -> Result<(Vec<Own>, Option<Moved>), String> {
    let take = |cause: Cause| {
        let taken = by_cause(item, standing, &cause, ground, Said::by(who, &cause), now);
        taken.map(|(changes, moved)| (changes, Some(moved))).map_err(|refused: Refused| refused.to_string())
    };
    match request {
        Request::Submit { strip } => {
            let (mut changes, moved) = take(Cause::QueuedForSubmission)?;
            if let Some(strip) = strip {
                changes.push(Own::StripOverride { item, strip: Some(strip) });
                let what = if strip { "user data is to be stripped" } else { "to be submitted whole" };
                changes.push(action(item, now, who, what));
            }
            Ok((changes, moved))
        }
        Request::Deliver => {
            let cause = Cause::QueuedForDelivery;
            let mut done = Done { standing: *standing, changes: Vec::new(), moved: None };
            done.take(item, &cause, ground, Said::by(who, &cause), now)?;
            Ok((done.changes, done.moved))
        }
        Request::Restart => take(Cause::RestartedByHand),
        Request::Applied => take(Cause::DeclaredApplied),
        Request::Query => query(item, ground, who, now),
        Request::Priority { submission, delivery } => {
            let mut done = Done { standing: *standing, changes: Vec::new(), moved: None };
            if let Some(priority) = submission {
                done.submission(item, priority, ground, who, now)?;
            }
            if let Some(priority) = delivery {
                done.delivery(item, priority, ground, who, now)?;
            }
            Ok((done.changes, done.moved))
        }
    }
}

/// Any item can be queried. The gateway's task asks; here it is only recorded that somebody wanted it.
fn query(item: ItemId, ground: &Ground, who: &str, now: Timestamp) -> Result<(Vec<Own>, Option<Moved>), String> {
    if ground.policy.gateway.is_none() {
        return Err("there is no gateway to ask: set web_communication.gateway".to_owned());
    }
    Ok((vec![action(item, now, who, "definitions queried")], None))
}

/// Two priorities may change at once; the second sees what the first did.
struct Done {
    standing: Standing,
    changes: Vec<Own>,
    moved: Option<Moved>,
}

impl Done {
    fn submission(
        &mut self,
        item: ItemId,
        priority: u32,
        ground: &Ground,
        who: &str,
        now: Timestamp,
    ) -> Result<(), String> {
        let what = format!("submission priority set to {priority}");
        match (self.standing.status, NonZeroU32::new(priority)) {
            // Above 0 it is queued: what waits for a person waits no longer.
            (Status::Held | Status::Error, Some(raised)) => {
                let cause = Cause::PriorityRaised(raised);
                self.take(item, &cause, ground, Said { who: who.to_owned(), what, verdict: None }, now)
            }
            (Status::Submitted | Status::Released, None) => Err(format!(
                "an item that is {} is submitted already: restart it to hold it back",
                self.standing.status
            )),
            (Status::Quarantined | Status::Submitted | Status::Held | Status::Error, _) => {
                let attributes = Attributes { sample_priority: priority, ..self.standing.attributes };
                self.keep(item, attributes, Some(priority), who, what, now);
                Ok(())
            }
            (status, _) => Err(format!("an item that is {status} is not queued for submission any more")),
        }
    }

    fn delivery(
        &mut self,
        item: ItemId,
        priority: u32,
        ground: &Ground,
        who: &str,
        now: Timestamp,
    ) -> Result<(), String> {
        let what = format!("delivery priority set to {priority}");
        match self.standing.status {
            Status::Available | Status::NotInstalled if priority > 0 => {
                let cause = Cause::QueuedForDelivery;
                self.take(item, &cause, ground, Said { who: who.to_owned(), what, verdict: None }, now)
            }
            Status::Distribute | Status::Distributed if priority == 0 => {
                Err(format!("an item that is {} is being delivered to already", self.standing.status))
            }
            Status::Needed | Status::Available | Status::NotInstalled | Status::Distribute | Status::Distributed => {
                let attributes = Attributes { signatures_priority: priority, ..self.standing.attributes };
                self.keep(item, attributes, self.standing.priority_override, who, what, now);
                Ok(())
            }
            status => Err(format!("an item that is {status} needs no delivery of definitions")),
        }
    }

    /// Takes a cause. Where it queues a delivery to a client that nothing can be installed on, that ends at once.
    fn take(&mut self, item: ItemId, cause: &Cause, ground: &Ground, said: Said, now: Timestamp) -> Result<(), String> {
        let (changes, moved) =
            by_cause(item, &self.standing, cause, ground, said, now).map_err(|refused| refused.to_string())?;
        if let Some(Own::Status(last)) = changes.iter().rev().find(|change| matches!(change, Own::Status(_))) {
            self.standing.status = last.to;
            self.standing.attributes = last.attributes;
            self.standing.priority_override = last.priority_override;
        }
        self.changes.extend(changes);
        let from = self.moved.map_or(moved.from, |before| before.from);
        self.moved = Some(Moved { from, ..moved });
        if self.standing.status == Status::Distribute && !ground.managed(&self.standing) {
            let cause = Cause::ClientIsNonmanaged;
            return self.take(item, &cause, ground, Said::by(POLICY, &cause), now);
        }
        Ok(())
    }

    fn keep(
        &mut self,
        item: ItemId,
        attributes: Attributes,
        priority_override: Option<u32>,
        who: &str,
        what: String,
        now: Timestamp,
    ) {
        let said = Said { who: who.to_owned(), what, verdict: None };
        self.changes.push(by_hand(item, &self.standing, attributes, priority_override, said, now));
        self.standing.attributes = attributes;
        self.standing.priority_override = priority_override;
    }
}
