//! One item, one cause: what is written.

use super::cause::cause;
use crate::daemon::policy::Policy;
use crate::definitions::Active;
use engine::catalogue::{ClientNumber, Note, NoteKind, Own, SampleVerdict, Standing, StatusChange};
use model::item::Verdict;
use model::lifecycle::{Answer, Cause, Facts, Refused, settle};
use model::{ItemId, Sequence, Status, Timestamp};
use std::collections::HashSet;
use std::sync::Arc;

/// Who changes statuses because of what was found.
pub const SCANNER: &str = "scanner";
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
    /// What caused it.
    pub cause: Cause,
    /// Whether its client can be given definitions.
    pub managed: bool,
}

/// What decisions rest on beside the item: the same for all items of a batch.
pub struct Ground {
    /// What the administrator decided.
    pub policy: Arc<Policy>,
    /// The set in use, and whether it is certified.
    pub active: Option<(Sequence, bool)>,
    /// The set itself.
    pub definitions: Option<Arc<Active>>,
    /// Clients that a policy names.
    pub selected: HashSet<ClientNumber>,
}

impl Ground {
    /// Whether definitions can be installed on an item's client.
    pub fn managed(&self, standing: &Standing) -> bool {
        standing.managed && !self.policy.receive_only
    }

    /// Whether they are, without being asked.
    pub fn selects(&self, standing: &Standing) -> bool {
        let certified = self.active.is_some_and(|(_, certified)| certified);
        let install = if certified { &self.policy.certified } else { &self.policy.noncertified };
        self.managed(standing) && (install.on_clients || self.selected.contains(&standing.client))
    }

    /// Whether what was detected counts as unknown, for nothing repairs it.
    fn is_unrepairable(&self, verdict: &SampleVerdict) -> bool {
        self.policy.unrepairable_is_unknown
            && self.definitions.as_ref().is_some_and(|definitions| {
                !verdict.detections().any(|signature| definitions.repairs.contains_key(signature))
            })
    }

    /// What the status table asks.
    fn facts(&self, standing: &Standing, verdict_sequence: Sequence) -> Facts {
        Facts {
            attributes: standing.attributes,
            received_priority: standing.received_priority,
            priority_override: standing.priority_override,
            managed: self.managed(standing),
            selected: self.selects(standing),
            client_sequence: standing.client_sequence,
            active_sequence: self.active.map_or(verdict_sequence, |(sequence, _)| sequence.max(verdict_sequence)),
            rejected_sequence: Sequence(0),
            send_again_count: standing.send_again_count,
            basis: standing.basis,
        }
    }
}

/// What goes into an item's record beside its status.
pub struct Said {
    /// Who caused it.
    pub who: String,
    /// What is added to its actions.
    pub what: String,
    /// A new verdict; `None` keeps the old one.
    pub verdict: Option<Verdict>,
}

impl Said {
    /// The cause in its own words.
    pub fn by(who: &str, cause: &Cause) -> Self {
        Self { who: who.to_owned(), what: cause.words().to_owned(), verdict: None }
    }
}

/// What a verdict changes about an item: its status, with all that follows at once, or only what is shown as its
/// verdict, or nothing.
pub fn by_verdict(
    item: ItemId,
    standing: &Standing,
    verdict: &SampleVerdict,
    ground: &Ground,
    now: Timestamp,
) -> (Vec<Own>, Option<Moved>) {
    let shown = Verdict { signatures: verdict.detections().map(str::to_owned).collect(), sequence: verdict.sequence };
    if let Some(cause) = cause(standing, verdict, ground.is_unrepairable(verdict)) {
        let what = words(&cause, &shown);
        let said = Said { who: SCANNER.to_owned(), what, verdict: Some(shown.clone()) };
        match by_cause(item, standing, &cause, ground, said, now) {
            Ok((changes, moved)) => return (changes, Some(moved)),
            Err(refused) => tracing::debug!(item = item.0, %refused, "a verdict is no cause here"),
        }
    }
    if standing.verdict_sequence == verdict.sequence && !standing.detected && shown.signatures.is_empty() {
        return (Vec::new(), None);
    }
    (vec![Own::ItemVerdict { item, verdict: shown }], None)
}

/// Takes an item through a cause.
///
/// # Errors
/// The status table has no such row, or a rule stands against it; the item is left alone then.
pub fn by_cause(
    item: ItemId,
    standing: &Standing,
    cause: &Cause,
    ground: &Ground,
    said: Said,
    now: Timestamp,
) -> Result<(Vec<Own>, Moved), Refused> {
    let sequence = said.verdict.as_ref().map_or(standing.verdict_sequence, |verdict| verdict.sequence);
    let facts = ground.facts(standing, sequence);
    let settled = settle(Some(standing.status), cause, &facts, now)?;
    let again = u32::from(*cause == Cause::Answered(Answer::SendAgain));
    let change = |from, to, verdict, what| {
        Own::Status(Box::new(StatusChange {
            item,
            from,
            to,
            attributes: settled.attributes,
            priority_override: settled.priority_override,
            basis: settled.basis,
            send_again_count: standing.send_again_count + again,
            verdict,
            at: now,
            who: said.who.clone(),
            what,
        }))
    };
    let mut changes = vec![change(standing.status, settled.to, said.verdict.clone(), said.what.clone())];
    if let Some(then) = settled.then {
        let follows = match settled.to {
            Status::Restart => Cause::RestartTaken.words(),
            _ => Cause::NeededDetected(facts.active_sequence).words(),
        };
        changes.push(change(settled.to, then, None, follows.to_owned()));
    }
    let moved = Moved { item, from: standing.status, to: settled.status(), cause: *cause, managed: facts.managed };
    if moved.to == Status::Available && !moved.managed {
        let needed = settled.attributes.signatures_sequence;
        changes.push(error(item, now, &locations(needed, &ground.policy)));
    }
    Ok((changes, moved))
}

/// Changes the attributes of an item whose status stays, and records it.
pub fn by_hand(
    item: ItemId,
    standing: &Standing,
    attributes: model::Attributes,
    priority_override: Option<u32>,
    said: Said,
    now: Timestamp,
) -> Own {
    Own::Status(Box::new(StatusChange {
        item,
        from: standing.status,
        to: standing.status,
        attributes,
        priority_override,
        basis: standing.basis,
        send_again_count: standing.send_again_count,
        verdict: None,
        at: now,
        who: said.who,
        what: said.what,
    }))
}

/// A line in an item's errors.
pub fn error(item: ItemId, at: Timestamp, what: &str) -> Own {
    Own::Note(Note { item, kind: NoteKind::Error, at, who: String::new(), what: what.to_owned() })
}

/// A line in an item's actions.
pub fn action(item: ItemId, at: Timestamp, who: &str, what: &str) -> Own {
    Own::Note(Note { item, kind: NoteKind::Action, at, who: who.to_owned(), what: what.to_owned() })
}

/// Where an administrator gets definitions for a client that they cannot be installed on (first seed, "Managed and
/// nonmanaged products").
fn locations(needed: Sequence, policy: &Policy) -> String {
    let mut text = format!(
        "definitions {} cannot be installed on this client, which is nonmanaged: they are in definitions/{}/ of the \
         quarantine",
        needed.0, needed.0
    );
    for place in &policy.alerts.download_locations {
        text.push_str(", ");
        text.push_str(place);
    }
    text
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
