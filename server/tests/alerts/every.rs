//! None of the 23 is forgotten: each names where it is raised, and the test that sees it, or what it waits for.

use model::Event;
use std::path::Path;

/// What becomes of an event in this version.
enum Raised {
    /// In this file of the server, and a test of this name sees it happen.
    In(&'static str, &'static str),
    /// In this file, by what no test can bring about.
    Unseen(&'static str),
    /// In this file, once definitions are delivered: nothing can bring it about before.
    WithDelivery(&'static str),
}

use Raised::{In, Unseen, WithDelivery};

/// No `_`: a new event has to say where it comes from.
fn raised(event: Event) -> Raised {
    match event {
        Event::GatewayUnreachable => In("exchange/task.rs", "event_1_"),
        Event::DefcastError => In("exchange/sets.rs", "event_2_"),
        Event::CannotInstallOnTargets => In("control/notice.rs", "event_3_"),
        Event::DefinitionDirectoryUnreachable => In("exchange/sets.rs", "event_4_"),
        Event::ScannerUnreachable => In("control/scans.rs", "event_5_"),
        // The task ends by a fault of its own only.
        Event::GatewayTaskStopped => Unseen("exchange/task.rs"),
        Event::WaitingForDefinitions => In("exchange/task.rs", "event_7_"),
        Event::CertifiedDefinitionsArrived => In("exchange/sets.rs", "event_8_"),
        Event::NoncertifiedDefinitionsArrived => In("exchange/sets.rs", "and_9_"),
        Event::QuotaLow => In("daemon/watermarks.rs", "event_10_"),
        Event::FreeDiskBelowMaximum => In("daemon/watermarks.rs", "event_11_"),
        Event::NotRepaired => In("http/repair.rs", "event_12_"),
        Event::InstallFailed => WithDelivery("control/notice.rs"),
        Event::ProcessingError => In("control/notice.rs", "event_14_"),
        Event::NeedsAttention => In("control/notice.rs", "event_15_"),
        Event::HeldForSubmission => In("control/notice.rs", "event_16_"),
        Event::TooLongAvailable => In("daemon/policy.rs", "event_17_"),
        Event::TooLongDistributed => WithDelivery("daemon/policy.rs"),
        Event::TooLongNeeded => In("daemon/policy.rs", "and_19_"),
        Event::TooLongReleased => In("daemon/policy.rs", "event_20_"),
        Event::TooLongSubmitted => In("daemon/policy.rs", "event_21_"),
        Event::TooLongQuarantined => In("daemon/policy.rs", "event_22_"),
        Event::HeldForDelivery => In("control/notice.rs", "and_23_"),
    }
}

#[test]
fn each_event_is_raised_where_it_says_and_seen_by_the_test_it_names() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let tests = [include_str!("causes.rs"), include_str!("timers.rs")].concat();
    for event in Event::ALL {
        let (file, test) = match raised(event) {
            In(file, test) => (file, Some(test)),
            Unseen(file) | WithDelivery(file) => (file, None),
        };
        let text = std::fs::read_to_string(source.join(file)).expect("the file is there");
        // As `Event` or under another name.
        assert!(text.contains(&format!("::{event:?}")), "{event:?} is not raised in {file}");
        if let Some(test) = test {
            let seen = tests.lines().any(|line| line.starts_with("fn ") && line.contains(test));
            assert!(seen, "no test {test} sees {event:?}");
        }
    }
}
