//! What changes of status set in the attributes, row by row as `docs/lifecycle.md` has them, and an item that goes through
//! both tables.

use super::table::{Row, table};
use model::attributes::Attributes;
use model::lifecycle::{Answer, Basis, Cause, Facts, Finding};
use model::{Sequence, Status, Timestamp};
use std::num::NonZeroU32;

const NEVER: Timestamp = Timestamp(0);

/// An item as the two tables make it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    pub status: Status,
    pub attributes: Attributes,
    /// X-Sample-Priority at reception.
    pub received_priority: u32,
    pub priority_override: Option<u32>,
    pub basis: Basis,
}

/// A table for each set that a cause may name.
pub struct Reference {
    tables: Vec<Vec<Row>>,
    /// How often each row was taken.
    pub taken: Vec<u64>,
}

impl Reference {
    /// Causes name sets from 1 to `sequence_max`.
    pub fn new(sequence_max: u64) -> Self {
        let tables: Vec<_> = (0..=sequence_max).map(|n| table(Sequence(n))).collect();
        let taken = vec![0; tables[0].len()];
        Self { tables, taken }
    }

    /// The causes that lead anywhere from a status, as the table for `n` has them.
    pub fn causes_from(&self, status: Status, n: Sequence) -> impl Iterator<Item = Cause> {
        let rows = self.tables[n.0 as usize].iter().filter(move |row| row.from.contains(&Some(status)));
        rows.map(|row| row.cause)
    }

    /// An item that has just come in.
    pub fn received(received_priority: u32) -> Item {
        Item {
            status: Status::Quarantined,
            attributes: Attributes { sample_priority: received_priority, ..Attributes::default() },
            received_priority,
            priority_override: None,
            basis: Basis::Answer,
        }
    }

    /// The item after a cause, with the status that the cause itself led to; `None` where no row holds.
    pub fn step(&mut self, item: Item, cause: &Cause, client: &Facts, now: Timestamp) -> Option<(Status, Item)> {
        let (to, after) = self.row(item, cause, client, now)?;
        let next = match (to, named(cause)) {
            (Status::Restart, _) => Cause::RestartTaken,
            // A detection proves that the definitions are here.
            (Status::Needed, Some(n)) if detects(cause) => Cause::NeededDetected(n),
            _ => return Some((to, after)),
        };
        let (_, then) = self.row(after, &next, client, now).expect("what follows at once always can");
        Some((to, then))
    }

    fn row(&mut self, item: Item, cause: &Cause, client: &Facts, now: Timestamp) -> Option<(Status, Item)> {
        let n = named(cause).unwrap_or(Sequence(0));
        let facts = Facts { attributes: item.attributes, basis: item.basis, ..*client };
        // The table has one row for every priority.
        let in_table =
            if let Cause::PriorityRaised(_) = cause { Cause::PriorityRaised(NonZeroU32::MIN) } else { *cause };
        let mut holding = self.tables[n.0 as usize]
            .iter()
            .enumerate()
            .filter(|(_, row)| row.from.contains(&Some(item.status)) && row.cause == in_table && (row.when)(&facts, n));
        let (number, row) = holding.next()?;
        assert!(holding.next().is_none(), "two rows for {item:?} by {cause:?}");
        let to = row.to;
        self.taken[number] += 1;
        Some((to, entered(item, to, cause, client, now)))
    }
}

/// The set that a cause names.
fn named(cause: &Cause) -> Option<Sequence> {
    match cause {
        Cause::Scanned(Finding::Detected(n) | Finding::Unrepairable(n))
        | Cause::Answered(Answer::Definitions(n))
        | Cause::NeededDetected(n)
        | Cause::NeededNotDetected(n)
        | Cause::SequenceConfirmed(n)
        | Cause::NewlyDetected(n) => Some(*n),
        _ => None,
    }
}

/// "Scan or re-test detects."
fn detects(cause: &Cause) -> bool {
    matches!(
        cause,
        Cause::Scanned(Finding::Detected(_) | Finding::Unrepairable(_))
            | Cause::NewlyDetected(_)
            | Cause::NeededDetected(_)
    )
}

/// The rows of the attribute table that a change of status meets, each as it stands there.
fn entered(item: Item, to: Status, cause: &Cause, client: &Facts, now: Timestamp) -> Item {
    use Status::{
        Attention, Available, Distribute, Error, Installed, Needed, NotInstalled, Restart, Submitted, Unneeded,
    };
    let mut a = item.attributes;
    let by_hand = matches!(cause, Cause::QueuedForSubmission | Cause::WizardOverridden);
    let raised = if let Cause::PriorityRaised(priority) = cause { Some(priority.get()) } else { None };
    // A submission by hand counts as an override, and an override is kept.
    let priority_override = match (raised, by_hand) {
        (Some(priority), _) => Some(priority),
        (None, true) => Some(item.priority_override.unwrap_or(1).max(1)),
        (None, false) => item.priority_override,
    };
    if to == Submitted {
        a.sample_priority = a.sample_priority.max(raised.unwrap_or(1));
        a.date_submitted = now;
    }
    // A detection that the sample policy takes for none is none.
    let taken_for_none =
        matches!(cause, Cause::Scanned(Finding::Unrepairable(_))) && matches!(to, Submitted | Status::Held);
    if detects(cause) && !taken_for_none
        || matches!(cause, Cause::Answered(Answer::NotInfected | Answer::Definitions(_)))
    {
        a.date_analysis_finished = now;
    }
    if matches!(cause, Cause::GatewayRefused | Cause::Answered(Answer::Failed) | Cause::CannotBeStripped) {
        (a.sample_priority, a.date_submitted, a.date_analysis_finished) = (0, NEVER, NEVER);
    }
    if to == Needed {
        a.signatures_sequence = named(cause).expect("what makes it Needed names a set");
        a.signatures_priority = u32::from(client.selected);
        a.date_sample_finished = NEVER;
    }
    if to == Distribute {
        a.signatures_priority = 1;
    }
    if matches!(to, Available | NotInstalled) {
        a.signatures_priority = 0;
    }
    if matches!(to, Attention | Error) {
        (a.sample_priority, a.signatures_priority, a.signatures_sequence) = (0, 0, Sequence(0));
    }
    if matches!(to, Installed | Unneeded) {
        a.date_sample_finished = now;
    }
    if to == Restart {
        a = Attributes {
            sample_priority: priority_override.unwrap_or(item.received_priority),
            ..Attributes::default()
        };
    }
    let basis = match cause {
        _ if detects(cause) => Basis::Detection,
        Cause::Answered(_) | Cause::RestartTaken => Basis::Answer,
        _ => item.basis,
    };
    Item { status: to, attributes: a, priority_override, basis, ..item }
}
