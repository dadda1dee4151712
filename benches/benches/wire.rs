//! The native protocol's codec: a put with its body read off a stream, beside a copy of the same bytes.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use model::Arrival;
use model::wire::{ClientFrame, Decoder, Step, decode_client_stream};
use std::hint::black_box;

const BODY_BYTES: usize = 64 << 10;
/// What a burst over one connection holds.
const OFFERS: usize = 1000;

fn arrival() -> Arrival {
    Arrival { client: "gateway-7".to_owned(), name: "C:\\Users\\a\\invoice.exe".to_owned(), ..Arrival::default() }
}

fn put(c: &mut Criterion) {
    let frame = ClientFrame::Put { request: 1, raw_bytes: BODY_BYTES as u64, expected: None, arrival: arrival() };
    let mut stream = Vec::new();
    frame.encode(&mut stream).expect("texts within their limits");
    stream.extend_from_slice(&vec![7; BODY_BYTES]);
    let mut group = c.benchmark_group("wire put 64 KiB");
    group.throughput(Throughput::Bytes(BODY_BYTES as u64));
    let mut body = Vec::with_capacity(BODY_BYTES);
    group.bench_function("decode", |bench| {
        bench.iter(|| {
            let mut decoder = Decoder::<ClientFrame>::new();
            let mut input = black_box(stream.as_slice());
            while let Ok(Step::More) = decoder.step(&mut input) {}
            body.clear();
            body.extend_from_slice(decoder.take_body(&mut input));
            black_box(body.len())
        });
    });
    group.bench_function("roof (copy)", |bench| {
        bench.iter(|| {
            body.clear();
            body.extend_from_slice(&black_box(stream.as_slice())[..BODY_BYTES]);
            black_box(body.len())
        });
    });
    group.finish();
}

fn offers(c: &mut Criterion) {
    let mut stream = Vec::new();
    for request in 0..OFFERS as u64 {
        let blake3 = model::Blake3([request as u8; 32]);
        let offer = ClientFrame::Offer { request, blake3, raw_bytes: 4096, arrival: arrival() };
        offer.encode(&mut stream).expect("texts within their limits");
    }
    let mut group = c.benchmark_group("wire 1000 offers");
    group.throughput(Throughput::Elements(OFFERS as u64));
    group.bench_function("decode", |bench| bench.iter(|| decode_client_stream(black_box(&stream)).len()));
    group.bench_function("roof (copy)", |bench| bench.iter(|| black_box(stream.as_slice()).to_vec().len()));
    group.finish();
}

criterion_group!(benches, put, offers);
criterion_main!(benches);
