//! The quota against the disk itself: what lies there never passes the limit, by a byte, whoever writes.

mod support;

use engine::{Ask, FullReason, Refusal, Settings, SubmitError};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use support::{Fixture, body, put, small};

/// Bytes an item and a sample are charged besides their record.
const ITEM_BYTES: u64 = 512;
const SLOT_BYTES: u64 = 20;

fn on_disk(fixture: &Fixture) -> u64 {
    // A file may be unlinked between the listing and the look.
    let length = |path| std::fs::metadata(path).map_or(0, |file: std::fs::Metadata| file.len());
    fixture.files(".seg").iter().chain(&fixture.files(".large")).map(length).sum()
}

#[test]
fn sixty_four_writers_never_pass_the_limit_by_a_byte() {
    let fixture = Fixture::new();
    let max_bytes = 6 << 20;
    // Nothing is prepared ahead here, so that a file's length is what was charged.
    let engine = fixture.open(Settings { max_bytes, prepare_bytes: 0, ..small() });
    let (items, samples) = (AtomicU64::new(0), AtomicU64::new(0));
    let refused = AtomicU64::new(0);
    let writing = AtomicBool::new(true);
    std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut highest = 0;
            while writing.load(Ordering::Relaxed) {
                // Items are counted before the files are measured: both only grow here.
                let charged = items.load(Ordering::Relaxed) * ITEM_BYTES + samples.load(Ordering::Relaxed) * SLOT_BYTES;
                let now = charged + on_disk(&fixture);
                assert!(now <= max_bytes, "{now} bytes of {max_bytes}");
                let quota = engine.quota();
                assert!(quota.used_bytes + quota.reserved_bytes <= max_bytes);
                highest = highest.max(now);
            }
            highest
        });
        let writers: Vec<_> = (0..64_u64)
            .map(|thread| {
                let (engine, items, samples, refused) = (&engine, &items, &samples, &refused);
                scope.spawn(move || {
                    for n in 0..40_u64 {
                        // Every third is one that others send too.
                        let seed = if n % 3 == 0 { n } else { thread * 1000 + n };
                        match put(engine, &body(seed, 3000 + (seed % 7) as usize * 2000), "c1") {
                            Ok(stored) => {
                                items.fetch_add(1, Ordering::Relaxed);
                                samples.fetch_add(u64::from(!stored.duplicate), Ordering::Relaxed);
                            }
                            Err(SubmitError::Refused(Refusal::Full { what: FullReason::Bytes, .. })) => {
                                refused.fetch_add(1, Ordering::Relaxed);
                            }
                            Err(error) => panic!("{error}"),
                        }
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.join().unwrap();
        }
        writing.store(false, Ordering::Relaxed);
        let highest = watch.join().unwrap();
        assert!(highest > max_bytes * 8 / 10, "the store came close to its limit: {highest} of {max_bytes}");
    });
    assert!(refused.load(Ordering::Relaxed) > 0);
    let (items, samples) = (items.load(Ordering::Relaxed), samples.load(Ordering::Relaxed));
    let quota = engine.quota();
    assert_eq!((quota.items, quota.used_samples, quota.reserved_bytes), (items, samples, 0));
    engine.close();
    // Closed and sealed, the books and the disk agree to the byte.
    assert_eq!(engine.quota().used_bytes, on_disk(&fixture) + items * ITEM_BYTES + samples * SLOT_BYTES);
    drop(engine);
    let engine = fixture.open(Settings { max_bytes, prepare_bytes: 0, ..small() });
    assert_eq!(engine.quota().used_bytes, on_disk(&fixture) + items * ITEM_BYTES + samples * SLOT_BYTES);
}

#[test]
fn deleting_makes_room_in_a_full_store() {
    let fixture = Fixture::new();
    let engine = fixture.open(Settings { max_bytes: 4 << 20, ..small() });
    let mut stored = Vec::new();
    for n in 0.. {
        match put(&engine, &body(n, 20_000), "c1") {
            Ok(one) => stored.push(one.item),
            Err(SubmitError::Refused(Refusal::Full { .. })) => break,
            Err(error) => panic!("{error}"),
        }
    }
    let half = &stored[..stored.len() / 2];
    assert_eq!(engine.delete(half, "test").unwrap(), half);
    engine.tidy();
    for n in 0..half.len() as u64 / 2 {
        put(&engine, &body(100_000 + n, 20_000), "c1").unwrap();
    }
}

#[test]
fn the_limit_of_samples_holds_for_new_content_and_lets_known_content_in() {
    let fixture = Fixture::new();
    let engine = fixture.open(Settings { max_samples: 5, ..small() });
    for n in 0..5 {
        put(&engine, &body(n, 100), "c1").unwrap();
    }
    let refused = put(&engine, &body(9, 100), "c1").unwrap_err();
    let SubmitError::Refused(Refusal::Full { what: FullReason::Samples, quota }) = refused else { panic!("{refused}") };
    assert_eq!((quota.used_samples, quota.max_samples), (5, 5));
    let digest = model::Blake3(*blake3::hash(&body(0, 100)).as_bytes());
    assert!(support::offer(&engine, &digest, "c2").unwrap().unwrap().duplicate);
}

#[test]
fn a_sample_over_the_limit_is_refused_before_its_body_and_a_stream_when_it_passes_it() {
    let fixture = Fixture::new();
    let engine = fixture.open(Settings { sample_bytes_max: 2 << 20, ..small() });
    let ask = Ask { raw_bytes: (2 << 20) + 1, known: false, client: "c1" };
    assert!(matches!(engine.admit(&ask), Err(Refusal::TooLarge { limit: 2_097_152, .. })));
    let error = support::stream(&engine, &body(1, 3 << 20), "c1").unwrap_err();
    assert!(matches!(error, SubmitError::Refused(Refusal::TooLarge { .. })), "{error}");
    assert!(fixture.files("large").is_empty());
}
