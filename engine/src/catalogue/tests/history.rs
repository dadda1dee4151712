//! Random histories against a model that is a plain vector: the same items, the same pages, the same counts.

use super::*;
use crate::catalogue::{Filter, StatusChange};
use model::item::Verdict;
use model::lifecycle::Basis;
use model::{Attributes, Status, Timestamp};
use proptest::prelude::*;

/// One step of a history; numbers are taken modulo what exists when the step is done.
#[derive(Debug, Clone)]
enum Step {
    Arrive { client: u8, sample_of: Option<u8>, at_ms: i64 },
    Delete { items: Vec<u8> },
    Pass,
    Move { item: u8, to: u8, signature: Option<u8> },
    Reopen,
    Replay,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..4_u8, proptest::option::of(any::<u8>()), 0..50_i64)
            .prop_map(|(client, sample_of, at_ms)| Step::Arrive { client, sample_of, at_ms }),
        2 => proptest::collection::vec(any::<u8>(), 1..4).prop_map(|items| Step::Delete { items }),
        1 => Just(Step::Pass),
        3 => (any::<u8>(), 0..14_u8, proptest::option::of(0..3_u8))
            .prop_map(|(item, to, signature)| Step::Move { item, to, signature }),
        1 => Just(Step::Reopen),
        1 => Just(Step::Replay),
    ];
    proptest::collection::vec(step, 1..60)
}

prop_compose! {
    fn filters()(
        statuses in proptest::collection::vec(0..14_u8, 0..4),
        client in proptest::option::of(0..5_u8),
        digest in proptest::option::of(1..30_u64),
        signature in proptest::option::of(0..4_u8),
        since_ms in proptest::option::of(0..50_i64),
        until_ms in proptest::option::of(0..50_i64),
    ) -> Filter {
        Filter {
            statuses: statuses.into_iter().filter_map(Status::from_code).collect(),
            client: client.map(client_name),
            samples: digest.map(|sample| vec![SampleId(sample)]),
            signature: signature.map(signature_name),
            since_ms,
            until_ms,
        }
    }
}

fn client_name(number: u8) -> String {
    format!("client-{number}")
}

fn signature_name(number: u8) -> String {
    format!("Signature.{number}")
}

#[derive(Debug, Clone)]
struct Known {
    entry: Entry,
    status: Status,
    signatures: Vec<String>,
}

impl Known {
    fn matches(&self, filter: &Filter) -> bool {
        let at_ms = self.entry.arrival.received_at_ms;
        (filter.statuses.is_empty() || filter.statuses.contains(&self.status))
            && filter.client.as_ref().is_none_or(|client| *client == self.entry.arrival.client)
            && filter.samples.as_ref().is_none_or(|samples| samples.contains(&self.entry.sample))
            && filter.signature.as_ref().is_none_or(|signature| self.signatures.contains(signature))
            && filter.since_ms.is_none_or(|since| at_ms >= since)
            && filter.until_ms.is_none_or(|until| at_ms < until)
    }
}

/// The model: every item that is there, oldest first, and the log that made it so.
#[derive(Debug, Default)]
struct Naive {
    items: Vec<Known>,
    log: Vec<Change>,
    deleted: usize,
}

impl Naive {
    fn next_sequence(&self) -> u64 {
        self.log.last().map_or(1, |change| change.sequence() + 1)
    }

    fn pick(&self, number: u8) -> Option<usize> {
        (!self.items.is_empty()).then(|| usize::from(number) % self.items.len())
    }
}

fn walk(catalogue: &Catalogue, filter: &Filter, limit: usize) -> Vec<u64> {
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = catalogue.page(filter, limit, cursor.as_ref()).unwrap();
        assert!(page.items.len() <= limit);
        seen.extend(page.items.iter().map(|item| item.id.0));
        cursor = page.next;
        if cursor.is_none() {
            return seen;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_catalogue_agrees_with_a_plain_vector(
        steps in steps(),
        filters in proptest::collection::vec(filters(), 12),
        limit in 1..7_usize,
    ) {
        let directory = tempfile::tempdir().unwrap();
        let mut catalogue = open(directory.path());
        let mut naive = Naive::default();
        for step in steps {
            match step {
                Step::Arrive { client, sample_of, at_ms } => {
                    let id = naive.next_sequence();
                    let sample = sample_of.and_then(|number| naive.pick(number));
                    let sample = sample.map_or(id, |at| naive.items[at].entry.sample.0);
                    let mut entry = entry_of(id, sample);
                    entry.arrival.client = client_name(client);
                    entry.arrival.received_at_ms = at_ms;
                    naive.items.push(Known { entry: entry.clone(), status: Status::Quarantined, signatures: vec![] });
                    naive.log.push(Change::Arrived(entry.clone()));
                    catalogue.feed(vec![Change::Arrived(entry)]);
                }
                Step::Delete { items } => {
                    let ids: Vec<u64> = items
                        .iter()
                        .filter_map(|number| naive.pick(*number))
                        .map(|at| naive.items[at].entry.item.0)
                        .chain([1_000_000])
                        .collect();
                    let change = deleted(naive.next_sequence(), &ids);
                    let before = naive.items.len();
                    naive.items.retain(|known| !ids.contains(&known.entry.item.0));
                    naive.deleted += before - naive.items.len();
                    naive.log.push(change.clone());
                    catalogue.feed(vec![change]);
                }
                Step::Pass => {
                    let change = Change::Passed { sequence: naive.next_sequence() };
                    naive.log.push(change.clone());
                    catalogue.feed(vec![change]);
                }
                Step::Move { item, to, signature } => {
                    let Some(at) = naive.pick(item) else { continue };
                    let known = &mut naive.items[at];
                    let to = Status::from_code(to).unwrap();
                    let signatures: Vec<String> = signature.map(signature_name).into_iter().collect();
                    catalogue
                        .change_status(StatusChange {
                            item: known.entry.item,
                            from: known.status,
                            to,
                            attributes: Attributes::default(),
                            priority_override: None,
                            basis: Basis::Detection,
                            send_again_count: 1,
                            verdict: Some(Verdict { signatures: signatures.clone(), sequence: Sequence(1) }),
                            at: Timestamp(1),
                            who: "test".to_owned(),
                            what: "moved".to_owned(),
                        })
                        .unwrap();
                    (known.status, known.signatures) = (to, signatures);
                }
                Step::Reopen => {
                    // What the control loop was told is durable at once; the feed is only as far as its watermark.
                    catalogue = open_again(catalogue, directory.path());
                    let missing = missing(&naive, catalogue.watermark());
                    catalogue.feed(missing);
                }
                Step::Replay => catalogue.feed(naive.log.clone()),
            }
        }
        let last = naive.log.last().map_or(0, Change::sequence);
        prop_assert!(catalogue.reach(last, DEADLINE));
        prop_assert_eq!(catalogue.watermark(), last);
        prop_assert_eq!(catalogue.check().unwrap(), Vec::<String>::new());
        for status in Status::ALL {
            let expected = naive.items.iter().filter(|known| known.status == status).count() as u64;
            prop_assert_eq!(catalogue.count_by_status()[usize::from(status.code())], expected);
        }
        let deletions = walk_log(&catalogue);
        prop_assert_eq!(deletions, naive.deleted);
        for filter in filters.iter().chain([&Filter::default()]) {
            let expected: Vec<u64> = naive
                .items
                .iter()
                .rev()
                .filter(|known| known.matches(filter))
                .map(|known| known.entry.item.0)
                .collect();
            prop_assert_eq!(catalogue.count(filter).unwrap(), expected.len() as u64, "{:?}", filter);
            prop_assert_eq!(walk(&catalogue, filter, limit), expected, "{:?}", filter);
        }
    }
}

fn open_again(catalogue: Catalogue, directory: &Path) -> Catalogue {
    drop(catalogue);
    open(directory)
}

fn missing(naive: &Naive, watermark: u64) -> Vec<Change> {
    naive.log.iter().filter(|change| change.sequence() > watermark).cloned().collect()
}

fn walk_log(catalogue: &Catalogue) -> usize {
    let (mut deletions, mut cursor) = (0, None);
    loop {
        let page = catalogue.log_page(5, cursor.as_ref()).unwrap();
        deletions += page.entries.iter().filter(|entry| entry.what == "deleted").count();
        cursor = page.next;
        if cursor.is_none() {
            return deletions;
        }
    }
}
