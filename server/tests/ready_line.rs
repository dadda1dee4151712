//! The daemon as a process: one line when it is ready, a clean end at SIGTERM.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Already ended in every test that passes.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn one_line_says_ready_and_sigterm_ends_it_with_zero() {
    let dir = tempfile::tempdir().expect("a directory");
    let child = Command::new(env!("CARGO_BIN_EXE_lazaret"))
        .args(["serve", "--listen", "127.0.0.1:0", "--intake-listen", "127.0.0.1:0", "--data"])
        .arg(dir.path().join("data"))
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut process = Process(child);
    let pid = process.0.id();
    let mut stdout = BufReader::new(process.0.stdout.take().expect("a pipe"));
    let mut line = String::new();
    stdout.read_line(&mut line).expect("a line");
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words[..2], ["lazaret", "ready"], "{line}");
    assert!(words[2].starts_with("http=127.0.0.1:") && words[3].starts_with("intake=127.0.0.1:"), "{line}");
    assert_eq!(words[4], "defcast=none");
    assert!(words[5].starts_with("data=/") && words[6] == format!("pid={pid}"), "{line}");
    let told = Command::new("kill").args(["-TERM", &pid.to_string()]).status().expect("kill runs");
    assert!(told.success());
    let status = process.0.wait().expect("it ends");
    assert_eq!(status.code(), Some(0));
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).expect("the rest");
    assert_eq!(rest, "", "nothing else on stdout");
}
