//! Shelves on disk: `shelves/NUMBER.shelf`, each with the facts of some samples, and `shelves/rule`, by which all of them were
//! made.
//!
//! 1. A shelf appears under its name whole and durable, and never changes.
//! 2. It is charged to the quota before it is written.
//! 3. One that is damaged, or made by another rule, is removed: its samples are then scanned where they would be asked.

use engine::Engine;
use engine::disk::{Disk, ReadFile, ReadMode};
use model::{Blake3, SampleId};
use scanner::grams::Rule;
use scanner::retest::Shelf;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The shelves of a data directory.
pub struct Shelves {
    dir: PathBuf,
    disk: Arc<dyn Disk>,
    read: ReadMode,
    rule: Option<Arc<Rule>>,
    open: BTreeMap<u64, Kept>,
}

/// A shelf in use.
struct Kept {
    file: Arc<dyn ReadFile>,
    plain_bytes: u64,
}

impl Shelves {
    /// Opens and verifies every shelf, which reads all of them; `take` is told what is on each.
    ///
    /// # Errors
    /// The directory cannot be used.
    pub fn open(engine: &Engine, data: &Path, take: &mut dyn FnMut(u64, Vec<SampleId>)) -> io::Result<Self> {
        let (dir, disk) = (data.join("shelves"), Arc::clone(engine.disk()));
        disk.create_dir(&dir)?;
        let mut shelves = Self { dir, disk, read: engine.settings().read, rule: None, open: BTreeMap::new() };
        shelves.rule = shelves.read_rule();
        let names = shelves.disk.list(&shelves.dir)?;
        let numbers = names.iter().filter_map(|name| name.strip_suffix(".shelf")?.parse::<u64>().ok());
        // Ascending: a sample on two of them, after a kill, belongs to the newer.
        for number in numbers.collect::<BTreeSet<u64>>() {
            match shelves.samples_of(number) {
                Ok((kept, samples)) => {
                    engine.restore_derived(kept.file.bytes());
                    shelves.open.insert(number, kept);
                    take(number, samples);
                }
                Err(why) => {
                    tracing::warn!(number, why, "a shelf cannot be used and is removed");
                    shelves.disk.unlink(&shelves.path(number))?;
                }
            }
        }
        Ok(shelves)
    }

    fn read_rule(&self) -> Option<Arc<Rule>> {
        let bytes = std::fs::read(self.dir.join("rule")).ok()?;
        match Rule::decode(&bytes) {
            Ok(rule) => Some(Arc::new(rule)),
            Err(error) => {
                tracing::warn!(%error, "the rule of the shelves cannot be used; another is learned");
                None
            }
        }
    }

    fn samples_of(&self, number: u64) -> Result<(Kept, Vec<SampleId>), String> {
        let rule = self.rule.as_deref().ok_or("there is no rule")?;
        let file = self.disk.open(&self.path(number), self.read).map_err(|error| error.to_string())?;
        let bytes = contents(&*file).map_err(|error| error.to_string())?;
        let shelf = Shelf::open(&bytes, rule).map_err(|error| error.to_string())?;
        shelf.verify().map_err(|error| error.to_string())?;
        let samples = shelf.samples().map(|(id, _)| SampleId(id)).collect();
        let plain_bytes = shelf.plain_bytes();
        drop(bytes);
        Ok((Kept { file, plain_bytes }, samples))
    }

    /// The rule by which shelves are made and asked, if one was learned.
    pub fn rule(&self) -> Option<&Arc<Rule>> {
        self.rule.as_ref()
    }

    /// Keeps a rule for all shelves to come.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn set_rule(&mut self, rule: Rule) -> io::Result<Arc<Rule>> {
        self.disk.write_small(&self.dir.join("rule"), &rule.encode())?;
        let rule = Arc::new(rule);
        self.rule = Some(Arc::clone(&rule));
        Ok(rule)
    }

    /// Writes a shelf, of so many plain bytes, under a new number; `None` when the quota has no room for it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn put(&mut self, engine: &Engine, bytes: &[u8], plain_bytes: u64) -> io::Result<Option<u64>> {
        if !engine.charge_derived(bytes.len() as u64) {
            return Ok(None);
        }
        let number = self.open.last_key_value().map_or(1, |(last, _)| last + 1);
        let path = self.path(number);
        let written = self.disk.write_small(&path, bytes).and_then(|()| self.disk.open(&path, self.read));
        match written {
            Ok(file) => {
                self.open.insert(number, Kept { file, plain_bytes });
                Ok(Some(number))
            }
            Err(error) => {
                engine.release_derived(bytes.len() as u64);
                Err(error)
            }
        }
    }

    /// Removes a shelf.
    ///
    /// # Errors
    /// The disk said no.
    pub fn remove(&mut self, engine: &Engine, number: u64) -> io::Result<()> {
        self.disk.unlink(&self.path(number))?;
        if let Some(kept) = self.open.remove(&number) {
            engine.release_derived(kept.file.bytes());
        }
        Ok(())
    }

    /// The next shelf after a number, with its samples.
    pub fn next_after(&self, number: u64) -> Option<(u64, Vec<SampleId>)> {
        let (next, _) = self.open.range(number + 1..).next()?;
        Some((*next, self.samples(*next)?.into_iter().map(|(sample, _)| sample).collect()))
    }

    /// The samples on a shelf, with their addresses, ascending.
    pub fn samples(&self, number: u64) -> Option<Vec<(SampleId, Blake3)>> {
        let bytes = contents(&*self.open.get(&number)?.file).ok()?;
        let shelf = Shelf::open(&bytes, self.rule.as_deref()?).ok()?;
        Some(shelf.samples().map(|(id, blake3)| (SampleId(id), Blake3(blake3))).collect())
    }

    /// Shelves of fewer plain bytes than this, with their plain bytes.
    pub fn smaller_than(&self, plain_bytes: u64) -> impl Iterator<Item = (u64, u64)> {
        let small = move |kept: &&Kept| kept.plain_bytes < plain_bytes;
        self.open.iter().filter(move |(_, kept)| small(kept)).map(|(number, kept)| (*number, kept.plain_bytes))
    }

    /// The file of a shelf.
    pub fn file(&self, number: u64) -> Option<Arc<dyn ReadFile>> {
        self.open.get(&number).map(|kept| Arc::clone(&kept.file))
    }

    fn path(&self, number: u64) -> PathBuf {
        self.dir.join(format!("{number:08}.shelf"))
    }
}

/// A shelf's bytes: where they are mapped, or read now.
///
/// # Errors
/// They cannot be read.
pub fn contents(file: &dyn ReadFile) -> io::Result<Cow<'_, [u8]>> {
    if let Some(mapped) = file.mapped() {
        return Ok(Cow::Borrowed(mapped));
    }
    let mut bytes = vec![0; usize::try_from(file.bytes()).map_err(io::Error::other)?];
    file.read_at(0, &mut bytes)?;
    Ok(Cow::Owned(bytes))
}
