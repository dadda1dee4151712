//! One item, one verdict: what is written.

use super::cause::cause;
use engine::catalogue::{Own, SampleVerdict, Standing, StatusChange};
use model::item::Verdict;
use model::lifecycle::{Cause, Facts, settle};
use model::{ItemId, Sequence, Status, Timestamp};

/// Who changes statuses because of what was found.
pub const WHO: &str = "scanner";
/// Names that an action lists; the verdict has all of them.
const NAMES_MAX: usize = 3;

/// An item's change of status, to be told once it is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// The item.
    pub item: ItemId,
    /// Where it stood.
    pub from: Status,
    /// Where it stands.
    pub to: Status,
}

/// What a verdict changes about an item: its status, with all that follows at once, or only what is shown as its
/// verdict, or nothing.
pub fn by_verdict(
    item: ItemId,
    standing: &Standing,
    verdict: &SampleVerdict,
    now: Timestamp,
) -> (Vec<Own>, Option<Moved>) {
    let shown = Verdict { signatures: verdict.detections().map(str::to_owned).collect(), sequence: verdict.sequence };
    if let Some(cause) = cause(standing, verdict) {
        let what = words(&cause, &shown);
        if let Some((changes, moved)) =
            by_cause(item, standing, &cause, Some(shown.clone()), what, verdict.sequence, now)
        {
            return (changes, Some(moved));
        }
    }
    if standing.verdict_sequence == verdict.sequence && !standing.detected && shown.signatures.is_empty() {
        return (Vec::new(), None);
    }
    (vec![Own::ItemVerdict { item, verdict: shown }], None)
}

/// Takes an item through a cause; `None` when the status table has no such row, which leaves the item alone.
pub fn by_cause(
    item: ItemId,
    standing: &Standing,
    cause: &Cause,
    verdict: Option<Verdict>,
    what: String,
    active_sequence: Sequence,
    now: Timestamp,
) -> Option<(Vec<Own>, Moved)> {
    let facts = Facts {
        attributes: standing.attributes,
        received_priority: standing.received_priority,
        priority_override: standing.priority_override,
        managed: standing.managed,
        // No policy selects clients before definitions can be delivered.
        selected: false,
        client_sequence: standing.client_sequence,
        active_sequence,
        rejected_sequence: Sequence(0),
        send_again_count: standing.send_again_count,
        basis: standing.basis,
    };
    let settled = match settle(Some(standing.status), cause, &facts, now) {
        Ok(settled) => settled,
        Err(refused) => {
            tracing::debug!(item = item.0, %refused, "a verdict is no cause here");
            return None;
        }
    };
    let change = |from, to, verdict, what| {
        Own::Status(Box::new(StatusChange {
            item,
            from,
            to,
            attributes: settled.attributes,
            priority_override: settled.priority_override,
            basis: settled.basis,
            send_again_count: standing.send_again_count,
            verdict,
            at: now,
            who: WHO.to_owned(),
            what,
        }))
    };
    let mut changes = vec![change(standing.status, settled.to, verdict, what)];
    if let Some(then) = settled.then {
        let follows = match settled.to {
            Status::Restart => Cause::RestartTaken.words(),
            _ => Cause::NeededDetected(active_sequence).words(),
        };
        changes.push(change(settled.to, then, None, follows.to_owned()));
    }
    Some((changes, Moved { item, from: standing.status, to: settled.status() }))
}

/// For an item's actions: the cause, the set, the first names.
fn words(cause: &Cause, shown: &Verdict) -> String {
    let mut text = format!("{} with definitions {}", cause.words(), shown.sequence.0);
    let names = &shown.signatures;
    for (number, name) in names.iter().take(NAMES_MAX).enumerate() {
        text.push_str(if number == 0 { ": " } else { ", " });
        text.push_str(name);
    }
    if names.len() > NAMES_MAX {
        text.push_str(&format!(" and {} more", names.len() - NAMES_MAX));
    }
    text
}
