//! Coordinated omission is visible: on a paused clock, against a fake that stalls for a second.

use crate::fake::{House, Lies, serve_native};
use loadgen::corpus::Corpus;
use loadgen::lane::{Inbox, native};
use loadgen::measure::Measure;
use loadgen::pace::Pace;
use loadgen::profile::{Profile, SizeShare, Spacing};
use loadgen::schedule::Schedule;
use loadgen::work::Work;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::duplex;
use tokio::sync::mpsc::channel;
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

/// Ten seconds at a thousand arrivals a second, on one connection with a window of 16.
fn profile() -> Profile {
    let mut profile = Profile::named("steady").unwrap();
    profile.arrivals = Spacing::Constant;
    profile.duration_s = 10.0;
    profile.warm_up_s = 0.0;
    profile.connections = 1;
    profile.offer_bytes_min = 0;
    profile.corpus.sizes = vec![SizeShare { per_mille: 1000, bytes_min: 16, bytes_max: 16 }];
    profile
}

async fn measured(lies: Lies) -> Arc<Work> {
    let profile = profile();
    let origin = Instant::now();
    let work = Arc::new(Work {
        seed: 7,
        corpus: Corpus::new(&profile, 7, None),
        measure: Measure::new(origin, Duration::ZERO),
        epoch: 1,
        token: String::new(),
        deadline: origin + 20 * SECOND,
        profile,
    });
    let house = Arc::new(House::new(lies, u64::MAX / 2));
    let (sender, due) = channel(1024);
    let schedule = Arc::new(Schedule::new(&work.profile, work.seed));
    tokio::spawn(Pace::new(work.clone(), schedule, origin, vec![sender]).on_this_task());
    let connect = move || {
        let (ours, theirs) = duplex(1 << 20);
        tokio::spawn(serve_native(house.clone(), theirs));
        async move { Ok(ours) }
    };
    assert_eq!(native::run(work.clone(), 0, Inbox::new(due), connect).await, None);
    work
}

/// 99th percentiles in microseconds: response, service, lag.
fn p99(work: &Work) -> (u64, u64, u64) {
    work.measure.with(|tally| {
        let p99 = |histogram: &hdrhistogram::Histogram<u64>| histogram.value_at_quantile(0.99);
        (p99(&tally.response), p99(&tally.service), p99(&tally.lag))
    })
}

#[tokio::test(start_paused = true)]
async fn a_stall_of_a_second_shows_in_response_and_not_in_service() {
    let work = measured(Lies { stall: Some((3 * SECOND, SECOND)), ..Lies::default() }).await;
    let (response_us, service_us, lag_us) = p99(&work);
    assert_eq!(work.measure.with(|tally| tally.accepted), 10_000);
    assert!(response_us > 800_000, "response {response_us} us");
    assert!(service_us < 10_000, "service {service_us} us");
    assert!(lag_us < 2_000, "the stall is the server's, not the generator's lag of {lag_us} us");
}

#[tokio::test(start_paused = true)]
async fn without_a_stall_response_is_service() {
    let work = measured(Lies::default()).await;
    let (response_us, service_us, _) = p99(&work);
    assert!(response_us < 2_000 && service_us < 2_000, "response {response_us} us, service {service_us} us");
}
