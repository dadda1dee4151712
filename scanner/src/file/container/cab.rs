//! Microsoft cabinets: stored, MSZIP and LZX; Quantum is named as not read.

use std::io::Cursor;

use crate::file::Flow;
use crate::file::walk::Walk;

pub(super) fn unpack(bytes: &[u8], walk: &mut Walk<'_>) {
    let mut cabinet = match cab::Cabinet::new(Cursor::new(bytes)) {
        Ok(cabinet) => cabinet,
        Err(cause) => return walk.broken(&cause.to_string()),
    };
    let names: Vec<String> = cabinet
        .folder_entries()
        .flat_map(|folder| folder.file_entries().map(|file| file.name().to_owned()).collect::<Vec<_>>())
        .take(walk.limits().files_max as usize + 1)
        .collect();
    for name in names {
        let out = match cabinet.read_file(&name) {
            Ok(reader) => walk.drain(reader),
            Err(cause) => {
                walk.broken(&cause.to_string());
                continue;
            }
        };
        if walk.open(&name, &out) == Flow::Stop {
            return;
        }
    }
}
