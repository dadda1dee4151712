//! A storm becomes one alert and a number. Pure: time comes in as an argument.

use super::raised::{ITEMS_MAX, Raised};
use model::{Event, ItemId, Timestamp};
use std::collections::BTreeMap;
use std::time::Duration;

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// What happened.
    pub event: Event,
    /// In words: of the last time it happened.
    pub text: String,
    /// The first items it is about.
    pub items: Vec<ItemId>,
    /// How often it happened.
    pub count: u64,
    /// When it happened first.
    pub first_at: Timestamp,
    /// When it happened last.
    pub last_at: Timestamp,
}

/// What waits to be told, by event.
#[derive(Debug, Default)]
pub(super) struct Fold {
    /// Until when an event is quiet, with what came meanwhile.
    quiet: BTreeMap<Event, (Timestamp, Option<Alert>)>,
}

impl Fold {
    /// Something happened: told at once unless its event was told within `fold`.
    pub fn take(&mut self, raised: Raised, now: Timestamp, fold: Duration) -> Option<Alert> {
        let until = Timestamp(now.0.saturating_add(i64::try_from(fold.as_millis()).unwrap_or(i64::MAX)));
        match self.quiet.get_mut(&raised.event) {
            // A clock that went back must not silence an event for years.
            Some((end, waiting)) if now < *end && *end <= until => {
                match waiting {
                    Some(alert) => add(alert, raised),
                    None => *waiting = Some(alert(raised)),
                }
                None
            }
            Some((_, waiting)) => {
                let mut whole = waiting.take();
                match &mut whole {
                    Some(alert) => add(alert, raised),
                    None => whole = Some(alert(raised)),
                }
                let event = whole.as_ref().map(|alert| alert.event)?;
                self.quiet.insert(event, (until, None));
                whole
            }
            None => {
                self.quiet.insert(raised.event, (until, None));
                Some(alert(raised))
            }
        }
    }

    /// What waited long enough. A quiet time begins anew for each.
    pub fn due(&mut self, now: Timestamp, fold: Duration) -> Vec<Alert> {
        let mut due = Vec::new();
        let wait = i64::try_from(fold.as_millis()).unwrap_or(i64::MAX);
        self.quiet.retain(|_, (end, waiting)| {
            if now < *end && end.0 <= now.0.saturating_add(wait) {
                return true;
            }
            match waiting.take() {
                Some(alert) => {
                    due.push(alert);
                    *end = Timestamp(now.0.saturating_add(wait));
                    true
                }
                None => false,
            }
        });
        due
    }

    /// Everything that waits, for the end of the server.
    pub fn rest(&mut self) -> Vec<Alert> {
        std::mem::take(&mut self.quiet).into_values().filter_map(|(_, waiting)| waiting).collect()
    }
}

fn alert(raised: Raised) -> Alert {
    let Raised { event, text, items, count, at } = raised;
    Alert { event, text, items, count, first_at: at, last_at: at }
}

fn add(alert: &mut Alert, raised: Raised) {
    alert.count += raised.count;
    alert.text = raised.text;
    alert.last_at = raised.at;
    let room = ITEMS_MAX.saturating_sub(alert.items.len());
    alert.items.extend(raised.items.into_iter().take(room));
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOLD: Duration = Duration::from_secs(10);

    fn raised(event: Event, at: i64) -> Raised {
        Raised { event, text: format!("at {at}"), items: vec![ItemId(at as u64)], count: 1, at: Timestamp(at) }
    }

    #[test]
    fn the_first_is_told_at_once_and_a_storm_behind_it_as_one() {
        let mut fold = Fold::default();
        let event = Event::HeldForSubmission;
        assert_eq!(fold.take(raised(event, 1), Timestamp(1), FOLD).expect("told").count, 1);
        for at in 2..102 {
            assert_eq!(fold.take(raised(event, at), Timestamp(at), FOLD), None);
        }
        assert_eq!(fold.due(Timestamp(9_000), FOLD), []);
        let due = fold.due(Timestamp(10_001), FOLD);
        assert_eq!(due.len(), 1);
        assert_eq!((due[0].count, due[0].text.as_str(), due[0].items.len()), (100, "at 101", ITEMS_MAX));
        assert_eq!((due[0].first_at, due[0].last_at), (Timestamp(2), Timestamp(101)));
        assert_eq!(fold.due(Timestamp(99_000), FOLD), [], "nothing came since");
        assert!(fold.take(raised(event, 100_000), Timestamp(100_000), FOLD).is_some());
    }

    #[test]
    fn events_do_not_silence_one_another_and_none_is_silent_for_ever_when_the_clock_goes_back() {
        let mut fold = Fold::default();
        let late = 1_000_000_000;
        assert!(fold.take(raised(Event::QuotaLow, late), Timestamp(late), FOLD).is_some());
        assert!(fold.take(raised(Event::ProcessingError, late), Timestamp(late), FOLD).is_some());
        assert!(fold.take(raised(Event::QuotaLow, 5), Timestamp(5), FOLD).is_some(), "the clock went back");
    }

    #[test]
    fn what_waits_at_the_end_is_not_lost() {
        let mut fold = Fold::default();
        fold.take(raised(Event::QuotaLow, 1), Timestamp(1), FOLD);
        fold.take(raised(Event::QuotaLow, 2), Timestamp(2), FOLD);
        assert_eq!(fold.rest().iter().map(|alert| alert.count).sum::<u64>(), 1);
    }
}
