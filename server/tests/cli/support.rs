//! Runs the built binary, as a command and as a server.

use serde_json::Value;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

/// What a command said and how it exited.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// Checks the exit code, and shows everything when it is another.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code\nstdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// Stdout as JSON, one value a line.
    #[track_caller]
    pub fn lines(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }

    /// Stdout as one JSON value.
    #[track_caller]
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.out).expect(&self.out)
    }
}

/// A folder of the test's own, with the person's configuration inside.
pub struct Home {
    dir: tempfile::TempDir,
}

impl Home {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a folder") }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("inside")).expect("writable");
        std::fs::write(&path, content).expect("writable");
        path
    }

    pub fn command(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lazaret"));
        for name in ["LAZARET_SERVER", "LAZARET_TOKEN", "LAZARET_CA", "NO_COLOR"] {
            command.env_remove(name);
        }
        command.env("XDG_CONFIG_HOME", self.path("config")).current_dir(self.dir.path()).args(args);
        command.stdin(Stdio::null());
        command
    }

    pub fn run(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Ran {
        ran(self.command(args), b"")
    }

    /// As [`Home::run`] with something on stdin.
    pub fn run_with(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>, stdin: &[u8]) -> Ran {
        let mut command = self.command(args);
        command.stdin(Stdio::piped());
        ran(command, stdin)
    }

    /// Starts a server on the folder `data` of this home.
    pub fn serve(&self, config: &str) -> Server {
        let config = self.write("lazaret.toml", config);
        let mut command = self.command(["serve", "--listen", "127.0.0.1:0", "--intake-listen", "127.0.0.1:0"]);
        command.args(["--defcast-listen", "127.0.0.1:0", "--data"]).arg(self.path("data"));
        command.arg("--config").arg(config);
        ready(command)
    }

    /// Starts an analysis centre on the folder `centre` of this home.
    pub fn centre(&self, port: u16) -> Server {
        let mut command = self.command(["centre", "--listen", &format!("127.0.0.1:{port}"), "--data"]);
        command.arg(self.path("centre"));
        ready(command)
    }
}

/// A port of loopback where nobody listens, for what must be found there again after a restart.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("bound").port()
}

/// Waits for the line that says that a server is ready.
fn ready(mut command: Command) -> Server {
    let mut child = command.stdout(Stdio::piped()).spawn().expect("the server starts");
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
    stdout.read_line(&mut line).expect("the server's line");
    let http = line.split(' ').find_map(|word| word.strip_prefix("http="));
    let url = format!("http://{}", http.unwrap_or_else(|| panic!("not ready: '{line}'")));
    Server { child, url, _stdout: stdout }
}

fn ran(mut command: Command, stdin: &[u8]) -> Ran {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts");
    if let Some(mut pipe) = child.stdin.take() {
        // A command that needs no more closes its end.
        let _ = pipe.write_all(stdin);
    }
    let output = child.wait_with_output().expect("the command ends");
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).expect("stdout is text"),
        err: String::from_utf8(output.stderr).expect("stderr is text"),
    }
}

/// A running server, killed when the test ends.
pub struct Server {
    child: Child,
    pub url: String,
    _stdout: BufReader<std::process::ChildStdout>,
}

impl Server {
    pub fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
    }

    /// SIGTERM, and wait.
    pub fn stop(mut self) -> ExitStatus {
        let signal = format!("kill -TERM {}", self.child.id());
        Command::new("sh").args(["-c", &signal]).status().expect("signalled");
        self.child.wait().expect("ended")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The EICAR text, which stands nowhere as it is.
pub fn eicar() -> Vec<u8> {
    let parts = ["$H+H*", "ANTIVIRUS-TEST-FILE!", "$EICAR-STANDARD-", "X5O!P%@AP[4\\PZX54(P^)7CC)7}"];
    parts.iter().rev().copied().collect::<String>().into_bytes()
}

/// Files below a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut open = vec![folder.to_owned()];
    let mut files = Vec::new();
    while let Some(path) = open.pop() {
        for entry in std::fs::read_dir(path).expect("readable") {
            let path = entry.expect("readable").path();
            if path.is_dir() { open.push(path) } else { files.push(path) }
        }
    }
    files
}
