//! The loop through a proxy of Debian's with a password, which is between the quarantine and the centre in both directions.

use crate::support::Home;
use crate::thousand::{Killed, centre, noise};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(60);

#[test]
fn samples_and_definitions_pass_a_proxy_with_a_password_and_none_without_it() {
    let home = Home::new();
    let Some((_proxy, port)) = tinyproxy(&home) else { return };
    let (_centre, gateway) = centre(&home, &[]);
    for number in 0..3 {
        home.write(&format!("files/{number}.bin"), noise(&format!("sample {number}"), 3000));
    }
    home.write("password", "wrong\n");
    let password = home.path("password");
    let server = home.serve(&format!(
        "[web_communication]\ngateway = \"{gateway}\"\nsecure_submission = false\nsecure_download = false\n\
         [firewall]\nname = \"127.0.0.1\"\nport = {port}\nuser = \"lazaret\"\npassword_file = \"{}\"\n\
         [customer]\naccount = \"1\"\n[sample_policy]\nautomatic = true\nstrip_user_data = false\n\
         queue_check_interval_s = 1\nstatus_query_interval_s = 1\n",
        password.display()
    ));
    std::fs::copy(home.path("centre/centre.key.pub"), home.path("data/keys/centre.pub")).expect("the key is there");
    home.run(["--server", &server.url, "put", "--recursive", "files"]).exits(0);
    let began = Instant::now();
    let status = || home.run(["--server", &server.url, "--json", "status"]).exits(0).value();
    loop {
        let status = status();
        if status["gateway"]["trouble"].as_str().is_some_and(|text| text.contains("firewall.password_file")) {
            break;
        }
        assert!(began.elapsed() < DEADLINE, "{status}");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(status()["items"]["Quarantined"], 3, "nothing came through");
    home.write("password", "s3cret\n");
    // Whoever mends the file says so: any change of the settings takes it up.
    home.run(["--server", &server.url, "settings", "set", "firewall.user", "lazaret"]).exits(0);
    loop {
        let items = status()["items"].clone();
        if items["Available"] == 3 {
            break;
        }
        assert!(began.elapsed() < DEADLINE, "{items}");
        std::thread::sleep(Duration::from_millis(100));
    }
    let log = std::fs::read_to_string(home.path("tinyproxy.log")).expect("the proxy's log");
    for wanted in ["/gateway/1/submissions/", "/gateway/1/answers", "/gateway/1/definitions"] {
        assert!(log.contains(wanted), "{wanted} did not pass the proxy:\n{log}");
    }
}

/// Debian's tinyproxy on a free port, with one user; nothing where it is not installed, except on CI.
fn tinyproxy(home: &Home) -> Option<(Killed, u16)> {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port();
    let log = home.path("tinyproxy.log");
    let config = format!(
        "Port {port}\nListen 127.0.0.1\nTimeout 60\nLogFile \"{}\"\nLogLevel Connect\nMaxClients 20\nAllow 127.0.0.1\n\
         BasicAuth lazaret s3cret\n",
        log.display()
    );
    let config = home.write("tinyproxy.conf", config);
    let mut command = std::process::Command::new("tinyproxy");
    command.arg("-d").arg("-c").arg(config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let Ok(child) = command.spawn() else {
        assert!(std::env::var_os("CI").is_none(), "tinyproxy is not installed");
        return None;
    };
    let proxy = Killed(child);
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(began.elapsed() < DEADLINE, "the proxy does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
    Some((proxy, port))
}
