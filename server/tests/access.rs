//! Tokens, roles, TLS and what may be bound.

mod support;

use model::wire::ClientFrame;
use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use server::daemon::{Daemon, ListenOptions, Role, ServeOptions, TlsFiles};
use server::security::tls;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use support::{connect, read_answer, start, token};

#[test]
fn each_role_may_do_what_is_its_own_and_nothing_else() {
    let server = start(|options| {
        options.tokens = vec![
            token("viewer", Role::Viewer),
            token("operator", Role::Operator),
            token("administrator", Role::Administrator),
            token("forwarder", Role::Forwarder),
            token("target", Role::Target),
        ];
    });
    let ask = |name: &str, method: &str, path: &str, body: &[u8]| {
        server.request(method, path, &[("Authorization", &format!("Bearer {name}"))], body).status
    };
    assert_eq!(ask("forwarder", "PUT", "/v1/samples", b"one"), 201);
    let id = server.request("GET", "/v1/items", &[("Authorization", "Bearer viewer")], b"").json()["items"][0].clone();
    assert_eq!(id["client"], "forwarder", "the token's name is the client's");
    let sample = format!("/v1/items/{}/sample", id["id"]);
    let setting = br#"{"general.max_samples": 5}"#;
    let delete = br#"{"action": "delete", "ids": [999]}"#;
    for (role, put, list, restore, act, set) in [
        ("viewer", 403, 200, 403, 403, 403),
        ("operator", 201, 200, 200, 200, 403),
        ("administrator", 201, 200, 200, 200, 200),
        ("forwarder", 201, 403, 403, 403, 403),
        ("target", 403, 403, 403, 403, 403),
        ("nobody", 401, 401, 401, 401, 401),
    ] {
        assert_eq!(ask(role, "PUT", "/v1/samples", b"two"), put, "{role} puts");
        assert_eq!(ask(role, "GET", "/v1/items", b""), list, "{role} lists");
        assert_eq!(ask(role, "GET", &sample, b""), restore, "{role} restores");
        assert_eq!(ask(role, "POST", "/v1/items/actions", delete), act, "{role} acts");
        assert_eq!(ask(role, "PUT", "/v1/settings", setting), set, "{role} sets");
    }
    let anonymous = server.get("/v1/items");
    assert_eq!((anonymous.status, anonymous.header("www-authenticate")), (401, Some("Bearer")));
    assert_eq!(server.get("/healthz").status, 200);
    assert_eq!(server.get("/metrics").status, 401);
}

#[test]
fn only_a_forwarder_claims_a_digest_without_its_bytes() {
    let server = start(|options| {
        options.tokens = vec![token("operator", Role::Operator), token("forwarder", Role::Forwarder)];
    });
    let ask = |name: &str| {
        let mut stream = connect(server.http);
        let digest = blake3::hash(b"known").to_hex();
        write!(
            stream,
            "PUT /v1/samples HTTP/1.1\r\nhost: t\r\nauthorization: Bearer {name}\r\nx-blake3: {digest}\r\n\
             expect: 100-continue\r\ncontent-length: 5\r\n\r\n"
        )
        .expect("the server reads");
        read_answer(stream, false).expect("an answer").status
    };
    let operator = [("Authorization", "Bearer operator")];
    assert_eq!(server.request("PUT", "/v1/samples", &operator, b"known").status, 201);
    assert_eq!((ask("operator"), ask("forwarder")), (100, 201));
}

/// Writes a certificate for localhost, and one for a client, both signed by one authority.
fn certificates(dir: &Path) -> TlsFiles {
    let authority_key = KeyPair::generate().expect("a key");
    let mut authority = CertificateParams::new(Vec::<String>::new()).expect("parameters");
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_certificate = authority.self_signed(&authority_key).expect("a certificate");
    let issuer = Issuer::new(authority, authority_key);
    std::fs::write(dir.join("ca.pem"), authority_certificate.pem()).expect("written");
    for name in ["server", "client"] {
        let key = KeyPair::generate().expect("a key");
        let certificate = CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
        let certificate = certificate.signed_by(&key, &issuer).expect("a certificate");
        std::fs::write(dir.join(format!("{name}.pem")), certificate.pem()).expect("written");
        std::fs::write(dir.join(format!("{name}.key")), key.serialize_pem()).expect("written");
    }
    TlsFiles { certificate: dir.join("server.pem"), key: dir.join("server.key"), client_ca: Some(dir.join("ca.pem")) }
}

fn client_config(dir: &Path, with_certificate: bool) -> Arc<rustls::ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(dir.join("ca.pem")).expect("a certificate")).expect("an authority");
    let builder = rustls::ClientConfig::builder_with_provider(tls::provider())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots);
    Arc::new(if with_certificate {
        let chain = vec![CertificateDer::from_pem_file(dir.join("client.pem")).expect("a certificate")];
        let key = PrivateKeyDer::from_pem_file(dir.join("client.key")).expect("a key");
        builder.with_client_auth_cert(chain, key).expect("they fit")
    } else {
        builder.with_no_client_auth()
    })
}

#[test]
fn a_tls_listener_speaks_to_clients_with_a_certificate_only() {
    let dir = tempfile::tempdir().expect("a directory");
    let files = certificates(dir.path());
    let server = start(|options| options.http.tls = Some(files.clone()));
    let ask = |with_certificate: bool| {
        let name = ServerName::try_from("localhost").expect("a name");
        let session =
            rustls::ClientConnection::new(client_config(dir.path(), with_certificate), name).expect("a session");
        let mut stream = rustls::StreamOwned::new(session, connect(server.http));
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").ok()?;
        read_answer(stream, false).map(|answer| answer.status)
    };
    assert_eq!(ask(true), Some(200));
    assert_eq!(ask(false), None);
    let mut plain = connect(server.http);
    plain.write_all(b"GET /healthz HTTP/1.1\r\nhost: t\r\n\r\n").expect("the server reads");
    assert!(read_answer(plain, false).is_none(), "plain HTTP gets no answer from a TLS listener");
}

#[test]
fn the_native_protocol_speaks_tls_too() {
    let dir = tempfile::tempdir().expect("a directory");
    let files = TlsFiles { client_ca: None, ..certificates(dir.path()) };
    let server = start(|options| options.intake.tls = Some(files));
    let name = ServerName::try_from("localhost").expect("a name");
    let session = rustls::ClientConnection::new(client_config(dir.path(), false), name).expect("a session");
    let mut stream = rustls::StreamOwned::new(session, connect(server.intake));
    let mut hello = Vec::new();
    let frame = ClientFrame::Hello { token: Default::default(), client: "pc".to_owned(), epoch: 1 };
    frame.encode(&mut hello).expect("a valid frame");
    stream.write_all(&hello).expect("the server reads");
    let mut head = [0; 5];
    stream.read_exact(&mut head).expect("an answer");
    assert_eq!(head[4], 0x81, "a welcome");
}

#[test]
fn a_reachable_address_is_refused_without_tls_and_tokens() {
    let dir = tempfile::tempdir().expect("a directory");
    let options = ServeOptions {
        data: dir.path().join("data"),
        http: ListenOptions::plain("0.0.0.0:0"),
        intake: ListenOptions::plain("127.0.0.1:0"),
        ..ServeOptions::default()
    };
    let refused = Daemon::start(&options).err().expect("it is refused").to_string();
    assert!(refused.contains("0.0.0.0:0") && refused.contains("TLS and tokens"), "{refused}");
    assert!(!dir.path().join("data").exists(), "nothing was made");
    let allowed = Daemon::start(&ServeOptions { allow_insecure: true, ..options }).expect("it is allowed");
    allowed.stop().expect("the daemon stops");
}
