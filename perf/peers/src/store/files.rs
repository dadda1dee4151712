//! A file for each sample, as a careful script would do it.

use super::Store;
use crate::pack::Packed;
use anyhow::Result;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

/// 256 folders by the digest's first byte.
pub struct Files {
    dir: PathBuf,
    folders: Vec<File>,
}

impl Store for Files {
    fn open(dir: &Path) -> Result<Self> {
        let mut folders = Vec::new();
        for first in 0..=255_u8 {
            let path = dir.join(format!("{first:02x}"));
            fs::create_dir(&path)?;
            folders.push(File::open(path)?);
        }
        File::open(dir)?.sync_all()?;
        Ok(Self { dir: dir.to_owned(), folders })
    }

    fn put(&self, packed: Packed) -> Result<()> {
        let name: String = packed.digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let path = self.dir.join(&name[..2]).join(&name[2..]);
        let new = path.with_extension("new");
        let mut file = File::create_new(&new)?;
        file.write_all(&packed.value)?;
        file.sync_all()?;
        fs::rename(new, path)?;
        self.folders[usize::from(packed.digest[0])].sync_all()?;
        Ok(())
    }

    fn close(self) -> Result<()> {
        Ok(())
    }
}
