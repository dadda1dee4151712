//! Finds the files that paths name, in the order of names. Links are named and not followed: a link in a hostile tree
//! could lead anywhere, and the file it names is found where it lies.

use std::fs::FileType;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

/// Something found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A file, or `-` for standard input.
    File(PathBuf),
    /// Something that is not forwarded, and why.
    Skipped(PathBuf, String),
}

/// Gives everything below `paths` to `take` until it answers false. A directory without `recursive` is skipped
/// by name. Depth is bounded by the length of a path, memory by the width of one directory at each depth.
pub fn walk(paths: &[PathBuf], recursive: bool, take: &mut dyn FnMut(Found) -> bool) {
    for path in paths {
        let goes_on = if path == Path::new("-") { take(Found::File(path.clone())) } else { one(path, recursive, take) };
        if !goes_on {
            return;
        }
    }
}

fn one(path: &Path, recursive: bool, take: &mut dyn FnMut(Found) -> bool) -> bool {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => take(Found::File(path.to_owned())),
        Ok(metadata) if metadata.is_dir() && recursive => below(path, take),
        Ok(metadata) => take(Found::Skipped(path.to_owned(), what(metadata.file_type()).to_owned())),
        Err(error) => take(Found::Skipped(path.to_owned(), error.to_string())),
    }
}

/// Depth first with a stack of our own: a hostile tree is deeper than a thread's stack.
fn below(dir: &Path, take: &mut dyn FnMut(Found) -> bool) -> bool {
    let mut open = vec![dir.to_owned()];
    while let Some(path) = open.pop() {
        let metadata = match std::fs::symlink_metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) => {
                if !take(Found::Skipped(path, error.to_string())) {
                    return false;
                }
                continue;
            }
        };
        if !metadata.is_dir() {
            let found = if metadata.is_file() {
                Found::File(path)
            } else {
                Found::Skipped(path, what(metadata.file_type()).to_owned())
            };
            if !take(found) {
                return false;
            }
            continue;
        }
        let entries: Result<Vec<_>, _> =
            std::fs::read_dir(&path).and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect());
        match entries {
            Ok(mut entries) => {
                entries.sort_unstable_by(|a, b| b.cmp(a));
                open.append(&mut entries);
            }
            Err(error) => {
                if !take(Found::Skipped(path, error.to_string())) {
                    return false;
                }
            }
        }
    }
    true
}

fn what(kind: FileType) -> &'static str {
    if kind.is_dir() {
        "is a directory, say --recursive for what is in it"
    } else if kind.is_symlink() {
        "is a symbolic link, which is not followed"
    } else if kind.is_fifo() {
        "is a pipe"
    } else if kind.is_socket() {
        "is a socket"
    } else if kind.is_block_device() || kind.is_char_device() {
        "is a device"
    } else {
        "is no regular file"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(paths: &[PathBuf], recursive: bool) -> Vec<Found> {
        let mut all = Vec::new();
        walk(paths, recursive, &mut |found| {
            all.push(found);
            true
        });
        all
    }

    #[test]
    fn a_tree_is_walked_in_the_order_of_names_and_links_are_named_not_followed() {
        let dir = tempfile::tempdir().expect("a folder");
        let at = |name: &str| dir.path().join(name);
        std::fs::create_dir(at("b")).expect("writable");
        for name in ["a", "b/c", "d"] {
            std::fs::write(at(name), name).expect("writable");
        }
        std::os::unix::fs::symlink("/etc", at("e")).expect("writable");
        let expected = vec![
            Found::File(at("a")),
            Found::File(at("b/c")),
            Found::File(at("d")),
            Found::Skipped(at("e"), "is a symbolic link, which is not followed".into()),
        ];
        assert_eq!(found(&[dir.path().to_owned()], true), expected);
    }

    #[test]
    fn a_directory_without_recursive_and_a_missing_file_are_skipped_by_name() {
        let dir = tempfile::tempdir().expect("a folder");
        let missing = dir.path().join("missing");
        let all = found(&[dir.path().to_owned(), missing.clone()], false);
        assert!(matches!(&all[0], Found::Skipped(path, why) if path == dir.path() && why.contains("--recursive")));
        assert!(matches!(&all[1], Found::Skipped(path, why) if *path == missing && why.contains("No such file")));
    }

    #[test]
    fn nothing_more_is_looked_for_when_nobody_listens() {
        let dir = tempfile::tempdir().expect("a folder");
        for name in ["a", "b", "c"] {
            std::fs::write(dir.path().join(name), name).expect("writable");
        }
        let mut count = 0;
        walk(&[dir.path().to_owned()], true, &mut |_| {
            count += 1;
            false
        });
        assert_eq!(count, 1);
    }
}
