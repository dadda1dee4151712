//! Large sets of literals in a mebibyte of real binaries, beside reading it, which no scan can be faster than.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use scanner::literal::{CompileLimits, Instructions, Literal, LiteralSet};
use std::hint::black_box;
use workload::binaries::{self, Part};

const BYTES: usize = 1 << 20;
/// Enough files to cut a hundred thousand distinct literals from.
const CUT_BYTES: usize = 32 << 20;

fn scan(c: &mut Criterion) {
    let cut = binaries::read(Part::Cut, CUT_BYTES).expect("binaries of this machine");
    let haystack = binaries::read(Part::Scan, BYTES).expect("binaries of this machine");
    let mut group = c.benchmark_group("scan 1 MiB");
    group.throughput(Throughput::Bytes(BYTES as u64)).sample_size(20);
    for (name, count) in [("1,000 literals", 1_000), ("100,000 literals", 100_000)] {
        let owned = binaries::cut(&cut, 1, count, 8..=64);
        let literals: Vec<Literal<'_>> = owned.iter().map(|bytes| Literal::exact(bytes)).collect();
        let set = LiteralSet::compile(&literals, &CompileLimits::default()).expect("a set within the default cap");
        for (by, instructions) in [("best", Instructions::best()), ("scalar", Instructions::Scalar)] {
            group.bench_function(format!("{name}, {by}"), |bench| {
                bench.iter(|| {
                    let mut matches = 0_u64;
                    set.scan_by(instructions, black_box(&haystack), |_, _| matches += 1);
                    matches
                });
            });
        }
    }
    group.bench_function("roof (read)", |bench| {
        bench.iter(|| black_box(&haystack).iter().fold(0_u32, |sum, byte| sum.wrapping_add(u32::from(*byte))));
    });
    group.finish();
}

criterion_group!(benches, scan);
criterion_main!(benches);
