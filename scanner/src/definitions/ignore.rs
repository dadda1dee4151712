//! Names whose signatures are left out: `.ign2` lines `name[:md5]`, `.ign` lines also `database:line:name`.

use super::fault::{Fault, LineError};
use super::field::Field;
use super::hash::FileDigest;
use std::collections::HashMap;

/// Reads a line: the name, and the digest of the one line that is meant.
pub(crate) fn read_ignore(line: Field<'_>) -> Result<(Box<str>, Option<[u8; 16]>), LineError> {
    let fields: Vec<Field<'_>> = line.split(b':').take(4).collect();
    match &*fields {
        [name] => Ok((name.name()?, None)),
        [_database, _line, name] => Ok((name.name()?, None)),
        [name, digest] => match FileDigest::read(*digest)? {
            FileDigest::Md5(digest) => Ok((name.name()?, Some(digest))),
            FileDigest::Sha1(_) | FileDigest::Sha256(_) => Err(digest.error(Fault::Digest)),
        },
        _ => Err(line.error(Fault::Fields { found: fields.len(), min: 1, max: 3 })),
    }
}

/// The digest of the one line that is meant, and the index of the ignore.
type Entry = (Option<[u8; 16]>, usize);

/// All ignores of a load, by name.
#[derive(Default)]
pub(crate) struct IgnoreList {
    by_name: HashMap<Box<str>, Vec<Entry>>,
}

impl IgnoreList {
    /// Adds the ignore with this index.
    pub(crate) fn add(&mut self, name: Box<str>, line_md5: Option<[u8; 16]>, index: usize) {
        self.by_name.entry(name).or_default().push((line_md5, index));
    }

    /// The index of an ignore that leaves out the signature with this name and this line.
    pub(crate) fn find(&self, name: &str, line: &[u8]) -> Option<usize> {
        let ignores = self.by_name.get(name)?;
        let mut digest = None;
        let means = |wanted: &Option<[u8; 16]>| match wanted {
            None => true,
            Some(wanted) => *digest.get_or_insert_with(|| md5(line)) == *wanted,
        };
        let mut means = means;
        ignores.iter().find(|(wanted, _)| means(wanted)).map(|(_, index)| *index)
    }
}

/// The MD5 of bytes.
pub(crate) fn md5(bytes: &[u8]) -> [u8; 16] {
    use md5::Digest as _;
    md5::Md5::digest(bytes).into()
}
