//! Which files there are, once containers are unpacked, and what language each is in.

use super::{LoadError, Loader, PotentiallyUnwanted};
use crate::definitions::container::{Assurance, unpack};
use crate::definitions::fault::Fault;
use crate::definitions::limits;
use crate::definitions::outcome::{Reason, Rejected, Source};
use crate::definitions::signature::Origin;
use std::borrow::Cow;

/// A file of lines.
pub(super) struct File<'a> {
    pub name: String,
    pub kind: FileKind,
    pub source: u32,
    pub bytes: Cow<'a, [u8]>,
}

/// What a file's name says of its content.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    Language(Language),
    /// What a container says of itself; no definitions.
    Metadata,
    Unsupported(Reason),
}

/// What a file's lines mean.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    Plain,
    Extended,
    Hash,
    SectionHash,
    ImportHash,
    Logical,
    Allow,
    Ignore,
    Repair,
}

impl Language {
    /// The name in a line that gives no signature, as well as it can be told.
    pub(super) fn name_of(self, line: &[u8]) -> Box<str> {
        let (separator, index) = match self {
            Language::Plain => (b'=', 0),
            Language::Extended | Language::Ignore => (b':', 0),
            Language::Hash | Language::SectionHash | Language::ImportHash | Language::Allow => (b':', 2),
            Language::Logical | Language::Repair => (b';', 0),
        };
        let name = line.split(|byte| *byte == separator).nth(index).unwrap_or(&[]);
        String::from_utf8_lossy(name).into()
    }
}

impl FileKind {
    fn of(name: &str, unwanted: PotentiallyUnwanted) -> FileKind {
        let Some((_, extension)) = name.rsplit_once('.') else {
            return if name == "COPYING" { FileKind::Metadata } else { FileKind::Unsupported(Reason::FileKind) };
        };
        let language = match extension {
            "db" => Language::Plain,
            "ndb" | "ndu" => Language::Extended,
            "hdb" | "hsb" | "hdu" | "hsu" => Language::Hash,
            "mdb" | "msb" | "mdu" | "msu" => Language::SectionHash,
            "imp" => Language::ImportHash,
            "ldb" | "ldu" => Language::Logical,
            "fp" | "sfp" => Language::Allow,
            "ign" | "ign2" => Language::Ignore,
            "repair" => Language::Repair,
            "info" => return FileKind::Metadata,
            _ => return FileKind::Unsupported(Reason::FileKind),
        };
        match unwanted {
            PotentiallyUnwanted::LeaveOut if extension.ends_with('u') => {
                FileKind::Unsupported(Reason::PotentiallyUnwanted)
            }
            _ => FileKind::Language(language),
        }
    }
}

/// All files, members of containers in the place of their container.
pub(super) fn expand<'a>(sources: &[Source<'a>], loader: &mut Loader) -> Result<Vec<File<'a>>, LoadError> {
    let mut files = Vec::new();
    let mut bytes_left = limits::SOURCE_BYTES_MAX;
    for source in sources {
        let name = source.name.rsplit('/').next().unwrap_or(source.name);
        let assurance = match name.rsplit_once('.') {
            Some((_, "cvd")) => Some(Assurance::Digested),
            Some((_, "cld" | "cud")) => Some(Assurance::Local),
            _ => None,
        };
        let index = loader.definitions.add_source(name);
        let Some(assurance) = assurance else {
            spend(&mut bytes_left, source.bytes.len(), name)?;
            let kind = FileKind::of(name, loader.options.potentially_unwanted);
            files.push(File { name: name.to_owned(), kind, source: index, bytes: Cow::Borrowed(source.bytes) });
            continue;
        };
        match unpack(source.bytes, assurance, bytes_left) {
            Ok((_, members)) => {
                for member in members {
                    let kind = FileKind::of(&member.name, loader.options.potentially_unwanted);
                    let name = format!("{name}/{}", member.name);
                    spend(&mut bytes_left, member.bytes.len(), &name)?;
                    let source = loader.definitions.add_source(&name);
                    files.push(File { name, kind, source, bytes: Cow::Owned(member.bytes) });
                }
            }
            Err(fault) => {
                let origin = Origin { source: index, line: 0 };
                loader.definitions.rejected.push(Rejected { origin, column: 1, why: Fault::Container(fault) });
            }
        }
    }
    Ok(files)
}

fn spend(bytes_left: &mut u64, bytes: usize, name: &str) -> Result<(), LoadError> {
    let fault = Fault::ManyBytes { bytes_max: limits::SOURCE_BYTES_MAX };
    let left = bytes_left.checked_sub(bytes as u64);
    *bytes_left = left.ok_or_else(|| LoadError::Bound { place: name.to_owned(), fault })?;
    Ok(())
}
