//! Through an HTTP proxy, with and without a user, plain and as a tunnel.

use crate::estate::{estate, set};
use crate::scripted::{Gateway, own_address};
use crate::secure::authority;
use crate::support::Server;
use crate::wire::{Reply, Request};
use serde_json::json;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

const SAMPLE: &[u8] = b"a sample behind a firewall";
/// "guard" and "open sesame".
const LOGIN: &str = "Basic Z3VhcmQ6b3BlbiBzZXNhbWU=";

/// A proxy that does what proxies do.
struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// Only who says this gets through.
    login: Option<&'static str>,
    /// Nobody does.
    shut: AtomicBool,
    tunnels: AtomicUsize,
    forwarded: AtomicUsize,
}

impl Proxy {
    fn start(address: SocketAddr, login: Option<&'static str>) -> Self {
        let listener = TcpListener::bind(address).expect("the address is free");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared { login, ..Shared::default() });
        let serving = Arc::clone(&shared);
        // It ends with the process: nobody waits for it.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let serving = Arc::clone(&serving);
                std::thread::spawn(move || serving.connection(stream));
            }
        });
        Self { address, shared }
    }

    fn any() -> SocketAddr {
        "127.0.0.1:0".parse().expect("an address")
    }

    fn count(&self) -> (usize, usize) {
        (self.shared.forwarded.load(Ordering::Acquire), self.shared.tunnels.load(Ordering::Acquire))
    }
}

impl Shared {
    fn connection(&self, mut stream: TcpStream) {
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a deadline");
        while let Some(request) = Request::read(&mut stream) {
            if self.one(&mut stream, request).is_none() {
                return;
            }
        }
    }

    fn one(&self, stream: &mut TcpStream, mut request: Request) -> Option<()> {
        let is_let_in = self.login.is_none_or(|login| request.header("proxy-authorization") == Some(login));
        let length = request.length();
        request.read_body(stream, length).ok()?;
        if self.shut.load(Ordering::Acquire) || !is_let_in {
            let reply = Reply::new(407, "who are you?").with("proxy-authenticate", "Basic realm=\"house\"");
            return reply.write(stream, usize::MAX).ok();
        }
        if request.method == "CONNECT" {
            self.tunnels.fetch_add(1, Ordering::AcqRel);
            let upstream = TcpStream::connect(&request.path).ok()?;
            stream.write_all(b"HTTP/1.1 200 Thus\r\n\r\n").ok()?;
            let (mut from, mut to) = (upstream.try_clone().ok()?, stream.try_clone().ok()?);
            std::thread::spawn(move || {
                // Either end may break; the other one sees it.
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.shutdown(std::net::Shutdown::Both);
            });
            let _ = std::io::copy(stream, &mut &upstream);
            return None;
        }
        self.forwarded.fetch_add(1, Ordering::AcqRel);
        let (host, path) = request.path.strip_prefix("http://")?.split_once('/')?;
        let mut upstream = TcpStream::connect(host).ok()?;
        let mut head = format!("{} /{path} HTTP/1.1\r\n", request.method);
        for (name, value) in &request.headers {
            assert!(name != "proxy-authorization" || self.login.is_some(), "nobody asked for a password");
            if name != "proxy-authorization" {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        upstream.write_all(format!("{head}x-through: proxy\r\n\r\n").as_bytes()).ok()?;
        upstream.write_all(&request.body).ok()?;
        relay(&mut upstream, stream)
    }
}

/// One reply with a length.
fn relay(from: &mut TcpStream, to: &mut TcpStream) -> Option<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        from.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())?;
    to.write_all(&head).ok()?;
    std::io::copy(&mut from.take(length), to).ok()?;
    to.flush().ok()
}

/// An estate behind this proxy.
fn behind(gateway: &Gateway, proxy: SocketAddr, secure: bool, user: &str) -> Server {
    estate(&gateway.name(), |options| {
        std::fs::create_dir_all(&options.data).expect("a folder");
        let (ca, password) = (options.data.join("ca.pem"), options.data.join("password"));
        std::fs::write(&ca, authority().pem()).expect("written");
        std::fs::write(&password, "open sesame\n").expect("written");
        set(options, "web_communication.ca_file", ca.to_str().expect("a text"));
        set(options, "web_communication.secure_submission", &secure.to_string());
        set(options, "web_communication.secure_download", &secure.to_string());
        set(options, "firewall.name", &proxy.ip().to_string());
        set(options, "firewall.port", &proxy.port().to_string());
        if !user.is_empty() {
            set(options, "firewall.user", user);
            set(options, "firewall.password_file", password.to_str().expect("a text"));
        }
    })
}

fn gateway(secure: bool) -> Gateway {
    Gateway::on(Proxy::any(), secure.then(|| authority().server()))
}

#[test]
fn a_proxy_that_refuses_is_named_and_waited_for() {
    let (gateway, proxy) = (gateway(false), Proxy::start(Proxy::any(), None));
    proxy.shared.shut.store(true, Ordering::Release);
    let server = behind(&gateway, proxy.address, false, "");
    let id = server.store(SAMPLE);
    server.is_troubled(id, "the proxy refuses us");
    assert_eq!(gateway.book(|book| book.seen.len()), 0, "nothing goes round it");
    proxy.shared.shut.store(false, Ordering::Release);
    server.goes_on(&gateway, id, SAMPLE);
    assert!(gateway.book(|book| book.seen.iter().all(|request| request.header("x-through").is_some())));
}

#[test]
fn a_proxy_that_refuses_a_tunnel_is_named_and_waited_for() {
    let (gateway, proxy) = (gateway(true), Proxy::start(Proxy::any(), None));
    proxy.shared.shut.store(true, Ordering::Release);
    let server = behind(&gateway, proxy.address, true, "");
    let id = server.store(SAMPLE);
    server.is_troubled(id, "the proxy refuses us");
    proxy.shared.shut.store(false, Ordering::Release);
    server.goes_on(&gateway, id, SAMPLE);
    let (forwarded, tunnels) = proxy.count();
    assert!(forwarded == 0 && tunnels > 0, "{forwarded} forwarded, {tunnels} tunnels");
    assert!(gateway.book(|book| book.seen.iter().all(|request| request.secure)));
}

#[test]
fn a_proxy_that_is_down_is_waited_for() {
    let (gateway, address) = (gateway(false), own_address());
    let server = behind(&gateway, address, false, "");
    let id = server.store(SAMPLE);
    server.is_troubled(id, "cannot be reached");
    assert_eq!(gateway.book(|book| book.seen.len()), 0, "nothing goes round it");
    let _proxy = Proxy::start(address, None);
    server.goes_on(&gateway, id, SAMPLE);
}

/// The wrong user is refused; once the right one is set, all goes through.
fn only_with_the_right_login(secure: bool) {
    let (gateway, proxy) = (gateway(secure), Proxy::start(Proxy::any(), Some(LOGIN)));
    let server = behind(&gateway, proxy.address, secure, "thief");
    let id = server.store(SAMPLE);
    server.is_troubled(id, "the proxy refuses us: check firewall.user and firewall.password_file");
    assert_eq!(proxy.count(), (0, 0));
    server.change(&json!({"firewall.user": "guard"}));
    server.goes_on(&gateway, id, SAMPLE);
    assert!(gateway.book(|book| book.seen.iter().all(|request| request.header("proxy-authorization").is_none())));
    let told = [server.get("/v1/status").body, server.get("/v1/settings").body, server.get("/v1/log").body].concat();
    assert!(!String::from_utf8_lossy(&told).contains("sesame"), "the password is nowhere to be read");
}

#[test]
fn a_proxy_lets_only_the_right_user_through() {
    only_with_the_right_login(false);
}

#[test]
fn a_proxy_lets_only_the_right_user_have_a_tunnel() {
    only_with_the_right_login(true);
}

#[test]
fn a_password_that_is_set_right_in_its_file_is_tried_by_itself() {
    let (gateway, proxy) = (gateway(false), Proxy::start(Proxy::any(), Some(LOGIN)));
    let server = behind(&gateway, proxy.address, false, "guard");
    let password = server.data.path().join("data/password");
    std::fs::write(&password, "open barley\n").expect("written");
    // What was read before counts until the settings or the proxy say otherwise.
    server.change(&json!({"customer.contact": "Ann"}));
    let id = server.store(SAMPLE);
    server.is_troubled(id, "the proxy refuses us");
    std::fs::write(&password, "open sesame\n").expect("written");
    server.goes_on(&gateway, id, SAMPLE);
}
