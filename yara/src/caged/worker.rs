//! The process in the cage: compiles once, then tries buffers until its socket closes.

use std::io;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::Duration;

use cage::Bounds;
use cage::frame::{expect, invalid, send};

use super::wire::{BUFFER, HOLDS, Holds, READY, Ready, SOURCES, Sources, Time};
use crate::compile::{Source, compile};
use crate::limits::SOURCE_BYTES_MAX;
use crate::rules::Rules;

/// Bytes of a buffer that a worker takes; its memory limit ends it long before.
const BUFFER_BYTES_MAX: u64 = 1 << 40;

/// Runs a worker that tries rules. The hidden subcommand calls this and nothing else; it returns when the other end is
/// closed.
pub fn worker_main() -> ExitCode {
    cage::run(|stream, bounds| match ready(stream, bounds)? {
        Some(rules) => serve(stream, bounds, &rules),
        None => Ok(()),
    })
}

fn ready(stream: &mut UnixStream, bounds: Bounds) -> io::Result<Option<Rules>> {
    let frame = expect(stream, SOURCES, SOURCE_BYTES_MAX as u64)?;
    let head: Sources = frame.head()?;
    cage::allow_cpu(bounds.cpu_ms_max)?;
    let mut rest = frame.body();
    let mut sources = Vec::new();
    for (name, bytes) in &head.files {
        let (text, behind) = rest.split_at_checked(*bytes).ok_or_else(|| invalid("sources shorter than announced"))?;
        sources.push(Source { name, text });
        rest = behind;
    }
    match compile(&sources) {
        Ok(rules) => {
            let report = if head.report_wanted { serde_json::to_vec(rules.report())? } else { Vec::new() };
            send(stream, READY, &Ready { refused: None }, &report)?;
            Ok(Some(rules))
        }
        Err(error) => {
            send(stream, READY, &Ready { refused: Some(error.to_string()) }, &[])?;
            Ok(None)
        }
    }
}

fn serve(stream: &mut UnixStream, bounds: Bounds, rules: &Rules) -> io::Result<()> {
    loop {
        let frame = expect(stream, BUFFER, BUFFER_BYTES_MAX)?;
        let time: Time = frame.head()?;
        cage::allow_cpu(bounds.cpu_ms_max)?;
        let found = rules.scan(frame.body(), Duration::from_millis(time.ms));
        send(stream, HOLDS, &Holds { rules: found.rules, is_whole: found.is_whole }, &[])?;
    }
}
