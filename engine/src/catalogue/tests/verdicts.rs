//! Verdicts of samples, what they leave to be settled, and the watermarks of shelves.

use super::*;
use crate::catalogue::{CatalogueError, Found, Own, SampleVerdict};
use model::item::Verdict;

fn found(signature: &str, allowed: bool) -> Found {
    Found { signature: signature.to_owned(), allowed, sequence: Sequence(4) }
}

fn verdict(sample: u64, findings: Vec<Found>) -> SampleVerdict {
    SampleVerdict { sample: SampleId(sample), sequence: Sequence(5), findings }
}

fn apply(catalogue: &Catalogue, changes: Vec<Own>) {
    for answer in catalogue.apply(changes).expect("applied") {
        answer.expect("done");
    }
}

#[test]
fn a_verdict_is_kept_once_for_all_items_of_a_sample_and_replaced_as_a_whole() {
    let directory = tempfile::tempdir().unwrap();
    let catalogue = open(directory.path());
    feed(&catalogue, vec![Change::Arrived(entry(1)), Change::Arrived(entry_of(2, 1)), Change::Arrived(entry(3))]);
    assert_eq!(catalogue.verdict(SampleId(1)).unwrap(), None);
    assert_eq!(catalogue.signatures_found().unwrap(), Vec::<String>::new());
    apply(&catalogue, vec![Own::Verdict(verdict(1, vec![found("B", true), found("A", false)]))]);
    assert_eq!(catalogue.signatures_found().unwrap(), ["A", "B"]);
    let kept = catalogue.verdict(SampleId(1)).unwrap().unwrap();
    assert_eq!(kept, verdict(1, vec![found("A", false), found("B", true)]));
    assert_eq!(kept.detections().collect::<Vec<_>>(), ["A"]);
    assert_eq!(catalogue.samples_with("B").unwrap(), [SampleId(1)]);
    apply(&catalogue, vec![Own::Verdict(verdict(1, vec![found("C", false)]))]);
    assert_eq!(catalogue.samples_with("B").unwrap(), []);
    assert_eq!(catalogue.signatures_found().unwrap(), ["C"]);
    assert_eq!(catalogue.items_of(SampleId(1), ItemId(0), 9).unwrap(), [ItemId(1), ItemId(2)]);
    let rows = catalogue.samples_after(SampleId(0), 9).unwrap();
    let known: Vec<_> = rows.iter().map(|row| (row.sample.0, row.blake3.0[0], row.raw.0, row.sequence.0)).collect();
    assert_eq!(known, [(1, 1, 10, 5), (3, 3, 30, 0)]);
    assert_eq!(catalogue.check().unwrap(), Vec::<String>::new());
}

#[test]
fn a_verdict_goes_with_the_last_item_of_its_sample_and_comes_not_back() {
    let directory = tempfile::tempdir().unwrap();
    let catalogue = open(directory.path());
    feed(&catalogue, vec![Change::Arrived(entry(1)), Change::Arrived(entry_of(2, 1))]);
    apply(&catalogue, vec![Own::Verdict(verdict(1, vec![found("A", false)])), Own::Unsettled(SampleId(1))]);
    feed(&catalogue, vec![deleted(3, &[1])]);
    assert_eq!(catalogue.samples_with("A").unwrap(), [SampleId(1)]);
    feed(&catalogue, vec![deleted(4, &[2])]);
    assert_eq!(catalogue.samples_with("A").unwrap(), []);
    assert_eq!(catalogue.unsettled(9).unwrap(), []);
    apply(&catalogue, vec![Own::Verdict(verdict(1, vec![found("A", false)])), Own::Unsettled(SampleId(1))]);
    assert_eq!(catalogue.verdict(SampleId(1)).unwrap(), None);
    assert_eq!(catalogue.check().unwrap(), Vec::<String>::new());
}

#[test]
fn a_verdict_that_comes_while_items_are_looked_at_leaves_them_unsettled() {
    let directory = tempfile::tempdir().unwrap();
    let catalogue = open(directory.path());
    feed(&catalogue, arrived(1..=1));
    let sample = SampleId(1);
    apply(&catalogue, vec![Own::Verdict(verdict(1, vec![found("A", false)])), Own::Unsettled(sample)]);
    let looked_at = catalogue.unsettled(9).unwrap()[0];
    // The same set found something else, as a full re-test may.
    apply(&catalogue, vec![Own::Verdict(verdict(1, vec![found("B", false)])), Own::Unsettled(sample)]);
    apply(&catalogue, vec![Own::Settled(looked_at)]);
    let again = catalogue.unsettled(9).unwrap();
    assert_eq!(again.len(), 1);
    apply(&catalogue, vec![Own::Settled(again[0])]);
    assert_eq!(catalogue.unsettled(9).unwrap(), []);
}

#[test]
fn what_is_unsettled_stays_so_until_it_is_settled_also_through_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    {
        let catalogue = open(directory.path());
        feed(&catalogue, arrived(1..=3));
        apply(&catalogue, vec![Own::Unsettled(SampleId(3)), Own::Unsettled(SampleId(2)), Own::Unsettled(SampleId(2))]);
        apply(&catalogue, vec![Own::Shelf { number: 7, sequence: Sequence(3) }]);
    }
    let catalogue = open(directory.path());
    let marks = catalogue.unsettled(9).unwrap();
    assert_eq!(marks.iter().map(|mark| mark.sample).collect::<Vec<_>>(), [SampleId(2), SampleId(3)]);
    apply(&catalogue, vec![Own::Settled(marks[0])]);
    assert_eq!(catalogue.unsettled(9).unwrap(), [marks[1]]);
    assert_eq!(catalogue.shelves().unwrap(), [(7, Sequence(3))]);
    apply(&catalogue, vec![Own::Shelf { number: 7, sequence: Sequence(4) }, Own::ShelfGone(8)]);
    assert_eq!(catalogue.shelves().unwrap(), [(7, Sequence(4))]);
    apply(&catalogue, vec![Own::ShelfGone(7)]);
    assert_eq!(catalogue.shelves().unwrap(), []);
}

#[test]
fn a_refused_change_holds_up_none_beside_it() {
    let directory = tempfile::tempdir().unwrap();
    let catalogue = open(directory.path());
    feed(&catalogue, arrived(1..=2));
    let shown = |item| {
        let verdict = Verdict { signatures: vec!["A".to_owned()], sequence: Sequence(5) };
        Own::ItemVerdict { item: ItemId(item), verdict }
    };
    let answers = catalogue.apply(vec![shown(1), shown(9), shown(2)]).unwrap();
    assert_eq!(answers, [Ok(()), Err(CatalogueError::UnknownItem(ItemId(9))), Ok(())]);
    assert_eq!(catalogue.item(ItemId(2)).unwrap().unwrap().verdict.signatures, ["A"]);
    assert_eq!(catalogue.items_in(model::Status::Quarantined, ItemId(1), 9).unwrap(), [ItemId(2)]);
}
