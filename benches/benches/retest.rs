//! Asking which blocks can hold a new signature, and making the index that answers. The roof of a fill is one
//! pass over the same bytes; the roof of a query is reading as many cache lines, one after the other.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use scanner::grams::{BLOCK_BYTES, Filler, Filter, Policy, Query, Rule, SegmentGrams, SegmentGramsBuilder, Window};
use std::hint::black_box;
use workload::Corpus;

const BLOCKS: usize = 512;
const SIGNATURES: usize = 1000;
const CACHE_LINE_WORDS: usize = 8;

fn blocks(corpus: &Corpus, seed: u64, count: usize) -> Vec<Vec<u8>> {
    let fill = |index| {
        let mut block = Vec::new();
        corpus.fill(seed, index, BLOCK_BYTES, &mut block);
        block
    };
    (0..count as u64).map(fill).collect()
}

fn rules(corpus: &Corpus) -> [(&'static str, Rule); 2] {
    let learning = blocks(corpus, 2, 64);
    let learning: Vec<&[u8]> = learning.iter().map(Vec::as_slice).collect();
    [("fixed 5", Rule::fixed(5)), ("learned 3 to 8", Rule::learn(&learning, 3, 8, 50))]
}

fn fill(c: &mut Criterion) {
    let corpus = Corpus::of_machine().expect("binaries of this machine");
    let block = blocks(&corpus, 1, 1).remove(0);
    let mut group = c.benchmark_group("grams fill 64 KiB");
    group.throughput(Throughput::Bytes(BLOCK_BYTES as u64)).sample_size(20);
    for (name, rule) in rules(&corpus) {
        let mut filler = Filler::new(&rule);
        group.bench_function(name, |bench| bench.iter(|| filler.block(&block, 0).count()));
    }
    group.bench_function("roof (one pass)", |bench| {
        bench.iter(|| black_box(&block).windows(8).fold(0, |sum: u64, load| sum.wrapping_mul(31) ^ u64::from(load[0])));
    });
    group.finish();
}

fn build(c: &mut Criterion) {
    let corpus = Corpus::of_machine().expect("binaries of this machine");
    let rule = Rule::fixed(5);
    let mut filler = Filler::new(&rule);
    let sets: Vec<_> = blocks(&corpus, 1, 32).iter().map(|block| filler.block(block, 0)).collect();
    let mut group = c.benchmark_group("grams build 32 blocks");
    group.throughput(Throughput::Bytes((sets.len() * BLOCK_BYTES) as u64)).sample_size(10);
    for filter in [Filter::Bitmap, Filter::Fuse] {
        group.bench_function(format!("{filter:?}"), |bench| {
            bench.iter(|| {
                let mut builder = SegmentGramsBuilder::new(&rule, Policy { bits_per_kib: 512, filter });
                for (block, set) in sets.iter().enumerate() {
                    builder.add(block as u64, set.clone()).expect("one rule");
                }
                builder.finish().len()
            });
        });
    }
    group.finish();
}

fn query(c: &mut Criterion) {
    let corpus = Corpus::of_machine().expect("binaries of this machine");
    let rule = Rule::fixed(5);
    let mut filler = Filler::new(&rule);
    let mut builder = SegmentGramsBuilder::new(&rule, Policy::default());
    for (number, block) in blocks(&corpus, 1, BLOCKS).iter().enumerate() {
        builder.add(number as u64, filler.block(block, 0)).expect("one rule");
    }
    let bytes = builder.finish();
    let index = SegmentGrams::open(&bytes, &rule).expect("what was just built");
    let elsewhere = blocks(&corpus, 3, 50);
    let literal = |number: usize| &elsewhere[number % 50][number * 60 % 60_000..][..16 + number % 49];
    let queries: Vec<Query> = (0..SIGNATURES)
        .map(|number| Query::one(&rule, Window::new(literal(number))).expect("longer than a gram"))
        .collect();
    let mut group = c.benchmark_group("grams query 512 blocks");
    group.throughput(Throughput::Bytes((BLOCKS * BLOCK_BYTES) as u64)).sample_size(20);
    for count in [10, SIGNATURES] {
        let queries = &queries[..count];
        group.bench_function(BenchmarkId::new("signatures", count), |bench| {
            bench.iter(|| index.pairs(queries, |query, block| _ = black_box((query, block))).pairs);
        });
        let words = vec![1_u64; index.pairs(queries, |_, _| {}).rows as usize * CACHE_LINE_WORDS];
        group.bench_function(BenchmarkId::new("roof (as many lines in order)", count), |bench| {
            bench.iter(|| black_box(&words).iter().fold(u64::MAX, |left, word| left & word));
        });
    }
    group.finish();
}

criterion_group!(benches, fill, build, query);
criterion_main!(benches);
