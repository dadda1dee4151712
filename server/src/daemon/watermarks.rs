//! Events 10 and 11: how full the quarantine and its disk are. Each is raised when it begins to be true, once.

use engine::{Level, QuotaState};
use model::Event;

/// What was true last time.
#[derive(Debug, Default)]
pub struct Watermarks {
    is_low: bool,
    is_disk_short: bool,
}

impl Watermarks {
    /// What has become true since.
    pub fn look(&mut self, quota: &QuotaState) -> Vec<(Event, String)> {
        let mut raised = Vec::new();
        let is_low = quota.level > Level::Normal;
        if is_low && !self.is_low {
            let text = format!(
                "{} of {} bytes and {} of {} samples are used",
                quota.used_bytes, quota.max_bytes, quota.used_samples, quota.max_samples
            );
            raised.push((Event::QuotaLow, text));
        }
        let left = quota.max_bytes.saturating_sub(quota.used_bytes);
        let is_disk_short = quota.free_disk_bytes < left;
        if is_disk_short && !self.is_disk_short {
            let text = format!(
                "{} bytes are free on the disk, {} more may come: make room, or lower general.max_bytes",
                quota.free_disk_bytes, left
            );
            raised.push((Event::FreeDiskBelowMaximum, text));
        }
        (self.is_low, self.is_disk_short) = (is_low, is_disk_short);
        raised
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(used_bytes: u64, free_disk_bytes: u64, level: Level) -> QuotaState {
        QuotaState {
            used_bytes,
            max_bytes: 1000,
            used_samples: 1,
            max_samples: 10,
            reserved_bytes: 0,
            derived_bytes: 0,
            items: 1,
            prepared_bytes: 0,
            free_disk_bytes,
            level,
        }
    }

    #[test]
    fn each_is_raised_when_it_begins_and_again_only_after_it_ended() {
        let mut marks = Watermarks::default();
        let mut events = |quota: &QuotaState| marks.look(quota).into_iter().map(|(event, _)| event).collect::<Vec<_>>();
        assert_eq!(events(&quota(100, 5000, Level::Normal)), []);
        assert_eq!(events(&quota(850, 5000, Level::Low)), [Event::QuotaLow]);
        assert_eq!(events(&quota(900, 5000, Level::High)), []);
        assert_eq!(events(&quota(900, 99, Level::High)), [Event::FreeDiskBelowMaximum]);
        assert_eq!(events(&quota(100, 900, Level::Normal)), []);
        assert_eq!(events(&quota(100, 899, Level::Low)), [Event::QuotaLow, Event::FreeDiskBelowMaximum]);
    }
}
