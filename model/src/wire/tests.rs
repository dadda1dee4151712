//! Border tests of the codec: round trips, cuts, flips and lies. The annotated example of
//! `docs/wire.md` is made here, and the seed corpus of the fuzz targets is replayed here.

use super::frame::put_frame;
use super::stream::decode;
use super::*;
use crate::arrival::{Arrival, Kind, RetryKey};
use crate::bytes::DecodeError;
use crate::digest::Blake3;
use crate::id::{ItemId, Sequence};
use crate::limits;
use proptest::prelude::*;
use std::fmt::Debug;
use std::path::{Path, PathBuf};

mod corpus;
mod example;

fn client_bytes(frame: &ClientFrame) -> Vec<u8> {
    let mut out = Vec::new();
    frame.encode(&mut out).unwrap();
    out
}

fn server_bytes(frame: &ServerFrame) -> Vec<u8> {
    let mut out = Vec::new();
    frame.encode(&mut out);
    out
}

/// Feeds a stream whole, byte by byte, and in pieces of `size`; all must see the same.
fn same_however_cut<F: Frame + Debug + PartialEq>(stream: &[u8], size: usize) -> Vec<Seen<F>> {
    let whole = decode(std::iter::once(stream));
    assert_eq!(decode::<F>(stream.chunks(1)), whole, "byte at a time");
    assert_eq!(decode::<F>(stream.chunks(size.max(1))), whole, "in pieces of {size}");
    whole
}

prop_compose! {
    fn arrivals()(
        seconds: i64, boot: bool, managed: bool, sequence: u64,
        key in proptest::option::of(any::<[u8; 16]>()),
        client in ".{0,20}", name in ".{0,80}", reason in ".{0,40}",
    ) -> Arrival {
        Arrival {
            received_at_ms: seconds,
            kind: if boot { Kind::BootSector } else { Kind::File },
            managed,
            definitions_sequence: Sequence(sequence),
            retry_key: key.map(RetryKey),
            client, name, reason,
            ..Arrival::default()
        }
    }
}

fn digests() -> impl Strategy<Value = Blake3> {
    any::<[u8; 32]>().prop_map(Blake3)
}

/// A client's frame with the body that follows it.
fn client_frames() -> impl Strategy<Value = (ClientFrame, Vec<u8>)> {
    let put =
        (any::<u64>(), proptest::option::of(digests()), arrivals(), proptest::collection::vec(any::<u8>(), 0..60));
    prop_oneof![
        (".{0,40}", ".{0,40}", any::<u64>()).prop_map(|(token, client, epoch)| {
            (ClientFrame::Hello { token: Token(token), client, epoch }, Vec::new())
        }),
        (any::<u64>(), digests(), any::<u64>(), arrivals()).prop_map(|(request, blake3, raw_bytes, arrival)| {
            (ClientFrame::Offer { request, blake3, raw_bytes, arrival }, Vec::new())
        }),
        put.prop_map(|(request, expected, arrival, body)| {
            (ClientFrame::Put { request, raw_bytes: body.len() as u64, expected, arrival }, body)
        }),
        any::<u64>().prop_map(|nonce| (ClientFrame::Ping { nonce }, Vec::new())),
        Just((ClientFrame::Bye, Vec::new())),
    ]
}

fn acks() -> impl Strategy<Value = Ack> {
    let outcome = proptest::sample::select(Outcome::ALL);
    (any::<u64>(), outcome, any::<u64>(), proptest::option::of(digests()))
        .prop_map(|(request, outcome, item, blake3)| Ack { request, outcome, item: ItemId(item), blake3 })
}

fn server_frames() -> impl Strategy<Value = ServerFrame> {
    let refused = proptest::sample::select(RefusedCode::ALL);
    let fault = proptest::sample::select(FaultCode::ALL);
    prop_oneof![
        (any::<u64>(), any::<u64>(), any::<u32>()).prop_map(|(sample_bytes_max, credit_bytes, window)| {
            ServerFrame::Welcome(Welcome { sample_bytes_max, credit_bytes, window })
        }),
        proptest::collection::vec(acks(), 1..20).prop_map(ServerFrame::Acks),
        proptest::collection::vec(any::<u64>(), 1..20).prop_map(ServerFrame::Want),
        (any::<u64>(), refused, any::<u64>(), ".{0,60}").prop_map(|(request, code, retry_after_ms, text)| {
            ServerFrame::Refused { request, code, retry_after_ms, text }
        }),
        any::<u64>().prop_map(|bytes| ServerFrame::Credit { bytes }),
        any::<u64>().prop_map(|nonce| ServerFrame::Pong { nonce }),
        (fault, ".{0,60}").prop_map(|(code, text)| ServerFrame::Fault { code, text }),
    ]
}

proptest! {
    #[test]
    fn a_clients_stream_reads_back_however_it_is_cut(
        said in proptest::collection::vec(client_frames(), 0..6), size in 1usize..40,
    ) {
        let mut stream = Vec::new();
        let mut expected = Vec::new();
        for (frame, body) in said {
            stream.extend(client_bytes(&frame));
            stream.extend(&body);
            expected.push(Seen::Frame(frame));
            if !body.is_empty() {
                expected.push(Seen::Body(body));
            }
        }
        prop_assert_eq!(same_however_cut::<ClientFrame>(&stream, size), expected);
    }

    #[test]
    fn a_servers_stream_reads_back_however_it_is_cut(
        said in proptest::collection::vec(server_frames(), 0..6), size in 1usize..40,
    ) {
        let stream: Vec<u8> = said.iter().flat_map(server_bytes).collect();
        let expected: Vec<_> = said.into_iter().map(Seen::Frame).collect();
        prop_assert_eq!(same_however_cut::<ServerFrame>(&stream, size), expected);
    }

    #[test]
    fn every_truncation_waits_for_more_and_never_makes_a_frame(frame in client_frames(), answer in server_frames()) {
        let stream = client_bytes(&frame.0);
        for cut in 1..stream.len() {
            prop_assert_eq!(decode_client_stream(&stream[..cut]), vec![Seen::Cut]);
        }
        let stream = server_bytes(&answer);
        for cut in 1..stream.len() {
            prop_assert_eq!(decode_server_stream(&stream[..cut]), vec![Seen::Cut]);
        }
    }

    #[test]
    fn a_payload_cut_short_is_refused_under_a_true_length(frame in client_frames(), answer in server_frames()) {
        prop_assert!(every_shorter_payload_fails::<ClientFrame>(&client_bytes(&frame.0)));
        prop_assert!(every_shorter_payload_fails::<ServerFrame>(&server_bytes(&answer)));
    }

    #[test]
    fn a_flipped_byte_gives_an_error_or_another_frame(frame in client_frames(), answer in server_frames(), flip in 1u8..) {
        flip_each(&client_bytes(&frame.0), flip, |stream| { same_however_cut::<ClientFrame>(stream, 3); });
        flip_each(&server_bytes(&answer), flip, |stream| { same_however_cut::<ServerFrame>(stream, 3); });
    }

    #[test]
    fn random_bytes_never_panic_and_read_the_same_however_cut(
        bytes in proptest::collection::vec(any::<u8>(), 0..400), size in 1usize..40,
    ) {
        same_however_cut::<ClientFrame>(&bytes, size);
        same_however_cut::<ServerFrame>(&bytes, size);
    }

    #[test]
    fn random_payloads_under_a_true_header_never_panic(kind: u8, bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut stream = Vec::new();
        put_frame(&mut stream, kind, |out| out.extend_from_slice(&bytes));
        same_however_cut::<ClientFrame>(&stream, 7);
        same_however_cut::<ServerFrame>(&stream, 7);
    }
}

fn every_shorter_payload_fails<F: Frame + Debug>(stream: &[u8]) -> bool {
    let (kind, payload) = (stream[4], &stream[HEADER_BYTES..]);
    (0..payload.len()).all(|cut| F::decode(kind, &payload[..cut]).is_err())
}

fn flip_each(stream: &[u8], flip: u8, check: impl Fn(&[u8])) {
    for at in 0..stream.len() {
        let mut flipped = stream.to_vec();
        flipped[at] ^= flip;
        check(&flipped);
    }
}

fn failure<F: Frame>(stream: &[u8]) -> Option<WireError> {
    decode::<F>(std::iter::once(stream)).into_iter().find_map(|seen| match seen {
        Seen::Failed(failed) => Some(failed),
        Seen::Frame(_) | Seen::Body(_) | Seen::Cut => None,
    })
}

#[test]
fn a_length_over_the_limit_is_refused_at_its_header() {
    let claim = limits::WIRE_FRAME_BYTES_MAX as u32 + 1;
    let mut stream = claim.to_le_bytes().to_vec();
    stream.push(0x04);
    let expected = WireError::FrameTooLong { kind: 4, bytes: claim, limit: limits::WIRE_FRAME_BYTES_MAX };
    assert_eq!(failure::<ClientFrame>(&stream), Some(expected));
}

#[test]
fn an_unknown_type_is_refused_before_its_payload_comes() {
    let expected = WireError::UnknownFrame { kind: 0x81, sender: "client" };
    assert_eq!(failure::<ClientFrame>(&[255, 0, 0, 0, 0x81]), Some(expected));
}

#[test]
fn a_decoder_never_holds_more_than_one_frame() {
    let frame = client_bytes(&ClientFrame::Ping { nonce: 1 });
    let stream: Vec<u8> = frame.iter().cycle().take(frame.len() * 1000).copied().collect();
    let mut decoder = Decoder::<ClientFrame>::new();
    let mut rest = &stream[..];
    while !rest.is_empty() {
        let left = rest.len();
        assert_eq!(decoder.step(&mut rest), Ok(Step::Frame(ClientFrame::Ping { nonce: 1 })));
        assert_eq!(rest.len(), left - frame.len());
    }
}

#[test]
fn a_reader_of_exactly_what_is_wanted_never_reads_a_body_byte() {
    let put = ClientFrame::Put { request: 1, raw_bytes: 4, expected: None, arrival: Arrival::default() };
    let mut stream = client_bytes(&put);
    stream.extend(b"body");
    let mut decoder = Decoder::<ClientFrame>::new();
    let (mut at, mut seen) = (0, Vec::new());
    while decoder.body_left() == 0 {
        let wants = decoder.wants();
        assert!(wants > 0);
        let mut piece = &stream[at..at + wants];
        at += wants;
        seen.push(decoder.step(&mut piece).unwrap());
        assert!(piece.is_empty());
    }
    assert_eq!(seen, [Step::More, Step::Frame(put)]);
    assert_eq!((&stream[at..], decoder.wants()), (&b"body"[..], 0));
    decoder.body_taken(4);
    assert!(decoder.is_between_frames());
}

#[test]
fn a_lying_body_length_swallows_what_follows_but_allocates_nothing() {
    let put = ClientFrame::Put { request: 1, raw_bytes: u64::MAX, expected: None, arrival: Arrival::default() };
    let mut stream = client_bytes(&put);
    stream.extend(client_bytes(&ClientFrame::Bye));
    let bye = client_bytes(&ClientFrame::Bye);
    assert_eq!(decode_client_stream(&stream), [Seen::Frame(put), Seen::Body(bye), Seen::Cut]);
}

#[test]
fn a_decoder_that_failed_gives_the_same_error_forever() {
    let mut decoder = Decoder::<ClientFrame>::new();
    let failed = decoder.step(&mut &[0, 0, 0, 0, 0xff][..]);
    assert!(failed.is_err());
    assert_eq!(decoder.step(&mut &client_bytes(&ClientFrame::Bye)[..]), failed);
}

#[test]
fn another_version_or_protocol_is_named() {
    let hello = ClientFrame::Hello { token: Token::default(), client: "c".to_owned(), epoch: 1 };
    let mut stream = client_bytes(&hello);
    stream[HEADER_BYTES + 8] = 2;
    assert_eq!(failure::<ClientFrame>(&stream), Some(WireError::Version { theirs: 2, ours: 1 }));
    stream[HEADER_BYTES] = b'L';
    assert_eq!(failure::<ClientFrame>(&stream), Some(WireError::Magic { found: *b"Lazaret\0", expected: MAGIC }));
}

#[test]
fn long_lists_take_several_frames() {
    let ack = Ack { request: 1, outcome: Outcome::Stored, item: ItemId(2), blake3: Some(Blake3([3; 32])) };
    let seen = decode_server_stream(&server_bytes(&ServerFrame::Acks(vec![ack; 600])));
    let lens: Vec<usize> = seen
        .iter()
        .map(|seen| match seen {
            Seen::Frame(ServerFrame::Acks(acks)) => acks.len(),
            other => panic!("{other:?} where acks are expected"),
        })
        .collect();
    assert_eq!(lens, [256, 256, 88]);
    assert!(server_bytes(&ServerFrame::Want(Vec::new())).is_empty());
}

#[test]
fn a_count_beyond_the_payload_is_refused() {
    let mut stream = Vec::new();
    put_frame(&mut stream, 0x83, |out| out.extend_from_slice(&[200, 0, 1, 2]));
    let cause = DecodeError::Truncated { field: "request", needed: 8, left: 2 };
    assert_eq!(failure::<ServerFrame>(&stream), Some(WireError::Field { frame: "want", cause }));
}

#[test]
fn a_text_that_is_too_long_is_refused_by_the_client_and_cut_by_the_server() {
    let hello = ClientFrame::Hello { token: Token("x".repeat(5000)), client: String::new(), epoch: 0 };
    let mut out = Vec::new();
    assert!(matches!(hello.encode(&mut out), Err(DecodeError::TooLong { field: "token", .. })));
    assert!(out.is_empty());
    let stream = server_bytes(&ServerFrame::Fault { code: FaultCode::Idle, text: "é".repeat(400) });
    let expected = ServerFrame::Fault { code: FaultCode::Idle, text: "é".repeat(256) };
    assert_eq!(decode_server_stream(&stream), [Seen::Frame(expected)]);
}

#[test]
fn the_longest_frames_fit() {
    let arrival = Arrival {
        retry_key: Some(RetryKey([0; 16])),
        client: "c".repeat(limits::CLIENT_BYTES_MAX),
        parent_server: "p".repeat(limits::CLIENT_BYTES_MAX),
        name: "n".repeat(limits::NAME_BYTES_MAX),
        reason: "r".repeat(limits::REASON_BYTES_MAX),
        platform: "l".repeat(limits::PLATFORM_BYTES_MAX),
        ..Arrival::default()
    };
    let put = ClientFrame::Put { request: 1, raw_bytes: 0, expected: Some(Blake3([1; 32])), arrival };
    assert_eq!(decode_client_stream(&client_bytes(&put)), [Seen::Frame(put)]);
}

#[test]
fn a_token_never_shows() {
    let hello = ClientFrame::Hello { token: Token("secret".to_owned()), client: String::new(), epoch: 0 };
    assert!(!format!("{hello:?}").contains("secret"));
}

#[test]
fn retry_inputs_of_different_requests_differ() {
    let inputs = [
        RetryInput::Native { client: "a", epoch: 1, request: 2 },
        RetryInput::Native { client: "a", epoch: 2, request: 1 },
        RetryInput::Native { client: "ab", epoch: 1, request: 2 },
        RetryInput::Http { client: "a", key: b"b1" },
        RetryInput::Http { client: "ab", key: b"1" },
    ];
    for (at, one) in inputs.iter().enumerate() {
        for other in &inputs[at + 1..] {
            assert_ne!(one.to_bytes(), other.to_bytes());
        }
    }
}
