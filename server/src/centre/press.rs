//! Sets are made of lines: numbered, signed, on disk before anything names them.

use super::Centre;
use crate::daemon::clock;
use crate::definitions::Active;
use anyhow::Context as _;
use defcast::keys::TrustedKeys;
use defcast::package::{Draft, Limits, Package, build};
use gateway::centre::book::Line;
use model::{Blake3, Sequence};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;

/// The signature of the first set.
const TEST_NAME: &str = "Eicar-Test-Signature";
/// The EICAR test file in hexadecimal digits: as a text here it would be found by other products on this computer.
const TEST_BYTES: &str = "58354f2150254041505b345c505a58353428505e2937434329377d2445494341522d5354414e444152442d414e5449\
                          56495255532d544553542d46494c452124482b482a";
/// The name that files of a set begin with.
const STEM: &str = "lazaret";

impl Centre {
    /// Where a set lies.
    pub(super) fn set_path(&self, sequence: Sequence) -> PathBuf {
        self.options.data.join("definitions").join(format!("{}.lzd", sequence.0))
    }

    /// The first set, certified: a quarantine that has none scans nothing, so it would submit nothing either. It finds the
    /// test file that every product finds.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn first_set(&self) -> anyhow::Result<()> {
        let sequence = Sequence(1);
        let line = Line {
            name: TEST_NAME.to_owned(),
            file: "ndb".to_owned(),
            text: format!("{TEST_NAME}:0:0:{TEST_BYTES}"),
            content: Blake3([0; 32]),
            sequence,
            certified: true,
        };
        let lines = [line];
        self.press(sequence, true, &lines)?;
        self.book
            .lock()
            .answered(&[], Some((sequence, true, &lines)), clock::now())
            .context("the book cannot be written")
    }

    /// Makes a set, durable under its number; nothing knows of it yet.
    ///
    /// # Errors
    /// The lines make no set, or the disk said no.
    pub(super) fn press(&self, sequence: Sequence, certified: bool, lines: &[Line]) -> anyhow::Result<Package> {
        let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for line in lines {
            let file = files.entry(format!("{STEM}.{}", line.file)).or_default();
            file.extend_from_slice(line.text.as_bytes());
            file.push(b'\n');
        }
        let draft = Draft {
            sequence: sequence.0,
            certified,
            created_at: clock::now().to_string(),
            comment: "made by the analysis centre".to_owned(),
            files: files.into_iter().collect(),
        };
        let bytes = build(&draft, &self.key).context("the lines make no set")?;
        self.put(sequence, &bytes).context("the set cannot be written")?;
        self.opened(&bytes)
    }

    /// A set of ours, ready for scanning.
    ///
    /// # Errors
    /// It cannot be read or compiled.
    pub(super) fn compiled(&self, package: &Package) -> anyhow::Result<Active> {
        Active::of(package, &self.program).context("the set cannot be used")
    }

    /// A set on disk.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn package(&self, sequence: Sequence) -> anyhow::Result<Package> {
        let path = self.set_path(sequence);
        let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        self.opened(&bytes)
    }

    fn opened(&self, bytes: &[u8]) -> anyhow::Result<Package> {
        let trusted = TrustedKeys::new(vec![self.key.public()]);
        Package::open(bytes, &trusted, Limits::default()).context("the set cannot be opened")
    }

    fn put(&self, sequence: Sequence, bytes: &[u8]) -> std::io::Result<()> {
        let path = self.set_path(sequence);
        let coming = path.with_extension("coming");
        let mut file = File::create(&coming)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&coming, &path)?;
        File::open(self.options.data.join("definitions"))?.sync_all()
    }
}
