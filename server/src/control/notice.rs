//! What a change of status is news of. One alert for each event of a batch, with a count: 100,000 items that are held
//! together are one thing that happened.

use super::settle::Moved;
use crate::alerts::Alerts;
use model::lifecycle::Cause;
use model::{Event, ItemId, Status};
use std::collections::BTreeMap;

/// The events of one change, each with what it says.
fn events(moved: &Moved) -> Vec<(Event, &'static str)> {
    if moved.from == moved.to {
        return Vec::new();
    }
    match moved.to {
        Status::Held => vec![(Event::HeldForSubmission, "held until somebody submits it")],
        Status::Attention => vec![(Event::NeedsAttention, "no automatic answer was possible")],
        Status::Error => vec![(Event::ProcessingError, "its errors say what went wrong")],
        Status::Available if moved.managed => {
            vec![(Event::HeldForDelivery, "its definitions are here and wait to be queued")]
        }
        Status::Available => vec![
            (Event::HeldForDelivery, "its definitions are here and its client is nonmanaged"),
            (
                Event::CannotInstallOnTargets,
                "the client is nonmanaged: where to get the definitions stands in the item's errors",
            ),
        ],
        Status::NotInstalled if moved.cause == Cause::InstallFailed => {
            vec![(Event::InstallFailed, "the client could not install its definitions")]
        }
        Status::NotInstalled => vec![(Event::CannotInstallOnTargets, "its definitions could not be delivered")],
        Status::Quarantined
        | Status::Submitted
        | Status::Released
        | Status::Unneeded
        | Status::Needed
        | Status::Distribute
        | Status::Distributed
        | Status::Installed
        | Status::Restart => Vec::new(),
    }
}

/// Raises what a batch of changes is news of. Call it once they are durable.
pub fn raise(alerts: &Alerts, moved: &[Moved]) {
    let mut raised: BTreeMap<(Event, &'static str), (u64, Vec<ItemId>)> = BTreeMap::new();
    for one in moved {
        for key in events(one) {
            let (count, items) = raised.entry(key).or_default();
            *count += 1;
            if items.len() < crate::alerts::ITEMS_MAX {
                items.push(one.item);
            }
        }
    }
    for ((event, text), (count, items)) in raised {
        alerts.raise_for(event, text, &items, count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(item: u64, to: Status, cause: Cause, managed: bool) -> Moved {
        Moved { item: ItemId(item), from: Status::Quarantined, to, cause, managed }
    }

    #[test]
    fn a_batch_is_one_alert_for_each_event_with_its_count() {
        let alerts = Alerts::default();
        let batch: Vec<_> = (0..1000).map(|item| moved(item, Status::Held, Cause::CannotBeStripped, true)).collect();
        raise(&alerts, &batch);
        raise(&alerts, &[moved(7, Status::Available, Cause::CannotBeStripped, false)]);
        assert_eq!(alerts.count(Event::HeldForSubmission), 1000);
        assert_eq!((alerts.count(Event::HeldForDelivery), alerts.count(Event::CannotInstallOnTargets)), (1, 1));
    }

    #[test]
    fn a_failed_install_is_told_apart_from_a_failed_delivery() {
        let failed = moved(1, Status::NotInstalled, Cause::InstallFailed, true);
        assert_eq!(events(&failed)[0].0, Event::InstallFailed);
        let late = moved(1, Status::NotInstalled, Cause::DeliveryTimedOut, true);
        assert_eq!(events(&late)[0].0, Event::CannotInstallOnTargets);
        let same = Moved { from: Status::Held, ..moved(1, Status::Held, Cause::CannotBeStripped, true) };
        assert!(events(&same).is_empty());
    }
}
