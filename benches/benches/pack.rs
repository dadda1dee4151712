//! Hash, compress and seal 64 KiB: the engine on a no-op disk at each codec, beside the digests alone
//! and a copy, which no packing can be faster than.

use benches::product::{Codec, Door, Putter, Under, settings};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use engine::Engine;
use sha2::{Digest, Sha256};
use std::hint::black_box;
use workload::{Corpus, Writer};

const BYTES: usize = 64 << 10;

fn pack(c: &mut Criterion) {
    let corpus = Corpus::of_machine().expect("binaries of this machine");
    let mut group = c.benchmark_group("pack 64 KiB");
    group.throughput(Throughput::Bytes(BYTES as u64)).sample_size(20);
    for (name, codec) in [("level 1", Codec::Level1), ("adaptive", Codec::Adaptive), ("raw", Codec::Raw)] {
        let folder = benches::product::folder().expect("a folder for the store");
        let disk = Under::Null.disk().expect("a disk that every host has");
        let (engine, _) = Engine::open(folder.path(), settings(codec, false), disk).expect("an empty store");
        let mut writer = Putter::new(&engine, 0, Door::Put);
        let mut index = 0;
        group.bench_function(name, |bench| {
            bench.iter(|| {
                index += 1;
                writer.store(BYTES, &mut |out| corpus.fill(1, index, BYTES, out)).expect("a receipt")
            });
        });
        engine.close();
    }
    let mut sample = Vec::new();
    corpus.fill(1, 0, BYTES, &mut sample);
    group.bench_function("digests alone", |bench| {
        bench.iter(|| (blake3::hash(black_box(&sample)), Sha256::digest(black_box(&sample))));
    });
    let mut copy = Vec::with_capacity(BYTES);
    group.bench_function("roof (copy)", |bench| {
        bench.iter(|| {
            copy.clear();
            copy.extend_from_slice(black_box(&sample));
            black_box(copy.len())
        });
    });
    group.finish();
}

criterion_group!(benches, pack);
criterion_main!(benches);
