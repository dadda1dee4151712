//! Submissions, the queue for the gateway, times of waiting, and clients as records.

use super::*;
use crate::catalogue::{ClientEdit, Own, Queued, StatusChange, SubmissionRow};
use model::lifecycle::{Answer, Basis};
use model::submission::Stage;
use model::{Attributes, Status, Timestamp};

fn submitted(item: u64, priority: u32, at: i64) -> Own {
    moved(item, Status::Quarantined, Status::Submitted, priority, at)
}

fn moved(item: u64, from: Status, to: Status, priority: u32, at: i64) -> Own {
    Own::Status(Box::new(StatusChange {
        item: ItemId(item),
        from,
        to,
        attributes: Attributes { sample_priority: priority, ..Attributes::default() },
        priority_override: None,
        basis: Basis::Answer,
        send_again_count: 0,
        verdict: None,
        at: Timestamp(at),
        who: "scanner".to_owned(),
        what: "scanned".to_owned(),
    }))
}

fn row(sample: u64, stage: Stage) -> SubmissionRow {
    SubmissionRow {
        sample: SampleId(sample),
        key: format!("key-{sample}"),
        stage,
        sent_blake3: Blake3([9; 32]),
        sent_bytes: 77,
        stripped: "macros".to_owned(),
        what: "said".to_owned(),
        at: Timestamp(5),
    }
}

#[test]
fn the_queue_is_by_priority_then_by_age_and_can_be_read_in_pages() {
    let directory = tempfile::tempdir().unwrap();
    let catalogue = open(directory.path());
    feed(&catalogue, arrived(1..=9));
    let priorities = [1, 3, 1, 2, 3, 1, 1, 2, 1];
    let changes = (1..=9).map(|item| submitted(item, priorities[item as usize - 1], 10)).collect();
    catalogue.apply(changes).unwrap();
    catalogue.apply(vec![moved(5, Status::Submitted, Status::Released, 3, 11)]).unwrap();
    let mut seen = Vec::new();
    let mut after: Option<Queued> = None;
    loop {
        let page = catalogue.queued(after, 3).unwrap();
        let Some(last) = page.last() else { break };
        after = Some(*last);
        seen.extend(page.iter().map(|one| (one.priority, one.item.0)));
    }
    assert_eq!(seen, [(3, 2), (2, 4), (2, 8), (1, 1), (1, 3), (1, 6), (1, 7), (1, 9)]);
}

#[test]
fn a_submission_is_kept_by_sample_and_goes_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let catalogue = open(directory.path());
    feed(&catalogue, arrived(1..=3));
    let answered = row(3, Stage::Answered(Answer::Definitions(Sequence(8))));
    for row in [row(1, Stage::Sending), row(1, Stage::Accepted), answered.clone(), row(77, Stage::Accepted)] {
        assert_eq!(catalogue.apply(vec![Own::Submission(Box::new(row))]).unwrap(), vec![Ok(())]);
    }
    assert_eq!(catalogue.submission(SampleId(1)).unwrap(), Some(row(1, Stage::Accepted)));
    assert_eq!(catalogue.submission(SampleId(77)).unwrap(), None, "there is no such sample");
    assert_eq!(catalogue.submissions(SampleId(0), 10).unwrap(), [row(1, Stage::Accepted), answered.clone()]);
    assert_eq!(catalogue.submissions(SampleId(1), 10).unwrap(), [answered]);
    feed(&catalogue, vec![deleted(4, &[1])]);
    assert_eq!(catalogue.submission(SampleId(1)).unwrap(), None);
    catalogue.apply(vec![Own::SubmissionGone(SampleId(3))]).unwrap();
    assert_eq!(catalogue.submissions(SampleId(0), 10).unwrap(), []);
    assert_eq!(catalogue.check().unwrap(), Vec::<String>::new());
}

#[test]
fn who_waits_since_when_is_counted_once() {
    let directory = tempfile::tempdir().unwrap();
    let catalogue = open(directory.path());
    feed(&catalogue, arrived(1..=6));
    catalogue.apply((1..=5).map(|item| submitted(item, 1, 100 * item as i64)).collect()).unwrap();
    let waiting = |since, until| catalogue.waiting(Status::Submitted, Timestamp(since), Timestamp(until), 2).unwrap();
    assert_eq!(waiting(0, 300), (3, vec![ItemId(1), ItemId(2)]));
    assert_eq!(waiting(300, 400), (1, vec![ItemId(4)]));
    assert_eq!(waiting(500, 900), (0, vec![]));
    let (count, _) = catalogue.waiting(Status::Quarantined, Timestamp(0), Timestamp(i64::MAX), 2).unwrap();
    assert_eq!(count, 1, "an arrival waits from its reception on");
}

#[test]
fn a_client_is_what_its_arrivals_say_until_an_administrator_says_otherwise() {
    let directory = tempfile::tempdir().unwrap();
    let catalogue = open(directory.path());
    feed(&catalogue, arrived(1..=4));
    let name = catalogue.item(ItemId(2)).unwrap().unwrap().client;
    let before = catalogue.client(&name).unwrap().unwrap();
    assert!(before.managed && before.managed_set.is_none());
    assert!(before.sequence > Sequence(0) && before.seen_at > Timestamp(0), "{before:?}");
    let edit = ClientEdit {
        name: name.clone(),
        managed: Some(Some(false)),
        parent_server: Some("relay".to_owned()),
        sequence: Some(Sequence(12)),
        who: "ann".to_owned(),
        at: Timestamp(9),
        ..ClientEdit::default()
    };
    catalogue.apply(vec![Own::Client(edit.clone())]).unwrap();
    let after = catalogue.client(&name).unwrap().unwrap();
    assert_eq!((after.managed, after.parent_server.as_str(), after.sequence), (false, "relay", Sequence(12)));
    assert!(!catalogue.standing(ItemId(2)).unwrap().unwrap().managed);
    let back = ClientEdit { managed: Some(None), parent_server: None, sequence: None, ..edit };
    catalogue.apply(vec![Own::Client(back)]).unwrap();
    assert!(catalogue.client(&name).unwrap().unwrap().managed);
    let log = catalogue.log_page(1, None).unwrap();
    assert!(log.entries[0].what.contains("managed as its arrivals say"), "{:?}", log.entries[0]);
}
