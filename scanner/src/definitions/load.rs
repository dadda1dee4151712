//! Sources become definitions, every line accounted for.

mod files;
mod lines;

use super::extended::{Extended, read_extended, read_plain};
use super::fault::{Fault, LineError, Why};
use super::field::Field;
use super::hash::{AnySize, HashSignature, Layout};
use super::ignore::{IgnoreList, read_ignore};
use super::limits;
use super::logical::{Subsignature, read_logical};
use super::outcome::{Allow, Definitions, Ignored, Reason, Rejected, Source, SourceSummary, Unsupported};
use super::pattern::{Pattern, Spelling};
use super::repair::Recipe;
use super::signature::{Key, Kind, Origin, Signature};
use files::{File, FileKind, Language};

/// How to load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The engine whose signatures are meant.
    pub functionality_level: u32,
    /// Whether `.ndu` and its like are wanted.
    pub potentially_unwanted: PotentiallyUnwanted,
    /// What to do about lines that give nothing.
    pub strictness: Strictness,
}

/// Whether signatures of potentially unwanted applications are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PotentiallyUnwanted {
    /// They are listed as unsupported.
    LeaveOut,
    /// They are signatures like others.
    Include,
}

/// What to do about lines that give nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// Report and skip them.
    Lenient,
    /// Refuse the definitions.
    Strict,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            functionality_level: limits::FUNCTIONALITY_LEVEL,
            potentially_unwanted: PotentiallyUnwanted::LeaveOut,
            strictness: Strictness::Lenient,
        }
    }
}

/// Why no definitions came of sources.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// A bound of all sources together was reached; half a set is worse than none.
    #[error("{place}: {fault}")]
    Bound {
        /// File and line.
        place: String,
        /// Which bound.
        fault: Fault,
    },
    /// Strict, and there are lines that give nothing.
    #[error("{}{}", complaints.join("\n"), more_lines(*more))]
    Strict {
        /// The first lines that give nothing, each with its place and reason.
        complaints: Vec<String>,
        /// How many more there are.
        more: usize,
    },
}

fn more_lines(more: usize) -> String {
    if more == 0 { String::new() } else { format!("\nand {more} more") }
}

/// Complaints a strict refusal names.
const COMPLAINTS_NAMED: usize = 10;

/// Loads definitions.
///
/// Ignores are read first, wherever they stand, as ClamAV does for a directory. Memory is that of the sources, of the
/// unpacked containers, and of the definitions.
///
/// # Errors
/// [`LoadError::Bound`] when the sources are too large together, [`LoadError::Strict`] when strict and anything was
/// rejected or is unsupported. What is left out by the language's own rules (functionality levels, potentially unwanted
/// applications) is no reason to refuse.
pub fn load(sources: &[Source<'_>], options: Options) -> Result<Definitions, LoadError> {
    let mut loader = Loader { options, ..Loader::default() };
    let files = files::expand(sources, &mut loader)?;
    let is_ignore = |file: &&File<'_>| matches!(file.kind, FileKind::Language(Language::Ignore));
    for file in files.iter().filter(is_ignore).chain(files.iter().filter(|file| !is_ignore(file))) {
        loader.read_file(file)?;
    }
    loader.finish()
}

/// What has been read so far.
#[derive(Default)]
struct Loader {
    options: Options,
    definitions: Definitions,
    ignores: IgnoreList,
    groups: Vec<Vec<Pattern>>,
    /// Signatures whose macros wait for their groups.
    with_macros: Vec<usize>,
    lines: u64,
}

impl Loader {
    fn read_file(&mut self, file: &File<'_>) -> Result<(), LoadError> {
        let language = match file.kind {
            FileKind::Language(language) => language,
            FileKind::Metadata => return Ok(()),
            FileKind::Unsupported(reason) => {
                let origin = Origin { source: file.source, line: 0 };
                self.definitions.unsupported.push(Unsupported { name: file.name.as_str().into(), reason, origin });
                return Ok(());
            }
        };
        let line_bytes_max = match language {
            Language::Logical => limits::LOGICAL_LINE_BYTES_MAX,
            _ => limits::LINE_BYTES_MAX,
        };
        let mut summary = (0, 0);
        for (number, line) in lines::lines(&file.bytes) {
            self.lines += 1;
            if self.lines > limits::LINES_MAX {
                let fault = Fault::ManyLines { lines_max: limits::LINES_MAX };
                return Err(LoadError::Bound { place: format!("{}:{number}", file.name), fault });
            }
            if line.first() == Some(&b'#') {
                continue;
            }
            summary.0 += 1;
            let origin = Origin { source: file.source, line: number };
            match lines::check(line, line_bytes_max).and_then(|()| self.read_line(language, line, origin)) {
                Ok(Read::Signature) => summary.1 += 1,
                Ok(Read::Other) => {}
                Err(error) => self.complain(language, line, origin, error),
            }
        }
        let entry = &mut self.definitions.sources[file.source as usize];
        (entry.lines, entry.signatures) = summary;
        Ok(())
    }

    fn read_line(&mut self, language: Language, line: &[u8], origin: Origin) -> Result<Read, LineError> {
        let field = Field::line(line);
        let level = self.options.functionality_level;
        let hash = |layout, any_size| HashSignature::read(field, layout, any_size, level);
        let (name, kind) = match language {
            Language::Ignore => {
                let (name, line_md5) = read_ignore(field)?;
                self.ignores.add(name.clone(), line_md5, self.definitions.ignored.len());
                self.definitions.ignored.push(Ignored { name, line_md5, removed: 0, origin });
                return Ok(Read::Other);
            }
            Language::Allow => {
                let (name, hash) = hash(Layout::DigestFirst, AnySize::NeedsLevel)?;
                let mut text = vec![KeyTag::Allow as u8];
                hash.write(&mut text, Layout::DigestFirst, &name);
                self.definitions.allow.push(Allow { name, hash, origin, key: Key::of(&text) });
                return Ok(Read::Other);
            }
            Language::Repair => {
                self.definitions.repairs.push(Recipe::read(field, origin)?);
                return Ok(Read::Other);
            }
            Language::Plain => {
                let (name, body) = read_plain(field)?;
                (name, Kind::Body(Box::new(body)))
            }
            Language::Extended => match read_extended(field, level)? {
                Extended::Body(name, body) => (name, Kind::Body(Box::new(body))),
                Extended::Member(name, group, pattern) => {
                    return if self.is_ignored(&name, line) {
                        Ok(Read::Other)
                    } else {
                        self.add_member(group, pattern)
                    };
                }
            },
            Language::Hash => {
                let (name, hash) = hash(Layout::DigestFirst, AnySize::NeedsLevel)?;
                (name, Kind::Hash(hash))
            }
            Language::SectionHash => {
                let (name, hash) = hash(Layout::SizeFirst, AnySize::NeedsLevel)?;
                (name, Kind::SectionHash(hash))
            }
            Language::ImportHash => {
                let (name, hash) = hash(Layout::DigestFirst, AnySize::Free)?;
                (name, Kind::ImportHash(hash))
            }
            Language::Logical => {
                let (name, logical) = read_logical(field, level)?;
                (name, Kind::Logical(Box::new(logical)))
            }
        };
        if self.is_ignored(&name, line) {
            return Ok(Read::Signature);
        }
        let mut signature = Signature { name, kind, origin, key: Key([0; 16]) };
        if signature.macros().next().is_some() {
            self.with_macros.push(self.definitions.signatures.len());
        } else {
            signature.key = signature.content_key();
        }
        self.definitions.signatures.push(signature);
        Ok(Read::Signature)
    }

    fn is_ignored(&mut self, name: &str, line: &[u8]) -> bool {
        let found = self.ignores.find(name, line);
        if let Some(index) = found {
            self.definitions.ignored[index].removed += 1;
        }
        found.is_some()
    }

    fn add_member(&mut self, group: u8, pattern: Pattern) -> Result<Read, LineError> {
        let group = usize::from(group);
        if self.groups.len() <= group {
            self.groups.resize_with(group + 1, Vec::new);
        }
        if self.groups[group].len() == limits::MACRO_MEMBERS_MAX {
            return Err(LineError::at(0, Fault::MacroMembers));
        }
        self.groups[group].push(pattern);
        Ok(Read::Signature)
    }

    /// Puts a line that gives nothing where it belongs.
    fn complain(&mut self, language: Language, line: &[u8], origin: Origin, error: LineError) {
        match error.why {
            Why::Malformed(_) if self.definitions.rejected.len() >= limits::REJECTED_MAX => {
                self.definitions.rejected_beyond += 1;
            }
            Why::Malformed(why) => self.definitions.rejected.push(Rejected { origin, column: error.column, why }),
            Why::Unsupported(reason) => {
                let name = language.name_of(line);
                self.definitions.unsupported.push(Unsupported { name, reason, origin });
            }
        }
    }

    /// Fills macros, whose groups are complete now, and refuses if strict.
    fn finish(mut self) -> Result<Definitions, LoadError> {
        self.fill_macros();
        self.definitions.signatures.shrink_to_fit();
        if self.options.strictness == Strictness::Strict {
            let mut complaints: Vec<(Origin, String)> = self.definitions.complaints().collect();
            complaints.sort_unstable_by_key(|(origin, _)| *origin);
            let more = complaints.len().saturating_sub(COMPLAINTS_NAMED) + self.definitions.rejected_beyond as usize;
            let complaints: Vec<String> = complaints.into_iter().take(COMPLAINTS_NAMED).map(|(_, text)| text).collect();
            if !complaints.is_empty() {
                return Err(LoadError::Strict { complaints, more });
            }
        }
        Ok(self.definitions)
    }

    fn fill_macros(&mut self) {
        let mut copied = 0u64;
        let mut unusable = Vec::new();
        for index in &self.with_macros {
            let signature = &mut self.definitions.signatures[*index];
            let mut reason = None;
            for (group, members) in signature.macros() {
                let patterns = self.groups.get(usize::from(group)).map_or(&[][..], Vec::as_slice);
                copied += patterns.iter().map(Pattern::heap_bytes).sum::<u64>();
                if patterns.is_empty() {
                    reason = Some(Reason::CannotMatch);
                } else if copied > limits::MACRO_COPY_BYTES_MAX {
                    reason = Some(Reason::MacroMemory);
                } else {
                    *members = patterns.into();
                }
            }
            match reason {
                None => signature.key = signature.content_key(),
                Some(reason) => unusable.push((*index, reason)),
            }
        }
        for (index, reason) in &unusable {
            let signature = &self.definitions.signatures[*index];
            let (name, origin) = (signature.name.clone(), signature.origin);
            self.definitions.unsupported.push(Unsupported { name, reason: *reason, origin });
        }
        let mut indices = 0..;
        let mut unusable = unusable.into_iter().map(|(index, _)| index).peekable();
        self.definitions
            .signatures
            .retain(|_| indices.next().is_none_or(|index| unusable.next_if_eq(&index).is_none()));
    }
}

/// What a line gave.
enum Read {
    Signature,
    Other,
}

/// What a key's text is of: the same line means another thing in another language.
#[derive(Clone, Copy)]
enum KeyTag {
    Body = 1,
    Hash = 2,
    SectionHash = 3,
    ImportHash = 4,
    Logical = 5,
    Allow = 6,
}

impl Key {
    fn of(text: &[u8]) -> Key {
        let mut key = [0; 16];
        key.copy_from_slice(&blake3::hash(text).as_bytes()[..16]);
        Key(key)
    }
}

impl Signature {
    /// The canonical line, which loads as an equal signature from a file of its kind. A macro needs its group beside it.
    #[must_use]
    pub fn line(&self) -> String {
        let mut text = Vec::new();
        self.write(&mut text, Spelling::Text);
        String::from_utf8_lossy(&text).into_owned()
    }

    /// The ending of files that hold lines of its kind.
    #[must_use]
    pub fn extension(&self) -> &'static str {
        match self.kind {
            Kind::Body(_) => "ndb",
            Kind::Hash(_) => "hsb",
            Kind::SectionHash(_) => "msb",
            Kind::ImportHash(_) => "imp",
            Kind::Logical(_) => "ldb",
        }
    }

    fn content_key(&self) -> Key {
        let tag = match self.kind {
            Kind::Body(_) => KeyTag::Body,
            Kind::Hash(_) => KeyTag::Hash,
            Kind::SectionHash(_) => KeyTag::SectionHash,
            Kind::ImportHash(_) => KeyTag::ImportHash,
            Kind::Logical(_) => KeyTag::Logical,
        };
        let mut text = vec![tag as u8];
        self.write(&mut text, Spelling::Key);
        Key::of(&text)
    }

    fn write(&self, out: &mut Vec<u8>, spelling: Spelling) {
        match &self.kind {
            Kind::Body(body) => body.write(out, &self.name, spelling),
            Kind::Hash(hash) | Kind::ImportHash(hash) => hash.write(out, Layout::DigestFirst, &self.name),
            Kind::SectionHash(hash) => hash.write(out, Layout::SizeFirst, &self.name),
            Kind::Logical(logical) => logical.write(out, &self.name, spelling),
        }
    }

    fn macros(&mut self) -> impl Iterator<Item = (u8, &mut Box<[Pattern]>)> {
        let subsignatures = match &mut self.kind {
            Kind::Logical(logical) => &mut *logical.subsignatures,
            Kind::Body(_) | Kind::Hash(_) | Kind::SectionHash(_) | Kind::ImportHash(_) => &mut [],
        };
        subsignatures.iter_mut().filter_map(|subsignature| match subsignature {
            Subsignature::Macro { group, members, .. } => Some((*group, members)),
            Subsignature::Body { .. } | Subsignature::ByteCompare(_) => None,
        })
    }
}

impl Definitions {
    /// Whatever gave nothing and should have, as `file:line:column: reason`, in no order.
    pub fn complaints(&self) -> impl Iterator<Item = (Origin, String)> {
        let place = |origin: Origin| {
            let file = &*self.sources[origin.source as usize].name;
            if origin.line == 0 { file.to_owned() } else { format!("{file}:{}", origin.line) }
        };
        let rejected = self.rejected.iter().map(move |rejected| {
            (rejected.origin, format!("{}:{}: {}", place(rejected.origin), rejected.column, rejected.why))
        });
        let unsupported = self.unsupported.iter().filter(|unsupported| !unsupported.reason.is_by_design());
        rejected.chain(unsupported.map(move |unsupported| {
            let Unsupported { name, reason, origin } = unsupported;
            (*origin, format!("{}: {name}: {reason}", place(*origin)))
        }))
    }

    /// Registers a source and gives its index.
    fn add_source(&mut self, name: &str) -> u32 {
        self.sources.push(SourceSummary { name: name.into(), lines: 0, signatures: 0 });
        u32::try_from(self.sources.len() - 1).unwrap_or(u32::MAX)
    }
}
