//! Samples in and out over HTTP, on real sockets.

mod support;

use serde_json::json;
use std::io::Write as _;
use support::{connect, read_answer, start};

#[test]
fn a_sample_becomes_an_item_and_comes_back_byte_by_byte() {
    let server = start(|_| {});
    let body: Vec<u8> = (0..200_000u32).flat_map(|number| (number / 7).to_le_bytes()).collect();
    let answer = server.put(
        &body,
        &[
            ("X-Client", "pc-7"),
            ("X-File-Name", "C%3A%5Cb%C3%B6se%22.exe"),
            ("X-Reason", "not cleaned"),
            ("X-Kind", "file"),
        ],
    );
    assert_eq!(answer.status, 201, "{answer:?}");
    let item = answer.json();
    assert_eq!(item["outcome"], "stored");
    assert_eq!(item["status"], "Quarantined");
    assert_eq!((&item["client"], &item["name"]), (&json!("pc-7"), &json!("C:\\böse\".exe")));
    assert_eq!(item["sample"]["blake3"], blake3::hash(&body).to_hex().as_str());
    assert_eq!(item["sample"]["bytes"], 800_000);
    let id = item["id"].as_u64().expect("an id");

    let shown = server.get(&format!("/v1/items/{id}")).json();
    assert_eq!(shown["sample"], item["sample"]);
    let restored = server.get(&format!("/v1/items/{id}/sample"));
    assert_eq!((restored.status, restored.body.len()), (200, body.len()));
    assert!(restored.body == body, "the bytes differ");
    assert_eq!(restored.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(
        restored.header("content-disposition"),
        Some("attachment; filename=\"b_se_.exe\"; filename*=UTF-8''b%C3%B6se%22.exe")
    );
    let path = format!("/v1/items/{id}/sample");
    let part = server.request("GET", &path, &[("Range", "bytes=65530-65545")], b"");
    assert_eq!((part.status, part.header("content-range")), (206, Some("bytes 65530-65545/800000")));
    assert_eq!(part.body, &body[65530..65546]);
    assert_eq!(server.request("GET", &path, &[("Range", "bytes=800000-")], b"").status, 416);
}

#[test]
fn the_same_bytes_are_a_duplicate_and_the_same_key_is_the_same_item() {
    let server = start(|_| {});
    let first = server.put(b"twice", &[]).json();
    let second = server.put(b"twice", &[]).json();
    assert_eq!((&first["outcome"], &second["outcome"]), (&json!("stored"), &json!("duplicate")));
    assert_ne!(first["id"], second["id"]);
    let keyed = [("Idempotency-Key", "k1"), ("X-Client", "pc")];
    let third = server.put(b"keyed", &keyed).json();
    let fourth = server.put(b"keyed", &keyed).json();
    assert_eq!((&third["id"], &fourth["outcome"]), (&fourth["id"], &json!("repeated")));
    assert_eq!(server.count(), 3);
}

#[test]
fn an_empty_sample_is_a_sample() {
    let server = start(|_| {});
    let item = server.put(b"", &[]).json();
    assert_eq!(item["sample"]["bytes"], 0);
    let restored = server.get(&format!("/v1/items/{}/sample", item["id"]));
    assert_eq!((restored.status, restored.body.len()), (200, 0));
}

#[test]
fn a_body_of_unknown_length_is_stored_small_or_large() {
    let server = start(|_| {});
    for bytes in [3usize, 300_000, 3 << 20] {
        let body: Vec<u8> = (0..bytes).map(|at| (at * at / 3) as u8).collect();
        let mut request = b"PUT /v1/samples HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
        for chunk in body.chunks(70_000) {
            request.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            request.extend_from_slice(chunk);
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"0\r\n\r\n");
        let item = server.raw(&request).expect("an answer").json();
        assert_eq!(item["sample"]["blake3"], blake3::hash(&body).to_hex().as_str(), "{bytes} bytes: {item}");
    }
}

#[test]
fn a_large_sample_streams_to_disk_and_back() {
    let server = start(|_| {});
    let body: Vec<u8> = (0..9u32 << 20).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let answer = server.put(&body, &[]);
    assert_eq!(answer.status, 201, "{answer:?}");
    let restored = server.get(&format!("/v1/items/{}/sample", answer.json()["id"]));
    assert!(restored.body == body, "the bytes differ");
}

#[test]
fn each_file_of_a_form_is_an_item() {
    let server = start(|_| {});
    let form = "--b\r\ncontent-disposition: form-data; name=note\r\n\r\nnot a file\r\n\
                --b\r\ncontent-disposition: form-data; name=f; filename=\"one.exe\"\r\n\r\nfirst\r\n\
                --b\r\ncontent-disposition: form-data; name=f; filename=\"two.exe\"\r\n\r\nsecond\r\n--b--\r\n";
    let kind = [("content-type", "multipart/form-data; boundary=b"), ("X-Client", "gateway")];
    let answer = server.request("POST", "/v1/samples", &kind, form.as_bytes());
    assert_eq!(answer.status, 201, "{answer:?}");
    let items = answer.json()["items"].as_array().expect("items").clone();
    let names: Vec<_> = items.iter().map(|item| item["name"].as_str().expect("a name")).collect();
    assert_eq!(names, ["one.exe", "two.exe"]);
    assert_eq!(items[1]["sample"]["blake3"], blake3::hash(b"second").to_hex().as_str());
    let broken = &form.as_bytes()[..form.len() - 20];
    assert_eq!(server.request("POST", "/v1/samples", &kind, broken).status, 400);
}

#[test]
fn head_tells_whether_a_digest_is_here() {
    let server = start(|_| {});
    server.put(b"here", &[]);
    let head = |bytes: &[u8]| {
        server.request("HEAD", &format!("/v1/samples/{}", blake3::hash(bytes).to_hex()), &[], b"").status
    };
    assert_eq!((head(b"here"), head(b"elsewhere")), (200, 404));
    assert_eq!(server.request("HEAD", "/v1/samples/zz", &[], b"").status, 400);
}

#[test]
fn a_known_digest_is_an_item_before_its_body_is_sent() {
    let server = start(|_| {});
    server.put(b"known", &[]);
    let mut stream = connect(server.http);
    let digest = blake3::hash(b"known").to_hex();
    write!(
        stream,
        "PUT /v1/samples HTTP/1.1\r\nhost: t\r\nx-blake3: {digest}\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n"
    )
    .expect("the server reads");
    let answer = read_answer(stream, false).expect("an answer");
    assert_eq!(answer.status, 201, "{answer:?}");
    let item = answer.json();
    assert_eq!((&item["outcome"], &item["content"]), (&json!("duplicate"), &json!("claimed")));
}

#[test]
fn an_admitted_body_is_asked_for_and_a_refused_one_is_not() {
    let server = start(|options| options.store.sample_bytes_max = 1000);
    let ask = |length: u64| {
        let mut stream = connect(server.http);
        write!(
            stream,
            "PUT /v1/samples HTTP/1.1\r\nhost: t\r\nexpect: 100-continue\r\ncontent-length: {length}\r\n\r\n"
        )
        .expect("the server reads");
        (read_answer(&stream, false).expect("an answer"), stream)
    };
    let (go_on, mut stream) = ask(4);
    assert_eq!(go_on.status, 100);
    stream.write_all(b"body").expect("the server reads");
    assert_eq!(read_answer(stream, false).expect("an answer").status, 201);
    let (refused, _) = ask(1001);
    assert_eq!((refused.status, refused.problem().as_str()), (413, "too_large"));
}

#[test]
fn a_body_with_another_digest_than_announced_is_refused() {
    let server = start(|_| {});
    let answer = server.put(b"body", &[("X-Blake3", &blake3::hash(b"other").to_hex())]);
    assert_eq!((answer.status, answer.problem().as_str()), (422, "digest_mismatch"));
    assert_eq!(server.count(), 0);
}

#[test]
fn a_full_quarantine_refuses_before_reading_the_body() {
    let server = start(|options| options.store.max_bytes = 8 << 20);
    let answer = server.raw(b"PUT /v1/samples HTTP/1.1\r\nhost: t\r\ncontent-length: 9000000\r\n\r\n");
    let answer = answer.expect("an answer without a byte of body");
    assert_eq!((answer.status, answer.problem().as_str()), (507, "full_bytes"));
    assert_eq!(answer.json()["quota"]["max_bytes"], 8 << 20);
}

#[test]
fn a_header_that_comes_twice_is_refused() {
    let server = start(|_| {});
    let answer = server.put(b"x", &[("X-Client", "a"), ("X-Client", "b")]);
    assert_eq!((answer.status, answer.problem().as_str()), (400, "invalid-request"));
}
