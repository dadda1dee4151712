//! The decision before a body is read, beside one atomic addition and its undoing.

use benches::product::{Codec, Under, settings};
use criterion::{Criterion, criterion_group, criterion_main};
use engine::{Ask, Engine};
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

fn quota(c: &mut Criterion) {
    let folder = benches::product::folder().expect("a folder for the store");
    let disk = Under::Null.disk().expect("a disk that every host has");
    let (engine, _) = Engine::open(folder.path(), settings(Codec::Level1, false), disk).expect("an empty store");
    let mut group = c.benchmark_group("quota");
    group.bench_function("admit and drop", |bench| {
        bench.iter(|| {
            let ask = Ask { raw_bytes: black_box(65536), known: false, client: "gateway-7" };
            drop(engine.admit(&ask).expect("room in an empty store"));
        });
    });
    let used = AtomicU64::new(0);
    group.bench_function("roof (atomic add)", |bench| {
        bench.iter(|| {
            used.fetch_add(black_box(65536), Ordering::AcqRel);
            used.fetch_sub(black_box(65536), Ordering::AcqRel);
        });
    });
    group.finish();
    engine.close();
}

criterion_group!(benches, quota);
criterion_main!(benches);
