//! Commands that need no server.

use crate::support::{Home, eicar};
use std::os::unix::fs::PermissionsExt;

/// An address on which nobody listens any more.
fn deserted() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    format!("http://{}", listener.local_addr().expect("an address"))
}

#[test]
fn help_and_version_are_answers_and_go_to_stdout() {
    let home = Home::new();
    assert!(home.run(["--help"]).exits(0).out.contains("Exit codes"));
    assert!(home.run(["--version"]).exits(0).out.starts_with("lazaret "));
    assert!(home.run(["items", "list", "--help"]).exits(0).out.contains("--status"));
}

#[test]
fn a_call_that_makes_no_sense_exits_2_and_says_so_on_stderr() {
    let home = Home::new();
    for args in [&["fly"][..], &["put"], &["items", "show", "x"], &["items", "delete"], &["quota", "--colour"]] {
        let ran = home.run(args).exits(2);
        assert!(ran.out.is_empty() && !ran.err.is_empty(), "{args:?}");
    }
}

#[test]
fn an_unreachable_server_exits_3_and_says_what_to_do() {
    let home = Home::new();
    let server = deserted();
    for command in [&["quota"][..], &["status"], &["items", "list"], &["put", "--json", "/etc/hostname"]] {
        let mut args = vec!["--server", &server];
        args.extend(command);
        let ran = home.run(args).exits(3);
        assert!(ran.err.contains("cannot reach") && ran.err.contains("lazaret serve"), "{}", ran.err);
    }
}

#[test]
fn a_server_that_is_no_url_exits_2() {
    let ran = Home::new().run(["--server", "here", "quota"]).exits(2);
    assert!(ran.err.contains("'here' is no server"), "{}", ran.err);
}

#[test]
fn a_configuration_is_checked_as_a_whole_with_lines_and_nearest_keys() {
    let home = Home::new();
    let bad = home.write("bad.toml", "[general]\nmax_byte = 1\nread = 'mmap'\n[genral]\nx = 1\n");
    let ran = home.run(["config".as_ref(), "check".as_ref(), bad.as_os_str()]).exits(2);
    for text in ["line 2: unknown key general.max_byte, did you mean general.max_bytes?", "line 3: ", "[general]?"] {
        assert!(ran.err.contains(text), "{text} is missing in {}", ran.err);
    }
    let mail = home.write("mail.toml", "[general]\ntransport = 'email'\n");
    let ran = home.run(["config".as_ref(), "check".as_ref(), mail.as_os_str()]).exits(2);
    assert!(ran.err.contains("line 2") && ran.err.contains("not available in this version"), "{}", ran.err);
    let good = home.write("good.toml", "[general]\nmax_bytes = '4 GiB'\n[email]\nfrom = 'a@b.example'\n");
    let ran = home.run(["config".as_ref(), "check".as_ref(), good.as_os_str()]).exits(0);
    assert!(ran.out.contains("OK") && ran.out.contains("no effect yet: email.from"), "{}", ran.out);
    home.run(["config", "check", "/nowhere.toml"]).exits(2);
}

#[test]
fn what_holds_is_shown_with_where_it_comes_from() {
    let home = Home::new();
    let file = home.write("lazaret.toml", "[general]\nmax_bytes = '4 GiB'\n");
    let server = deserted();
    let mut args = vec!["--server", &server, "--json", "config", "show", "--non-default", "--origin"];
    let file = file.to_string_lossy();
    args.extend(["--config", &file, "--listen", "127.0.0.1:9"]);
    let lines = home.run(args).exits(0).lines();
    let shown: Vec<_> = lines.iter().map(|line| (line["key"].as_str(), line["origin"].as_str())).collect();
    let expected =
        [(Some("general.max_bytes"), Some("file line 2")), (Some("listen.http.address"), Some("command line"))];
    assert_eq!(shown, expected);
    assert_eq!(lines[0]["value"], 4_u64 << 30);
}

#[test]
fn serving_beyond_loopback_without_tls_and_tokens_is_refused() {
    let ran = Home::new().run(["serve", "--listen", "0.0.0.0:0"]).exits(2);
    assert!(ran.err.contains("security.allow_insecure"), "{}", ran.err);
}

#[test]
fn contexts_are_kept_in_a_file_that_nobody_else_reads() {
    let home = Home::new();
    home.run(["context", "add", "hq", "https://hq.example:8740", "--token", "secret"]).exits(0);
    home.run(["context", "add", "lab", "http://127.0.0.1:1"]).exits(0);
    let file = home.path("config/lazaret/contexts.toml");
    assert_eq!(std::fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o600);
    let listed = home.run(["context", "list", "--json"]).exits(0);
    assert!(!listed.out.contains("secret"), "a token is never shown");
    let listed = listed.lines();
    assert_eq!(
        (listed.len(), listed[0]["in_use"].as_bool(), listed[1]["in_use"].as_bool()),
        (2, Some(true), Some(false))
    );
    home.run(["context", "use", "lab"]).exits(0);
    assert!(home.run(["quota"]).exits(3).err.contains("http://127.0.0.1:1"));
    assert!(home.run(["context", "use", "labs"]).exits(1).err.contains("did you mean 'lab'?"));
    home.run(["context", "remove", "lab"]).exits(0);
    assert_eq!(home.run(["context", "list", "--json"]).exits(0).lines().len(), 1);
    home.run(["context", "add", "bad", "no-url"]).exits(2);
}

#[test]
fn what_cannot_be_forwarded_is_named_and_not_followed() {
    let home = Home::new();
    home.write("tree/file", "x");
    std::os::unix::fs::symlink("/etc/passwd", home.path("tree/link")).expect("a link");
    let _socket = std::os::unix::net::UnixListener::bind(home.path("tree/socket")).expect("a socket");
    home.write("tree/evil\u{1b}[31m\u{202e}name", "y");
    let ran = home.run(["put", "--dry-run", "--recursive", "tree", "missing"]).exits(1);
    for text in ["is a symbolic link", "is a socket", "missing: No such file", "evil\\u{1b}[31m\\u{202e}name"] {
        assert!(ran.err.contains(text), "{text} is missing in {}", ran.err);
    }
    assert!(!ran.err.contains('\u{1b}') && !ran.err.contains('\u{202e}'), "hostile text is escaped");
    assert!(home.run(["put", "--dry-run", "tree"]).exits(1).err.contains("--recursive"));
}

#[test]
fn completions_are_made_for_every_shell() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(home.run(["completions", shell]).exits(0).out.contains("lazaret"), "{shell}");
    }
    home.run(["completions", "tcl"]).exits(2);
}

#[test]
fn a_token_is_shown_once_and_only_its_hash_is_kept() {
    let home = Home::new();
    let made = home.run(["token", "--role", "forwarder", "--name", "gate", "--file", "tokens.toml"]).exits(0);
    let kept = std::fs::read_to_string(home.path("tokens.toml")).expect("written");
    assert!(!kept.contains(made.out.trim()) && kept.contains("forwarder"), "{kept}");
    let mode = std::fs::metadata(home.path("tokens.toml")).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    home.run(["token", "--role", "viewer", "--name", "gate", "--file", "tokens.toml"]).exits(5);
    home.run(["token", "--role", "king", "--name", "x", "--file", "tokens.toml"]).exits(2);
}

#[test]
fn a_closed_pipe_ends_a_command_quietly() {
    let home = Home::new();
    let mut command = home.command(["completions", "bash"]);
    let mut child = command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the command starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the command ends");
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn the_binary_holds_no_text_that_a_scanner_takes_for_the_test_file() {
    let binary = std::fs::read(env!("CARGO_BIN_EXE_lazaret")).expect("readable");
    let needle = eicar();
    assert!(!binary.windows(needle.len()).any(|window| window == needle));
}

#[test]
fn a_folder_that_is_no_quarantine_is_refused_and_left_as_it_is() {
    let home = Home::new();
    home.write("photos/cat.jpg", "a cat");
    for command in ["verify", "rebuild"] {
        let ran = home.run([command, "--data", "photos"]).exits(2);
        assert!(ran.err.contains("there is no quarantine in photos"), "{}", ran.err);
        assert_eq!(std::fs::read_dir(home.path("photos")).expect("there").count(), 1, "{command} made something there");
        home.run([command, "--data", "nowhere"]).exits(2);
    }
}

#[test]
fn the_manual_has_a_page_for_each_command_and_says_so_in_both_forms() {
    let home = Home::new();
    home.run(["man", "pages", "--dry-run"]).exits(0);
    assert!(!home.path("pages").exists());
    let told = home.run(["man", "pages", "--json"]).exits(0).value();
    let pages = told["pages"].as_array().expect("pages").len();
    assert_eq!(std::fs::read_dir(home.path("pages")).expect("there").count(), pages);
    assert!(home.path("pages/lazaret-items-list.1").exists());
    assert!(home.run(["man", "pages"]).exits(0).out.contains(&format!("{pages} pages")));
    home.write("file", "in the way");
    home.run(["man", "file"]).exits(2);
}

#[test]
fn the_cheat_sheet_is_text_for_people_and_json_for_programs() {
    let home = Home::new();
    assert!(home.run(["cheat"]).exits(0).out.contains("lazaret put"));
    assert_eq!(home.run(["cheat", "--json"]).exits(0).value()["sheet"][0]["heading"], "Run");
}

#[test]
fn a_sample_is_not_restored_to_stdout() {
    let ran = Home::new().run(["items", "restore", "1", "--to", "-"]).exits(2);
    assert!(ran.err.contains("./-"), "{}", ran.err);
}
