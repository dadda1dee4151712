//! The files that are scanned: what is named, also through a link; the files of a folder that is named; with
//! `--recursive` those of its folders too.

use crate::cli::walk::{Found, walk};
use std::path::{Path, PathBuf};

/// Gives the files to `take` until it answers false.
pub(super) fn files(paths: &[PathBuf], recursive: bool, take: &mut dyn FnMut(Found) -> bool) {
    for path in paths {
        let named = std::fs::metadata(path);
        let goes_on = match named {
            Ok(metadata) if metadata.is_file() => take(Found::File(path.clone())),
            Ok(metadata) if metadata.is_dir() && !recursive => within(path, take),
            _ => {
                let mut goes_on = true;
                walk(std::slice::from_ref(path), recursive, &mut |found| {
                    goes_on = take(found);
                    goes_on
                });
                goes_on
            }
        };
        if !goes_on {
            return;
        }
    }
}

fn within(dir: &Path, take: &mut dyn FnMut(Found) -> bool) -> bool {
    let entries = std::fs::read_dir(dir).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
    let mut paths: Vec<PathBuf> = match entries {
        Ok(entries) => entries.into_iter().map(|entry| entry.path()).collect(),
        Err(error) => return take(Found::Skipped(dir.to_owned(), error.to_string())),
    };
    paths.sort_unstable();
    paths
        .into_iter()
        .filter(|path| path.symlink_metadata().is_ok_and(|metadata| metadata.is_file()))
        .all(|path| take(Found::File(path)))
}

/// Whether a path is there and names neither a file nor a folder.
pub(super) fn is_special(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}
