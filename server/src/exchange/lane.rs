//! Kinds of work with the gateway, and how each waits after trouble.
//!
//! 1. Lanes wait apart: what lies between may refuse one kind and let another through, such as a filter that keeps samples
//!    in the house, or a port for TLS that is shut.
//! 2. One that works again hurries the others, for what was in trouble may have been the same for all. What the other side
//!    asked for is waited for all the same.

use gateway::backoff::Backoff;
use std::time::{Duration, Instant};

/// A kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// The centre is asked about what it has.
    Answers,
    /// Definitions come in.
    Sets,
    /// Samples go out.
    Submissions,
}

impl Lane {
    /// In the order in which they get their turn: what protects comes before what may take long.
    pub const ALL: [Self; 3] = [Self::Answers, Self::Sets, Self::Submissions];
}

/// How each lane waits.
#[derive(Debug)]
pub struct Lanes([Wait; 3]);

#[derive(Debug)]
struct Wait {
    backoff: Backoff,
    /// Failures of what is here: the disk, the catalogue. They say nothing of the gateway.
    here: Backoff,
    quiet_until: Option<Instant>,
    /// Until when the other side wants to be left alone.
    asked_until: Option<Instant>,
}

impl Lanes {
    /// None is in trouble; the first wait of one that is will be `first`.
    pub fn new(first: Duration) -> Self {
        Self(Lane::ALL.map(|_| {
            let (backoff, here) = (Backoff::new(first), Backoff::new(first));
            Wait { backoff, here, quiet_until: None, asked_until: None }
        }))
    }

    /// Whether nothing is to be asked in this lane yet.
    pub fn is_quiet(&self, lane: Lane) -> bool {
        self.wait(lane).quiet_until.is_some_and(|until| Instant::now() < until)
    }

    /// Failures in a row.
    pub fn failures(&self, lane: Lane) -> u32 {
        self.wait(lane).backoff.failures()
    }

    /// Whether any is in trouble.
    pub fn in_trouble(&self) -> bool {
        Lane::ALL.into_iter().any(|lane| self.failures(lane) > 0)
    }

    /// It failed: how long it waits now.
    pub fn failed(&mut self, lane: Lane, chance: u64, asked: Option<Duration>) -> Duration {
        let wait = self.wait_mut(lane).backoff.failed(chance, asked);
        self.hold(lane, wait);
        self.wait_mut(lane).asked_until = asked.map(|asked| Instant::now() + asked.min(wait));
        wait
    }

    /// What is here failed it: how long it waits now.
    pub fn failed_here(&mut self, lane: Lane, chance: u64) -> Duration {
        let wait = self.wait_mut(lane).here.failed(chance, None);
        self.hold(lane, wait);
        wait
    }

    /// It waits so long.
    pub fn hold(&mut self, lane: Lane, wait: Duration) {
        self.wait_mut(lane).quiet_until = Some(Instant::now() + wait);
    }

    /// It worked; true when that is the end of its trouble.
    pub fn worked(&mut self, lane: Lane) -> bool {
        let wait = self.wait_mut(lane);
        let again = wait.backoff.failures() > 0;
        wait.backoff.succeeded();
        wait.here.succeeded();
        (wait.quiet_until, wait.asked_until) = (None, None);
        again
    }

    /// None waits longer than it was asked to; how often each has failed stays known.
    pub fn hurry(&mut self) {
        for wait in &mut self.0 {
            wait.quiet_until = wait.asked_until;
        }
    }

    /// None waits any longer, for it is another gateway perhaps.
    pub fn release(&mut self) {
        for wait in &mut self.0 {
            (wait.quiet_until, wait.asked_until) = (None, None);
        }
    }

    /// How long until one that waits has waited enough.
    pub fn pause(&self) -> Option<Duration> {
        let now = Instant::now();
        let waits = self.0.iter().filter_map(|wait| Some(wait.quiet_until?.saturating_duration_since(now)));
        waits.filter(|wait| !wait.is_zero()).min()
    }

    fn wait(&self, lane: Lane) -> &Wait {
        &self.0[lane as usize]
    }

    fn wait_mut(&mut self, lane: Lane) -> &mut Wait {
        &mut self.0[lane as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_waits_alone_and_its_recovery_hurries_the_others() {
        let mut lanes = Lanes::new(Duration::from_secs(60));
        lanes.failed(Lane::Submissions, 0, None);
        lanes.failed(Lane::Sets, 0, None);
        assert!(lanes.is_quiet(Lane::Submissions) && lanes.is_quiet(Lane::Sets) && !lanes.is_quiet(Lane::Answers));
        assert!(lanes.pause().is_some_and(|pause| pause > Duration::from_secs(20)));
        assert!(!lanes.worked(Lane::Answers), "it was in no trouble");
        assert!(lanes.worked(Lane::Sets) && lanes.in_trouble());
        lanes.hurry();
        assert!(!lanes.is_quiet(Lane::Submissions));
        assert_eq!((lanes.failures(Lane::Submissions), lanes.pause()), (1, None));
        lanes.failed(Lane::Submissions, 0, Some(Duration::from_secs(90)));
        lanes.hurry();
        assert!(lanes.is_quiet(Lane::Submissions), "it was asked to wait");
        lanes.release();
        assert!(!lanes.is_quiet(Lane::Submissions));
    }
}
