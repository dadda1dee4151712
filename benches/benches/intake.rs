//! One sample from its buffer to its receipt, by one writer: on the disk, and on a disk that does
//! nothing. Many writers at once are what `intake_load` measures.

use benches::product::{Codec, Door, Putter, Under, settings};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use engine::Engine;
use workload::{Corpus, Writer};

fn intake(c: &mut Criterion) {
    let corpus = Corpus::of_machine().expect("binaries of this machine");
    for bytes in [4 << 10, 64 << 10] {
        let mut group = c.benchmark_group(format!("intake {} KiB", bytes >> 10));
        group.throughput(Throughput::Bytes(bytes as u64)).sample_size(20);
        for (name, under) in [("disk", Under::Plain), ("roof (no-op disk)", Under::Null)] {
            let folder = benches::product::folder().expect("a folder for the store");
            let disk = under.disk().expect("a disk that every host has");
            let (engine, _) =
                Engine::open(folder.path(), settings(Codec::Level1, false), disk).expect("an empty store");
            let mut writer = Putter::new(&engine, 0, Door::Put);
            let mut index = 0;
            group.bench_function(BenchmarkId::from_parameter(name), |bench| {
                bench.iter(|| {
                    index += 1;
                    writer.store(bytes, &mut |out| corpus.fill(1, index, bytes, out)).expect("a receipt")
                });
            });
            engine.close();
        }
        group.finish();
    }
}

criterion_group!(benches, intake);
criterion_main!(benches);
