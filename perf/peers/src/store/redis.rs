//! Redis with an append-only file synced before every answer. The writers' samples go as one pipeline:
//! Redis reads it in one turn of its loop and syncs once before it answers.

use super::Store;
use crate::group::Group;
use crate::pack::Packed;
use crate::server::Server;
use anyhow::{Context, Result, bail, ensure};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use workload::absent;

const PROGRAM: &str = "redis-server";
const INSTALL: &str = "apt-get install -y --no-install-recommends redis-server";

pub struct Redis {
    group: Group,
    server: Server,
}

impl Store for Redis {
    fn open(dir: &Path) -> Result<Self> {
        absent::require(PROGRAM, INSTALL)?;
        let dir = std::path::absolute(dir)?;
        let socket = dir.join("redis.sock");
        let mut command = Command::new(PROGRAM);
        command.args(["--port", "0", "--unixsocket"]).arg(&socket).arg("--dir").arg(&dir);
        // No snapshots beside the log, and no rewriting of it while it is measured.
        command.args(["--appendonly", "yes", "--appendfsync", "always", "--save", ""]);
        command.args(["--auto-aof-rewrite-percentage", "0", "--daemonize", "no"]);
        let (server, stream) = Server::start(command, &dir.join("redis.log"), || Ok(UnixStream::connect(&socket)?))?;
        let mut stream = BufReader::new(stream);
        let (mut pipeline, mut answer) = (Vec::new(), String::new());
        let group = Group::start(move |batch| {
            pipeline.clear();
            for packed in &batch {
                write!(pipeline, "*3\r\n$3\r\nSET\r\n${}\r\n", packed.digest.len())?;
                pipeline.extend_from_slice(&packed.digest);
                write!(pipeline, "\r\n${}\r\n", packed.value.len())?;
                pipeline.extend_from_slice(&packed.value);
                pipeline.extend_from_slice(b"\r\n");
            }
            stream.get_mut().write_all(&pipeline)?;
            for _ in &batch {
                answer.clear();
                ensure!(stream.read_line(&mut answer).context("redis does not answer")? > 0, "redis hung up");
                if answer != "+OK\r\n" {
                    bail!("redis: {}", answer.trim());
                }
            }
            Ok(())
        });
        Ok(Self { group, server })
    }

    fn put(&self, packed: Packed) -> Result<()> {
        self.group.put(packed)
    }

    fn server(&self) -> Option<u32> {
        Some(self.server.pid())
    }

    fn close(self) -> Result<()> {
        self.group.close()?;
        self.server.stop("-TERM")
    }
}
