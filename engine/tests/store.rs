//! A store as its users see it, on a real filesystem.

mod support;

use engine::disk::{Disk, NullDisk, PlainDisk};
use engine::{Effort, Engine, ReadMode, Settings, disk};
use std::sync::Arc;
use support::{Fixture, body, put, small};

#[test]
fn what_is_put_is_listed_read_back_and_still_there_after_a_restart() {
    let fixture = Fixture::new();
    let engine = fixture.open(small());
    let bodies: Vec<_> = (0..40).map(|n| body(n, (n as usize * 7919) % 200_000)).collect();
    let stored: Vec<_> = bodies.iter().map(|body| put(&engine, body, "c1").unwrap()).collect();
    for (stored, body) in stored.iter().zip(&bodies) {
        assert!(!stored.duplicate);
        assert_eq!(support::read(&engine, &stored.blake3), *body);
    }
    engine.close();
    drop(engine);
    let engine = fixture.open(small());
    for (stored, body) in stored.iter().zip(&bodies) {
        assert_eq!(support::read(&engine, &stored.blake3), *body);
        assert!(support::listed(&engine, stored.item));
        let item = engine.catalogue().item(stored.item).unwrap().unwrap();
        assert_eq!(item.sample.blake3, stored.blake3);
    }
    assert_eq!(engine.quota().used_samples, 40);
    assert_eq!(engine.quota().items, 40);
}

#[test]
fn a_second_copy_is_a_new_item_on_the_same_sample() {
    let fixture = Fixture::new();
    let engine = fixture.open(small());
    let body = body(1, 50_000);
    let first = put(&engine, &body, "c1").unwrap();
    let before = engine.quota();
    let second = put(&engine, &body, "c2").unwrap();
    assert!(second.duplicate && second.item != first.item && second.sample == first.sample);
    assert_eq!(engine.quota().used_samples, 1);
    assert!(engine.quota().used_bytes - before.used_bytes < 10_000, "no byte of content is stored twice");
}

#[test]
fn a_killed_store_opens_with_everything_that_was_answered() {
    let fixture = Fixture::new();
    let engine = fixture.open(small());
    let bodies: Vec<_> = (0..100).map(|n| body(n, 3000 + n as usize)).collect();
    let stored: Vec<_> = bodies.iter().map(|body| put(&engine, body, "c1").unwrap()).collect();
    // The files as a kill would leave them: the active segment is open, nothing was sealed.
    let copy = fixture.copy();
    drop(engine);
    let (engine, recovery) = Engine::open(copy.path(), small(), Arc::new(PlainDisk::new())).unwrap();
    assert!(recovery.recovered_segments > 0);
    assert!(recovery.damage.is_empty(), "{:?}", recovery.damage);
    for (stored, body) in stored.iter().zip(&bodies) {
        assert_eq!(support::read(&engine, &stored.blake3), *body);
        assert!(support::listed(&engine, stored.item));
    }
    let next = put(&engine, b"another", "c1").unwrap();
    assert!(stored.iter().all(|earlier| earlier.item < next.item), "ids never repeat");
}

#[test]
fn a_retry_with_the_same_key_is_the_same_item_also_after_a_restart() {
    let fixture = Fixture::new();
    let engine = fixture.open(small());
    let first = support::put_keyed(&engine, b"content", "c1", 7).unwrap();
    let again = support::put_keyed(&engine, b"content", "c1", 7).unwrap();
    assert!(again.repeated && again.item == first.item);
    assert!(support::put_keyed(&engine, b"other content", "c1", 7).is_err());
    engine.close();
    drop(engine);
    let engine = fixture.open(small());
    let again = support::put_keyed(&engine, b"content", "c1", 7).unwrap();
    assert!(again.repeated && again.item == first.item);
    assert_eq!(engine.quota().items, 1);
}

#[test]
fn a_large_sample_streams_and_reads_back_at_any_offset() {
    let fixture = Fixture::new();
    let engine = fixture.open(small());
    let body = body(5, 5_300_001);
    let stored = support::stream(&engine, &body, "c1").unwrap();
    assert_eq!(support::read(&engine, &stored.blake3), body);
    let sample = engine.sample(&stored.blake3).unwrap().unwrap();
    for (offset, len) in [(0, 1), (65_535, 2), (1 << 20, 70_000), (5_300_000, 100), (5_300_001, 1)] {
        let end = (offset + len).min(body.len());
        assert_eq!(sample.read(offset as u64, len).unwrap(), body[offset.min(end)..end], "{offset} {len}");
    }
    drop(sample);
    let again = support::stream(&engine, &body, "c2").unwrap();
    assert!(again.duplicate && again.sample == stored.sample);
    engine.close();
    drop(engine);
    let engine = fixture.open(small());
    assert_eq!(support::read(&engine, &stored.blake3), body);
    let files = fixture.files("large");
    assert_eq!(files.len(), 1, "{files:?}");
    let used = engine.quota().used_bytes;
    engine.delete(&[stored.item, again.item], "test").unwrap();
    engine.tidy();
    assert!(fixture.files("large").is_empty());
    assert!(engine.quota().used_bytes < used - 2_000_000);
}

#[test]
fn a_large_sample_that_is_given_up_leaves_nothing() {
    let fixture = Fixture::new();
    let engine = fixture.open(small());
    let before = engine.quota();
    let permit = engine.admit(&engine::Ask { raw_bytes: 0, known: false, client: "c1" }).unwrap();
    let mut writer = engine.large(permit, support::arrival("c1")).unwrap();
    writer.write(&body(1, 3 << 20)).unwrap();
    assert_eq!(fixture.files("large").len(), 1);
    drop(writer);
    assert!(fixture.files("large").is_empty());
    assert_eq!(engine.quota().used_bytes, before.used_bytes);
}

#[test]
fn deleted_content_is_gone_after_compaction_and_the_rest_stays() {
    let fixture = Fixture::new();
    let engine = fixture.open(small());
    let bodies: Vec<_> = (0..200).map(|n| body(n, 20_000)).collect();
    let stored: Vec<_> = bodies.iter().map(|body| put(&engine, body, "c1").unwrap()).collect();
    // A second item keeps every tenth sample alive though its first item goes.
    let kept: Vec<_> = bodies.iter().step_by(10).map(|body| put(&engine, body, "c2").unwrap()).collect();
    let doomed: Vec<_> = stored.iter().map(|stored| stored.item).collect();
    let used = engine.quota().used_bytes;
    assert_eq!(engine.delete(&doomed, "test").unwrap(), doomed);
    assert!(engine.delete(&doomed, "test").unwrap().is_empty(), "they are gone already");
    // Push the newest segment on, so that the older ones are settled.
    for n in 0..60 {
        put(&engine, &body(1000 + n, 20_000), "c3").unwrap();
    }
    engine.tidy();
    assert!(engine.quota().used_bytes < used, "{} {used}", engine.quota().used_bytes);
    assert_eq!(engine.quota().used_samples, 80);
    let check = |engine: &Engine| {
        for (n, (stored, body)) in stored.iter().zip(&bodies).enumerate() {
            assert_eq!(engine.knows(&stored.blake3), n % 10 == 0, "{n}");
            assert!(!support::listed(engine, stored.item));
            if n % 10 == 0 {
                assert_eq!(support::read(engine, &stored.blake3), *body);
            }
        }
        for kept in &kept {
            assert!(support::listed(engine, kept.item));
        }
    };
    check(&engine);
    let before = engine.quota();
    engine.close();
    drop(engine);
    let engine = fixture.open(small());
    check(&engine);
    assert_eq!(engine.quota().used_samples, before.used_samples);
    assert_eq!(engine.quota().items, before.items);
    engine.close();
    drop(engine);
    // The log alone tells the same story.
    engine::rebuild(fixture.path(), Arc::new(PlainDisk::new()), &mut |_| {}).unwrap();
    let engine = fixture.open(small());
    check(&engine);
}

#[test]
fn the_finish_pass_makes_lightly_stored_samples_small_and_leaves_them_readable() {
    let fixture = Fixture::new();
    let settings = Settings { codec: engine::CodecPolicy::Fixed(Effort::Raw), ..small() };
    let engine = fixture.open(settings);
    let bodies: Vec<_> = (0..60).map(|n| body(n, 30_000)).collect();
    let stored: Vec<_> = bodies.iter().map(|body| put(&engine, body, "c1").unwrap()).collect();
    assert!(engine.finish_backlog_bytes() > 0);
    let used = engine.quota().used_bytes;
    engine.tidy();
    let after = engine.quota().used_bytes;
    assert!(after < used * 3 / 4, "{after} of {used}");
    for (stored, body) in stored.iter().zip(&bodies) {
        assert_eq!(support::read(&engine, &stored.blake3), *body);
    }
    engine.close();
    drop(engine);
    let report = engine::verify(fixture.path(), Arc::new(PlainDisk::new()), &mut |_| {}).unwrap();
    assert!(report.damage.is_empty(), "{:?}", report.damage);
    assert_eq!((report.samples, report.items), (60, 60));
}

#[test]
fn an_empty_sample_is_a_sample() {
    let fixture = Fixture::new();
    let engine = fixture.open(small());
    let stored = put(&engine, b"", "c1").unwrap();
    assert_eq!(support::read(&engine, &stored.blake3), b"");
    assert!(put(&engine, b"", "c1").unwrap().duplicate);
}

#[test]
fn bytes_other_than_announced_are_refused() {
    let fixture = Fixture::new();
    let engine = fixture.open(small());
    let error = support::put_expecting(&engine, b"these", "c1", blake3::hash(b"those")).unwrap_err();
    assert!(matches!(error, engine::SubmitError::DigestMismatch { .. }), "{error}");
    assert_eq!(engine.quota().items, 0);
}

#[test]
fn an_offer_of_known_content_needs_no_bytes_and_of_unknown_content_comes_back() {
    let fixture = Fixture::new();
    let engine = fixture.open(small());
    let stored = put(&engine, b"known", "c1").unwrap();
    let offered = support::offer(&engine, &stored.blake3, "c2").unwrap().unwrap();
    assert!(offered.duplicate && offered.sample == stored.sample && offered.item != stored.item);
    assert!(support::offer(&engine, &model::Blake3([1; 32]), "c2").is_none());
}

#[test]
fn a_digest_that_only_begins_alike_is_unknown() {
    let fixture = Fixture::new();
    let engine = fixture.open(small());
    let stored = put(&engine, b"known", "c1").unwrap();
    // The index keeps the first eight bytes; the rest is compared with the record.
    for differs_at in 8..32 {
        let mut alike = stored.blake3;
        alike.0[differs_at] ^= 1;
        assert!(!engine.knows(&alike), "byte {differs_at}");
        assert!(support::offer(&engine, &alike, "c2").is_none(), "byte {differs_at}");
        assert!(engine.sample(&alike).unwrap().is_none(), "byte {differs_at}");
    }
}

#[test]
fn a_store_in_use_is_not_opened_twice() {
    let fixture = Fixture::new();
    let _engine = fixture.open(small());
    let second = Engine::open(fixture.path(), small(), Arc::new(PlainDisk::new()));
    assert!(matches!(second, Err(engine::OpenError::InUse(_))));
}

#[test]
fn no_text_of_a_sample_lies_on_disk_and_nothing_there_can_run() {
    use std::os::unix::fs::PermissionsExt;
    let fixture = Fixture::new();
    let engine = fixture.open(Settings { codec: engine::CodecPolicy::Fixed(Effort::Raw), ..small() });
    // The harmless test file that every scanner knows, put together here so that this file is not one.
    let eicar = ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$", "EICAR-STANDARD-", "ANTIVIRUS-TEST-FILE!$H+H*"].concat();
    put(&engine, eicar.as_bytes(), "c1").unwrap();
    support::stream(&engine, eicar.repeat(50_000).as_bytes(), "c1").unwrap();
    engine.close();
    for file in fixture.files("") {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(14).any(|window| window == b"EICAR-STANDARD"), "{}", file.display());
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o111, 0, "{} {mode:o}", file.display());
    }
}

#[test]
fn every_disk_and_way_of_reading_gives_the_same() {
    let disks: [(&str, std::io::Result<Arc<dyn Disk>>); 2] =
        [("plain", disk(engine::IoMode::Plain)), ("uring", disk(engine::IoMode::Uring))];
    for (name, disk) in disks {
        let Ok(disk) = disk else {
            eprintln!("UNAVAILABLE io_uring {name} is not allowed here");
            continue;
        };
        for read in [ReadMode::Map, ReadMode::Pread] {
            let fixture = Fixture::new();
            let settings = Settings { read, ..small() };
            let (engine, _) = Engine::open(fixture.path(), settings.clone(), Arc::clone(&disk)).unwrap();
            let bodies: Vec<_> = (0..50).map(|n| body(n, 30_000)).collect();
            let stored: Vec<_> = bodies.iter().map(|body| put(&engine, body, "c1").unwrap()).collect();
            engine.close();
            drop(engine);
            let (engine, _) = Engine::open(fixture.path(), settings, Arc::clone(&disk)).unwrap();
            for (stored, body) in stored.iter().zip(&bodies) {
                assert_eq!(support::read(&engine, &stored.blake3), *body);
            }
        }
    }
}

#[test]
fn the_null_disk_takes_everything() {
    let fixture = Fixture::new();
    let (engine, _) = Engine::open(fixture.path(), small(), Arc::new(NullDisk)).unwrap();
    for n in 0..100 {
        put(&engine, &body(n, 30_000), "c1").unwrap();
    }
    assert_eq!(engine.quota().items, 100);
}
