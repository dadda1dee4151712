//! A batch of arrivals into the catalogue and a page out of it. The roof of a batch is making its rows,
//! which every store must; millions of rows are what `catalogue_load` measures.

use benches::rows;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use engine::catalogue::{Catalogue, CatalogueSettings, Filter};
use std::hint::black_box;
use std::time::Duration;

/// A batch under load.
const ROWS: u64 = 4000;
/// A feed that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

fn catalogue(c: &mut Criterion) {
    let folder = benches::product::folder().expect("a folder for the catalogue");
    let path = folder.path().join("catalogue.sqlite");
    let catalogue = Catalogue::open(&path, CatalogueSettings::default()).expect("an empty catalogue");
    let mut group = c.benchmark_group("catalogue batch of 4000");
    group.throughput(Throughput::Elements(ROWS)).sample_size(10);
    let mut next = 1;
    group.bench_function("feed and commit", |bench| {
        bench.iter(|| {
            catalogue.feed(rows::arrivals(next, ROWS));
            next += ROWS;
            assert!(catalogue.reach(next - 1, PATIENCE));
        });
    });
    group.bench_function("roof (making the rows)", |bench| bench.iter(|| black_box(rows::arrivals(1, ROWS)).len()));
    group.finish();

    let mut group = c.benchmark_group("catalogue page of 100");
    let filter = Filter { client: Some(rows::client(7919)), ..Filter::default() };
    group.bench_function("of one client", |bench| {
        bench.iter(|| catalogue.page(black_box(&filter), 100, None).expect("a readable catalogue").items.len());
    });
    group.bench_function("roof (no filter)", |bench| {
        bench.iter(|| {
            catalogue.page(black_box(&Filter::default()), 100, None).expect("a readable catalogue").items.len()
        });
    });
    group.finish();
    catalogue.close();
}

criterion_group!(benches, catalogue);
criterion_main!(benches);
