//! The store is searched for the test file's text, as a scanner on the same host would.

use super::corpus;
use super::stage::{Stage, write};
use crate::cli::Failure;
use crate::config::amount::{grouped, short_bytes};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The step.
///
/// # Errors
/// A check does not hold.
pub fn run(stage: &mut Stage) -> Result<(), Failure> {
    // A search that could not find anything would prove nothing.
    let control = stage.scratch.join("control");
    std::fs::create_dir_all(&control).map_err(|error| Failure::No(format!("cannot make a folder: {error}")))?;
    write(&control.join("eicar"), &corpus::eicar())?;
    let found = search(&control)?;
    stage.narrator.check(found.hits == 1, "the search finds the EICAR text in a file outside of the quarantine")?;
    let store = search(&stage.data)?;
    stage.narrator.check(
        store.hits == 0 && store.files > 0,
        &format!(
            "in the {} files of the store ({}) it finds {} hits",
            grouped(store.files),
            short_bytes(store.bytes),
            store.hits
        ),
    )?;
    stage.narrator.check(store.executable == 0, &format!("{} of them are executable", store.executable))
}

#[derive(Debug, Default)]
struct Found {
    files: u64,
    bytes: u64,
    hits: u64,
    executable: u64,
}

fn search(folder: &Path) -> Result<Found, Failure> {
    let failed = |error: std::io::Error| Failure::No(format!("cannot search {}: {error}", folder.display()));
    let needle = corpus::eicar();
    let mut found = Found::default();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        for entry in std::fs::read_dir(&path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let metadata = entry.metadata().map_err(failed)?;
            if metadata.is_dir() {
                open.push(entry.path());
                continue;
            }
            let content = std::fs::read(entry.path()).map_err(failed)?;
            found.files += 1;
            found.bytes += content.len() as u64;
            found.executable += u64::from(metadata.permissions().mode() & 0o111 != 0);
            found.hits += u64::from(content.windows(needle.len()).any(|window| window == needle));
        }
    }
    Ok(found)
}
