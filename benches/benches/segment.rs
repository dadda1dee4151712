//! Appending to a segment and reading from it. The roof of an append is one durable write of the same
//! bytes through the same seam; the roof of a read is a copy out of memory.

use benches::product::{Codec, Door, Putter, Under, settings};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use engine::Engine;
use engine::disk::AlignedBuf;
use model::Blake3;
use std::hint::black_box;
use workload::{Corpus, Writer};

const BYTES: usize = 64 << 10;
/// The lane of the roof starts again here, so that its file stays small.
const LANE_BYTES: u64 = 64 << 20;

fn append(c: &mut Criterion) {
    let corpus = Corpus::of_machine().expect("binaries of this machine");
    let folder = benches::product::folder().expect("a folder for the store");
    let disk = Under::Plain.disk().expect("a disk that every host has");
    let mut group = c.benchmark_group("segment append 64 KiB raw");
    group.throughput(Throughput::Bytes(BYTES as u64)).sample_size(20);
    let store = folder.path().join("store");
    let (engine, _) = Engine::open(&store, settings(Codec::Raw, false), disk.clone()).expect("an empty store");
    let mut writer = Putter::new(&engine, 0, Door::Put);
    let mut index = 0;
    group.bench_function("append", |bench| {
        bench.iter(|| {
            index += 1;
            writer.store(BYTES, &mut |out| corpus.fill(1, index, BYTES, out)).expect("a receipt")
        });
    });
    engine.close();
    let mut lane = disk.create_lane(&folder.path().join("lane")).expect("a new file");
    lane.allocate(0, LANE_BYTES).expect("room on the disk");
    let mut buffer = AlignedBuf::with_capacity(BYTES);
    buffer.extend_from_slice(&vec![7; BYTES]);
    let mut at = 0;
    group.bench_function("roof (one durable write)", |bench| {
        bench.iter(|| {
            let (back, outcome) = lane.write_durable(at, std::mem::take(&mut buffer));
            outcome.expect("a durable write");
            buffer = back;
            at = (at + BYTES as u64) % LANE_BYTES;
        });
    });
    group.finish();
}

fn read(c: &mut Criterion) {
    let corpus = Corpus::of_machine().expect("binaries of this machine");
    let folder = benches::product::folder().expect("a folder for the store");
    let disk = Under::Plain.disk().expect("a disk that every host has");
    let (engine, _) = Engine::open(folder.path(), settings(Codec::Level1, false), disk).expect("an empty store");
    let mut writer = Putter::new(&engine, 0, Door::Put);
    writer.store(BYTES, &mut |out| corpus.fill(1, 1, BYTES, out)).expect("a receipt");
    let mut plain = Vec::new();
    corpus.fill(1, 1, BYTES, &mut plain);
    let digest = Blake3(*blake3::hash(&plain).as_bytes());
    let mut group = c.benchmark_group("segment read 64 KiB");
    group.throughput(Throughput::Bytes(BYTES as u64)).sample_size(20);
    group.bench_function("read", |bench| {
        bench.iter(|| {
            let sample = engine.sample(&digest).expect("a readable store").expect("a sample that was stored");
            sample.read(0, BYTES).expect("readable bytes").len()
        });
    });
    group.bench_function("roof (copy)", |bench| bench.iter(|| black_box(plain.as_slice()).to_vec().len()));
    group.finish();
    engine.close();
}

criterion_group!(benches, append, read);
criterion_main!(benches);
