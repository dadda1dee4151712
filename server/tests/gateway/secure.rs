//! TLS: submissions and downloads apart, private authorities, certificates that are not the gateway's.

use crate::estate::{estate, set};
use crate::scripted::Gateway;
use crate::support::Server;
use crate::wire::Request;
use gateway::reply::Said;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use server::security::tls;
use std::sync::{Arc, OnceLock};

const SAMPLE: &[u8] = b"a sample that nobody on the way may see";

/// Who signs certificates.
pub struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        Self { pem: certificate.pem(), issuer: Issuer::new(params, key) }
    }

    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// What a server on loopback shows.
    pub fn server(&self) -> Arc<rustls::ServerConfig> {
        self.server_of("127.0.0.1")
    }

    fn server_of(&self, name: &str) -> Arc<rustls::ServerConfig> {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = rustls::ServerConfig::builder_with_provider(tls::provider())
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key);
        Arc::new(config.expect("they fit"))
    }
}

/// The one whose certificates estates here take.
pub fn authority() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(Authority::new)
}

fn gateway(tls: Arc<rustls::ServerConfig>) -> Gateway {
    Gateway::on("127.0.0.1:0".parse().expect("an address"), Some(tls))
}

/// An estate that takes the authority's certificates.
fn trusting(gateway: &Gateway, submission: bool, download: bool) -> Server {
    estate(&gateway.name(), |options| {
        std::fs::create_dir_all(&options.data).expect("a folder");
        let ca = options.data.join("ca.pem");
        std::fs::write(&ca, authority().pem()).expect("written");
        set(options, "web_communication.ca_file", ca.to_str().expect("a text"));
        set(options, "web_communication.secure_submission", &submission.to_string());
        set(options, "web_communication.secure_download", &download.to_string());
    })
}

#[test]
fn submissions_and_downloads_are_secured_apart() {
    for (submission, download) in [(true, false), (false, true), (true, true)] {
        let gateway = gateway(authority().server());
        let server = trusting(&gateway, submission, download);
        let id = server.store(SAMPLE);
        server.goes_on(&gateway, id, SAMPLE);
        let secured = |is_wanted: fn(&Request) -> bool| -> Vec<bool> {
            gateway.book(|book| book.seen.iter().filter(|one| is_wanted(one)).map(|one| one.secure).collect())
        };
        let (out, back) = (secured(|one| one.is_about("submissions")), secured(|one| !one.is_about("submissions")));
        assert!(!out.is_empty() && out.iter().all(|secure| *secure == submission), "{submission} {download}: {out:?}");
        assert!(!back.is_empty() && back.iter().all(|secure| *secure == download), "{submission} {download}: {back:?}");
        assert_eq!(server.alerts(1), 0);
    }
}

#[test]
fn a_certificate_of_another_authority_is_refused() {
    let gateway = gateway(Authority::new().server());
    let server = trusting(&gateway, true, true);
    let id = server.store(SAMPLE);
    server.is_troubled(id, "certificate");
    assert_eq!(gateway.book(|book| book.seen.len()), 0, "nobody who cannot prove who he is is told anything");
    gateway.shows(authority().server());
    server.goes_on(&gateway, id, SAMPLE);
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let gateway = gateway(authority().server_of("127.0.0.2"));
    let server = trusting(&gateway, true, true);
    let id = server.store(SAMPLE);
    server.is_troubled(id, "certificate");
    assert_eq!(gateway.book(|book| book.seen.len()), 0);
    gateway.shows(authority().server());
    server.goes_on(&gateway, id, SAMPLE);
}

#[test]
fn authorities_that_cannot_be_read_send_nothing_unsecured() {
    let gateway = gateway(authority().server());
    let server = trusting(&gateway, true, false);
    let ca = server.data.path().join("data/ca.pem");
    std::fs::remove_file(&ca).expect("removed");
    // Settings are read anew.
    let answer = server.request("PUT", "/v1/settings", &[], br#"{"customer.contact": "Ann"}"#);
    assert_eq!(answer.status, 200, "{answer:?}");
    let id = server.store(SAMPLE);
    server.trouble("web_communication.ca_file");
    server.item_when(id, "Submitted");
    assert_eq!(gateway.asked("POST", "submissions"), 0);
    server.alerted(1, 1);
    std::fs::write(&ca, authority().pem()).expect("written");
    server.goes_on(&gateway, id, SAMPLE);
}

#[test]
fn answers_come_while_submissions_cannot_go_out() {
    let gateway = gateway(authority().server());
    let server = trusting(&gateway, true, false);
    let out = server.store(SAMPLE);
    server.item_when(out, "Released");
    gateway.shows(Authority::new().server());
    let second: &[u8] = b"one that does not get out";
    // Connections from before are still trusted: they end with what they carry.
    gateway.script(|request| if request.secure { crate::scripted::Turn::Lost } else { crate::scripted::Turn::Good });
    let waits = server.store(second);
    server.is_troubled(waits, "cannot be reached");
    gateway.says(SAMPLE, Said::NotInfected, "");
    server.item_when(out, "Unneeded");
    assert_eq!(server.item(waits)["status"], "Submitted");
    gateway.shows(authority().server());
    server.goes_on(&gateway, waits, second);
}
