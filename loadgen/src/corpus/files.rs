//! Contents from a directory of real files, held in memory so that a run never waits for a disk.

use crate::limits::CORPUS_BYTES_MAX;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Real files, in the order of their paths. Content `n` is file `n modulo count`.
#[derive(Debug)]
pub struct Files {
    bodies: Vec<Vec<u8>>,
    left_out: usize,
}

/// Why a directory cannot be a corpus.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// Something under it cannot be read.
    #[error("the corpus cannot read {path}: {cause}")]
    Read {
        /// What was read.
        path: PathBuf,
        /// Why not.
        cause: io::Error,
    },
    /// There is nothing to send.
    #[error("the corpus {0} holds no file that is not empty")]
    Empty(PathBuf),
}

impl Files {
    /// Reads every plain file under `folder`, links not followed, up to [`CORPUS_BYTES_MAX`].
    ///
    /// # Errors
    /// The first path that cannot be read, or no file at all.
    pub fn read(folder: &Path) -> Result<Self, FilesError> {
        let mut paths = Vec::new();
        gather(folder, &mut paths)?;
        paths.sort();
        let (mut bodies, mut held, mut left_out) = (Vec::new(), 0, 0);
        for path in paths {
            let bytes = fs::metadata(&path).map_err(|cause| FilesError::Read { path: path.clone(), cause })?.len();
            if held + bytes > CORPUS_BYTES_MAX {
                left_out += 1;
                continue;
            }
            let body = fs::read(&path).map_err(|cause| FilesError::Read { path, cause })?;
            if !body.is_empty() {
                held += body.len() as u64;
                bodies.push(body);
            }
        }
        if bodies.is_empty() {
            return Err(FilesError::Empty(folder.to_owned()));
        }
        Ok(Self { bodies, left_out })
    }

    /// Number of files held.
    pub fn count(&self) -> usize {
        self.bodies.len()
    }

    /// Number of files that did not fit into memory.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    pub(super) fn bytes_of(&self, content: u64) -> u64 {
        self.of(content).len() as u64
    }

    pub(super) fn body(&self, content: u64) -> Vec<u8> {
        self.of(content).to_vec()
    }

    fn of(&self, content: u64) -> &[u8] {
        &self.bodies[(content % self.bodies.len() as u64) as usize]
    }
}

fn gather(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<(), FilesError> {
    let failed = |cause| FilesError::Read { path: folder.to_owned(), cause };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let kind = entry.file_type().map_err(failed)?;
        if kind.is_dir() {
            gather(&entry.path(), paths)?;
        } else if kind.is_file() {
            paths.push(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_in_the_order_of_their_paths_and_empty_ones_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("sub")).unwrap();
        for (name, body) in [("sub/b", "second"), ("a", "first"), ("empty", "")] {
            fs::write(folder.path().join(name), body).unwrap();
        }
        let files = Files::read(folder.path()).unwrap();
        assert_eq!((files.count(), files.body(0), files.body(3)), (2, b"first".to_vec(), b"second".to_vec()));
    }

    #[test]
    fn an_empty_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(Files::read(folder.path()), Err(FilesError::Empty(_))));
    }
}
