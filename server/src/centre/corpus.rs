//! Goodware: files in which nothing may be found, as a folder.

use gateway::centre::analysis::Goodware;
use model::Blake3;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

/// A file above this is only known by its digest: no signature is cut that long.
const FILE_BYTES_MAX: u64 = 64 << 20;
/// Files at most; a folder of more is not a corpus but a mistake.
const FILES_MAX: usize = 1_000_000;
/// Room for what is learned to be clean while the centre runs: more makes the filter less sure, never wrong.
const LEARNED_BYTES: u64 = 16 << 20;
/// Where the bytes lie by which a clean original is recognised in an infected file: behind the headers, which an
/// infection changes, and before most of the code.
const MIDDLE: std::ops::Range<usize> = 1024..2048;

/// What is known of it.
pub(super) struct Corpus {
    grams: Goodware,
    digests: BTreeSet<Blake3>,
    files: Vec<PathBuf>,
    middles: BTreeMap<Blake3, usize>,
}

impl Default for Corpus {
    fn default() -> Self {
        Self {
            grams: Goodware::sized_for(LEARNED_BYTES),
            digests: BTreeSet::new(),
            files: Vec::new(),
            middles: BTreeMap::new(),
        }
    }
}

impl Corpus {
    /// Reads a folder with all below it. Links are not followed.
    ///
    /// # Errors
    /// A folder or file cannot be read.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let mut files = Vec::new();
        list(folder, &mut files)?;
        files.sort_unstable();
        let bytes: u64 = files.iter().map(|(_, bytes)| bytes).sum();
        let mut corpus = Self { grams: Goodware::sized_for(bytes.max(LEARNED_BYTES)), ..Self::default() };
        for (path, bytes) in files {
            let content = std::fs::read(&path)?;
            corpus.digests.insert(digest(&content));
            if bytes > FILE_BYTES_MAX {
                continue;
            }
            corpus.grams.add(&content);
            if let Some(middle) = content.get(MIDDLE) {
                corpus.middles.entry(digest(middle)).or_insert(corpus.files.len());
            }
            corpus.files.push(path);
        }
        tracing::info!(
            files = corpus.files.len(),
            full_per_mille = corpus.grams.fullness_per_mille(),
            "goodware was read"
        );
        Ok(corpus)
    }

    /// Its grams.
    pub fn grams(&self) -> &Goodware {
        &self.grams
    }

    /// Content that was found clean is goodware from now on.
    pub fn learn(&mut self, blake3: Blake3, bytes: &[u8]) {
        if self.digests.insert(blake3) {
            self.grams.add(bytes);
        }
    }

    /// Whether these bytes are a file of it.
    pub fn holds(&self, blake3: &Blake3) -> bool {
        self.digests.contains(blake3)
    }

    /// The file of which these bytes may be an infected copy.
    pub fn original(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let at = *self.middles.get(&digest(bytes.get(MIDDLE)?))?;
        let original = std::fs::read(self.files.get(at)?).ok()?;
        (original != bytes && original.len() <= bytes.len()).then_some(original)
    }

    /// Every file, one after the other; one that has gone since is passed over.
    pub fn each(&self) -> impl Iterator<Item = (&Path, Vec<u8>)> {
        self.files.iter().filter_map(|path| Some((path.as_path(), std::fs::read(path).ok()?)))
    }
}

fn list(folder: &Path, files: &mut Vec<(PathBuf, u64)>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        if metadata.is_dir() {
            list(&entry.path(), files)?;
        } else if metadata.is_file() {
            if files.len() >= FILES_MAX {
                return Err(io::Error::other(format!("there are more than {FILES_MAX} files")));
            }
            files.push((entry.path(), metadata.len()));
        }
    }
    Ok(())
}

fn digest(bytes: &[u8]) -> Blake3 {
    Blake3(*blake3::hash(bytes).as_bytes())
}
