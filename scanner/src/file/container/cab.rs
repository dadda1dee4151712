//! Microsoft cabinets: stored, MSZIP and LZX; Quantum is named as not read.
//!
//! The crate `cab` decompresses whole folders. Its reader of single files is not used: it panics on a file whose
//! place lies behind its folder's end, and it starts a folder anew for each file. The table of files is read here.

use std::io::Cursor;

use crate::file::Flow;
use crate::file::walk::Walk;

struct File {
    name: String,
    folder: u16,
    offset: usize,
    bytes: usize,
}

pub(super) fn unpack(bytes: &[u8], walk: &mut Walk<'_>) {
    let mut cabinet = match cab::Cabinet::new(Cursor::new(bytes)) {
        Ok(cabinet) => cabinet,
        Err(cause) => return walk.broken(&cause.to_string()),
    };
    let files = files(bytes, walk.limits().files_max as usize + 1);
    let folders = cabinet.folder_entries().count();
    for folder in 0..folders {
        let content = match cabinet.read_folder(folder) {
            Ok(reader) => walk.drain(reader),
            Err(cause) => {
                walk.broken(&cause.to_string());
                continue;
            }
        };
        for file in files.iter().filter(|file| file.folder_of(folders) == folder) {
            let Some(rest) = content.get(file.offset..).filter(|rest| !rest.is_empty() || file.bytes == 0) else {
                walk.broken("a file of a cabinet lies behind its folder's end");
                continue;
            };
            let kept = rest.len().min(file.bytes).min(walk.room());
            if kept > 0 && walk.open(&file.name, &rest[..kept]) == Flow::Stop {
                return;
            }
        }
    }
}

impl File {
    /// Files that go on in another cabinet stand in the first or the last folder of this one.
    fn folder_of(&self, folders: usize) -> usize {
        match self.folder {
            0xfffd => 0,
            0xfffe | 0xffff => folders - 1,
            folder => usize::from(folder),
        }
    }
}

fn files(bytes: &[u8], files_max: usize) -> Vec<File> {
    let word =
        |at: usize| bytes.get(at..at + 4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]) as usize);
    let half = |at: usize| bytes.get(at..at + 2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let (Some(mut at), Some(count)) = (word(16), half(28)) else { return Vec::new() };
    let mut found = Vec::new();
    for _ in 0..usize::from(count).min(files_max) {
        let (Some(size), Some(offset), Some(folder)) = (word(at), word(at + 4), half(at + 8)) else { break };
        let Some(name) = bytes.get(at + 16..) else { break };
        let name = &name[..memchr::memchr(0, name).unwrap_or(name.len())];
        at += 16 + name.len() + 1;
        found.push(File { name: String::from_utf8_lossy(name).into_owned(), folder, offset, bytes: size });
    }
    found
}
