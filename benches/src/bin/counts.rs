//! One operation of the hot path, done a number of times inside [`counted`], so that callgrind can count the
//! instructions of that function alone: `counts CASE TIMES`. `cargo xtask counts` starts it, and knows the cases.
//!
//! 1. What is done depends on nothing but case and times: no clock, no binary of this machine, no disk.
//! 2. Whatever must be there first is made outside of [`counted`], and done once so that no first time is counted.

use anyhow::{Context, Result, bail};
use benches::product::{Codec, Door, Putter, Under, settings};
use benches::rows;
use clap::{Parser, ValueEnum};
use engine::catalogue::{Catalogue, CatalogueSettings};
use engine::disk::AlignedBuf;
use engine::segment::SegmentId;
use engine::segment::batch::{Batch, BatchBuilder};
use engine::segment::record::{RecordHead, RecordKind};
use engine::{Ask, Effort, Engine};
use model::wire::{ClientFrame, Decoder, Step};
use model::{Arrival, Blake3, Sha256};
use scanner::definitions::{Options, Source, load};
use scanner::file::{Digests, Form, Kind, Member, Targets};
use scanner::ruleset::{Limits, Ruleset, Scratch};
use std::hint::black_box;
use std::time::Duration;
use workload::Writer;

const BODY_BYTES: usize = 64 << 10;
const SMALL_BYTES: usize = 4 << 10;
const SCAN_BYTES: usize = 1 << 20;
/// Records of a batch as 64 writers make it.
const BATCH_RECORDS: u64 = 64;
/// Rows of a catalogue batch under load.
const ROWS: u64 = 4000;
/// The tool makes everything some fifty times slower; a feed that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(300);

/// What is counted.
#[derive(Clone, Copy, ValueEnum)]
enum Case {
    /// Hash, compress, seal and place 64 KiB, on a disk that does nothing.
    #[value(name = "pack-64k")]
    Pack,
    /// The same of 4 KiB that are not compressed: mostly the lane.
    #[value(name = "lane-4k")]
    Lane,
    /// Build a batch of 64 records of 4 KiB.
    #[value(name = "segment-append")]
    SegmentAppend,
    /// Read it back with every checksum, as recovery does.
    #[value(name = "segment-decode")]
    SegmentDecode,
    /// 4,000 arrivals into the catalogue and their commit. Counted over the whole process, by difference.
    #[value(name = "catalogue-batch")]
    Catalogue,
    /// Admit and give back.
    #[value(name = "quota-decision")]
    Quota,
    /// Decode a put with its body of 64 KiB.
    #[value(name = "wire-put")]
    WirePut,
    /// Encode and decode an offer.
    #[value(name = "wire-offer")]
    WireOffer,
    /// A mebibyte against a thousand signatures.
    #[value(name = "scan-1k")]
    ScanSmall,
    /// A mebibyte against a hundred thousand.
    #[value(name = "scan-100k")]
    ScanLarge,
}

#[derive(Parser)]
struct Arguments {
    #[arg(value_enum)]
    case: Case,
    times: u64,
}

fn main() -> Result<()> {
    let Arguments { case, times } = Arguments::parse();
    match case {
        Case::Pack => store(Codec::Level1, BODY_BYTES, times),
        Case::Lane => store(Codec::Raw, SMALL_BYTES, times),
        Case::SegmentAppend => {
            counted(times, |_| drop(batch()));
            Ok(())
        }
        Case::SegmentDecode => {
            let bytes = batch();
            counted(times, |_| assert!(Batch::decode(black_box(bytes.as_slice())).is_some(), "a batch decodes"));
            Ok(())
        }
        Case::Catalogue => feed(times),
        Case::Quota => admit(times),
        Case::WirePut => wire_put(times),
        Case::WireOffer => wire_offer(times),
        Case::ScanSmall => scan(1_000, times),
        Case::ScanLarge => scan(100_000, times),
    }
}

/// The only function whose instructions are counted, with all that it calls.
#[inline(never)]
fn counted(times: u64, mut work: impl FnMut(u64)) {
    for time in 0..times {
        work(black_box(time));
    }
}

/// Bytes that compress about as binaries do: half of them repeat. `number` makes each body distinct.
fn body(number: u64, bytes: usize, out: &mut Vec<u8>) {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    out.extend((0..bytes).map(|at| {
        if at % 16 >= 8 {
            return (at % 16) as u8;
        }
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    }));
}

fn store(codec: Codec, bytes: usize, times: u64) -> Result<()> {
    let folder = benches::product::folder()?;
    let (engine, _) = Engine::open(folder.path(), settings(codec, false), Under::Null.disk()?)?;
    let mut bodies: Vec<Vec<u8>> = (0..=times).map(|_| Vec::new()).collect();
    for (number, into) in bodies.iter_mut().enumerate() {
        body(number as u64 + 1, bytes, into);
    }
    let mut writer = Putter::new(&engine, 0, Door::Put);
    let mut put = |number: u64| {
        let stored = writer.store(bytes, &mut |out| out.extend_from_slice(&bodies[number as usize]));
        assert!(stored.is_ok(), "{stored:?}");
    };
    put(times);
    counted(times, &mut put);
    engine.close();
    Ok(())
}

fn batch() -> AlignedBuf {
    let payload = [7; SMALL_BYTES];
    let meta = [9; 64];
    let payload_crc = crc32c::crc32c(&payload);
    let mut builder = BatchBuilder::new(AlignedBuf::default());
    for sequence in 1..=BATCH_RECORDS {
        let head = RecordHead {
            kind: RecordKind::Sample,
            effort: Effort::Raw,
            content_only: false,
            single_raw: true,
            sequence,
            raw_bytes: SMALL_BYTES as u64,
            meta_bytes: meta.len() as u16,
            blocks: 1,
            payload_bytes: payload.len() as u32,
            payload_crc,
            salt: [3; 16],
            blake3: Blake3([1; 32]),
            sha256: Sha256([2; 32]),
        };
        builder.push(&head, &meta, &[], black_box(&payload));
    }
    builder.close(SegmentId(1), [5; 16], 0, 4096).0
}

fn feed(times: u64) -> Result<()> {
    let folder = benches::product::folder()?;
    let catalogue = Catalogue::open(&folder.path().join("catalogue.db"), CatalogueSettings::default())?;
    for time in 0..times {
        catalogue.feed(rows::arrivals(1 + time * ROWS, ROWS));
        if !catalogue.reach((time + 1) * ROWS, PATIENCE) {
            bail!("the catalogue did not take {ROWS} rows: {:?}", catalogue.health());
        }
    }
    catalogue.close();
    Ok(())
}

fn admit(times: u64) -> Result<()> {
    let folder = benches::product::folder()?;
    let (engine, _) = Engine::open(folder.path(), settings(Codec::Raw, false), Under::Null.disk()?)?;
    let decide = |_| {
        let ask = Ask { raw_bytes: black_box(65_536), known: false, client: "gateway-7" };
        drop(engine.admit(&ask));
    };
    decide(0);
    counted(times, decide);
    engine.close();
    Ok(())
}

fn arrival() -> Arrival {
    Arrival { client: "gateway-7".to_owned(), name: "C:\\Users\\a\\invoice.exe".to_owned(), ..Arrival::default() }
}

fn wire_put(times: u64) -> Result<()> {
    let frame = ClientFrame::Put { request: 1, raw_bytes: BODY_BYTES as u64, expected: None, arrival: arrival() };
    let mut stream = Vec::new();
    frame.encode(&mut stream).context("texts within their limits")?;
    stream.extend_from_slice(&vec![7; BODY_BYTES]);
    let mut body = Vec::with_capacity(BODY_BYTES);
    counted(times, |_| {
        let mut decoder = Decoder::<ClientFrame>::new();
        let mut input = black_box(stream.as_slice());
        while let Ok(Step::More) = decoder.step(&mut input) {}
        body.clear();
        body.extend_from_slice(decoder.take_body(&mut input));
        assert_eq!(black_box(&body).len(), BODY_BYTES);
    });
    Ok(())
}

fn wire_offer(times: u64) -> Result<()> {
    let mut stream = Vec::with_capacity(4096);
    counted(times, |request| {
        stream.clear();
        let offer = ClientFrame::Offer { request, blake3: Blake3([7; 32]), raw_bytes: 4096, arrival: arrival() };
        assert!(offer.encode(&mut stream).is_ok(), "texts within their limits");
        assert_eq!(model::wire::decode_client_stream(black_box(&stream)).len(), 1);
    });
    Ok(())
}

/// Signatures of 8 to 64 bytes, of which every hundredth is in what is scanned.
fn scan(signatures: u64, times: u64) -> Result<()> {
    let mut haystack = Vec::new();
    body(1, SCAN_BYTES, &mut haystack);
    let mut lines = String::new();
    for number in 0..signatures {
        let len = 8 + (number as usize * 7) % 57;
        let mut bytes = Vec::new();
        if number % 100 == 0 {
            let at = (number as usize * 4099) % (SCAN_BYTES - 64);
            bytes.extend_from_slice(&haystack[at..at + len]);
        } else {
            body(number + 2, len, &mut bytes);
        }
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        lines.push_str(&format!("Count.{number}:0:*:{digits}\n"));
    }
    let source = [Source { name: "counts.ndb", bytes: lines.as_bytes() }];
    let ruleset = Ruleset::compile(load(&source, Options::default())?, Limits::default())?;
    let member = Member {
        path: &[],
        depth: 0,
        containers: &[],
        kind: Kind::Data,
        form: Form::Raw,
        targets: Targets { any: true, own: None },
        digests: Digests::Counted,
        executable: None,
        file_bytes: haystack.len() as u64,
        bytes: &haystack,
    };
    let mut scratch = Scratch::default();
    let mut scan = |_| {
        let mut found = 0_u64;
        assert!(ruleset.scan(black_box(&member), &mut scratch, &mut |_| found += 1), "all of it is scanned");
        assert!(black_box(found) >= signatures / 100, "what was planted is found");
    };
    scan(0);
    counted(times, scan);
    Ok(())
}
