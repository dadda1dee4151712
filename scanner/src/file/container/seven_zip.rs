//! 7z. Headers are checked by the crate; the memory of its decoders is bounded before they start.

use std::io::Cursor;

use sevenz_rust2::{ArchiveReader, Password};

use crate::file::walk::Walk;
use crate::file::{Flow, Limit};

pub(super) fn unpack(bytes: &[u8], walk: &mut Walk<'_>) {
    // Empty: without a password, locked members fail by name.
    let window_kib = usize::try_from(walk.limits().window_bytes_max >> 10).unwrap_or(usize::MAX);
    let mut reader = match ArchiveReader::new_with_memory_limit(Cursor::new(bytes), Password::empty(), window_kib) {
        Ok(reader) => reader,
        Err(cause) => return failed(&cause, walk),
    };
    reader.set_thread_count(1);
    let result = reader.for_each_entries(|entry, content| {
        if entry.is_directory() || !entry.has_stream() {
            return Ok(true);
        }
        let out = walk.drain(&mut *content);
        Ok(walk.open(entry.name(), &out) == Flow::On)
    });
    if let Err(cause) = result {
        failed(&cause, walk);
    }
}

fn failed(cause: &sevenz_rust2::Error, walk: &mut Walk<'_>) {
    use sevenz_rust2::Error;
    match cause {
        Error::PasswordRequired | Error::MaybeBadPassword(_) => walk.encrypted(),
        Error::UnsupportedCompressionMethod(method) => walk.unsupported(&format!("7z method {method}")),
        Error::MaxMemLimited { .. } => {
            walk.limit(Limit::Window);
        }
        cause => walk.broken(&cause.to_string()),
    }
}
