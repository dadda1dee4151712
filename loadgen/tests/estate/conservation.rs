//! Whole runs over loopback sockets against a fake server: honest ones hold, each lie is caught.

use crate::fake::{Fake, House, Lies};
use loadgen::corpus::Corpus;
use loadgen::profile::{Profile, Protocol, SizeShare, Spacing};
use loadgen::result::RunResult;
use loadgen::run::{Order, run};
use std::sync::Arc;

const ROOM: u64 = 1 << 40;
/// Only a run that misses something waits this long.
const PATIENCE_S: f64 = 2.0;

/// A fifth of a second, a hundred arrivals of 2 KiB, three in ten duplicates.
fn short() -> Profile {
    let mut profile = Profile::named("steady").unwrap();
    profile.rate_per_s = 500.0;
    profile.arrivals = Spacing::Constant;
    profile.duration_s = 0.2;
    profile.warm_up_s = 0.0;
    profile.drain_s = PATIENCE_S;
    profile.connections = 2;
    profile.offer_bytes_min = 2048;
    profile.corpus.sizes = vec![SizeShare { per_mille: 1000, bytes_min: 2048, bytes_max: 2048 }];
    profile
}

async fn result(profile: Profile, house: Arc<House>) -> RunResult {
    let fake = Fake::start(house).await;
    let corpus = Corpus::new(&profile, 7, None);
    let order = Order {
        profile,
        seed: 7,
        server: fake.server,
        intake: fake.intake,
        token: String::new(),
        corpus,
        verify_all: true,
        epoch: 1,
    };
    run(order, |_, _| {}).await.unwrap().result
}

async fn lied(lies: Lies) -> RunResult {
    result(short(), Arc::new(House::new(lies, ROOM))).await
}

fn caught(result: &RunResult, words: &str) {
    assert!(!result.is_good());
    let problems = &result.conservation.problems;
    assert!(problems.iter().any(|problem| problem.contains(words)), "no '{words}' in {problems:?}");
}

#[tokio::test]
async fn an_honest_server_holds_on_the_native_protocol() {
    let house = Arc::new(House::new(Lies::default(), ROOM));
    let result = result(short(), house.clone()).await;
    assert!(result.is_good(), "{result:#?}");
    assert_eq!((result.offered, result.accepted, result.conservation.read_back), (100, 100, 100));
    assert_eq!(house.sample_count() as u64, result.accepted - result.duplicates);
}

#[tokio::test]
async fn an_honest_server_holds_over_http() {
    let house = Arc::new(House::new(Lies::default(), ROOM));
    let profile = Profile { protocol: Protocol::Http, connections: 4, ..short() };
    let result = result(profile, house.clone()).await;
    assert!(result.is_good(), "{result:#?}");
    assert_eq!((result.accepted, house.count()), (100, 100));
}

#[tokio::test]
async fn a_lost_item_is_caught() {
    let result = lied(Lies { lose: Some(40), ..Lies::default() }).await;
    caught(&result, "is gone");
    caught(&result, "only 99 more items are listed");
}

#[tokio::test]
async fn a_changed_item_is_caught() {
    caught(&lied(Lies { change: Some(40), ..Lies::default() }).await, "that are not the 2048 sent");
}

#[tokio::test]
async fn a_second_ack_is_caught() {
    caught(&lied(Lies { ack_twice: Some(40), ..Lies::default() }).await, "requests that were not open");
}

#[tokio::test]
async fn one_item_for_two_arrivals_is_caught() {
    caught(&lied(Lies { share_item: Some(40), ..Lies::default() }).await, "for more than one arrival");
}

#[tokio::test]
async fn two_items_for_one_arrival_are_caught() {
    caught(&lied(Lies { store_twice: Some(40), ..Lies::default() }).await, "101 more items are listed");
}

#[tokio::test]
async fn an_answer_that_never_comes_is_an_error_and_its_item_is_allowed() {
    let result = lied(Lies { withhold: Some(40), ..Lies::default() }).await;
    assert!(result.conservation.ok, "{:?}", result.conservation);
    assert_eq!((result.accepted, result.errors, result.conservation.listed), (99, 1, 100));
    assert!(!result.is_good(), "the profile allows no errors");
}

#[tokio::test]
async fn a_broken_connection_is_made_again_and_loses_nothing() {
    let result = lied(Lies { break_at: Some(40), ..Lies::default() }).await;
    assert!(result.is_good(), "{result:#?}");
    assert_eq!((result.accepted, result.conservation.listed, result.reconnects), (100, 100, 1));
}

#[tokio::test]
async fn a_broken_http_connection_is_made_again_and_loses_nothing() {
    let house = House::new(Lies { break_at: Some(40), ..Lies::default() }, ROOM);
    let result = result(Profile { protocol: Protocol::Http, connections: 4, ..short() }, Arc::new(house)).await;
    assert!(result.is_good(), "{result:#?}");
    assert_eq!((result.accepted, result.conservation.listed, result.reconnects), (100, 100, 1));
}

#[tokio::test]
async fn a_refused_retry_of_a_broken_request_may_have_been_an_item() {
    let house = House::new(Lies { break_at: Some(50), ..Lies::default() }, 50 * 2048);
    let result = result(cliff(Protocol::Http), Arc::new(house)).await;
    assert!(result.conservation.ok, "{result:#?}");
    assert_eq!((result.accepted, result.conservation.listed, result.conservation.unanswered), (49, 50, 1));
}

fn cliff(protocol: Protocol) -> Profile {
    let mut profile = Profile::named("quota-cliff").unwrap();
    profile.protocol = protocol;
    profile.rate_per_s = 500.0;
    profile.duration_s = 0.2;
    profile.drain_s = PATIENCE_S;
    profile.connections = 4;
    profile.corpus.sizes = short().corpus.sizes;
    profile
}

#[tokio::test]
async fn behind_the_cliff_offers_are_refused_before_a_byte_is_sent() {
    let result = result(cliff(Protocol::Native), Arc::new(House::new(Lies::default(), 50 * 2048))).await;
    assert!(result.is_good(), "{result:#?}");
    assert_eq!((result.accepted, result.refused["full_bytes"]), (50, 50));
}

#[tokio::test]
async fn behind_the_cliff_http_is_refused_before_the_body() {
    let result = result(cliff(Protocol::Http), Arc::new(House::new(Lies::default(), 50 * 2048))).await;
    assert!(result.is_good(), "{result:#?}");
    assert_eq!((result.accepted, result.refused["full_bytes"], result.refused_late), (50, 50, 0));
}

#[tokio::test]
async fn refusals_that_come_after_the_body_fail_the_run() {
    let house = House::new(Lies { refuse_late: true, ..Lies::default() }, 50 * 2048);
    let result = result(cliff(Protocol::Native), Arc::new(house)).await;
    assert_eq!(result.refused_late, 50);
    assert!(result.conservation.ok && !result.is_good());
}

#[tokio::test]
async fn a_quota_that_is_passed_by_a_byte_is_caught() {
    let house = House::new(Lies { pass_quota: 1, ..Lies::default() }, 50 * 2048 - 1);
    caught(&result(cliff(Protocol::Native), Arc::new(house)).await, "the quota was passed");
}
