//! Opens a sample and hands out every buffer that signatures look at, each once, outermost first.
//!
//! 1. A buffer is handed out before anything in it is unpacked, so no failure hides what holds it.
//! 2. Room is asked for before bytes are produced: nothing is unpacked that would pass a limit.
//! 3. A container that breaks gives up what it had given until then, and a trouble says where.
//!
//! Which forms a file has was found by experiment: HTML whose first tag stands in the first 1024 bytes is matched
//! in its normalised forms only, text is matched raw by target 0 and normalised by 0 and 7, and so on; each rule
//! stands where it is applied.

use super::Executable;
use super::container;
use super::kind::{self, Kind, Target};
use super::limits::Limits;
use super::member::{Digests, Flow, Form, Member, Targets};
use super::normalise;
use super::outcome::{Limit, Outcome, Trouble, TroubleKind};

/// Bytes in which a tag makes a file HTML, and in which an executable inside is looked for.
const HEAD_BYTES: usize = 1024;
/// Bytes produced between two looks at the clock.
const CHUNK_BYTES: usize = 64 << 10;

/// Walks through a sample.
///
/// `time_is_up` is asked between members and between chunks of output; `see` gets every buffer and may end the
/// walk. Nothing panics on hostile bytes; memory is bounded by `limits.file_bytes_max` per level of depth plus the
/// decoders' windows.
pub fn walk(
    bytes: &[u8],
    limits: &Limits,
    time_is_up: &dyn Fn() -> bool,
    see: &mut dyn FnMut(Member<'_>) -> Flow,
) -> Outcome {
    let mut walk =
        Walk { limits, time_is_up, see, path: Vec::new(), open: Vec::new(), outcome: Outcome::default(), ended: false };
    walk.visit(bytes);
    walk.outcome
}

/// The state of one walk, and what containers hand their members to.
pub(crate) struct Walk<'a> {
    limits: &'a Limits,
    time_is_up: &'a dyn Fn() -> bool,
    see: &'a mut dyn FnMut(Member<'_>) -> Flow,
    path: Vec<String>,
    /// Kinds of the files that are open, outermost first.
    open: Vec<Kind>,
    outcome: Outcome,
    ended: bool,
}

impl<'a> Walk<'a> {
    pub(crate) fn limits(&self) -> &'a Limits {
        self.limits
    }

    /// A member of the container at hand. Hands it out, and opens it in turn.
    pub(crate) fn open(&mut self, name: &str, bytes: &[u8]) -> Flow {
        if self.go_on() == Flow::Stop {
            return Flow::Stop;
        }
        if self.outcome.files >= self.limits.files_max {
            self.ended = true;
            return self.limit(Limit::Files);
        }
        self.outcome.files += 1;
        self.outcome.bytes += bytes.len() as u64;
        let at = self.path.len();
        self.path.push(cut(name, self.limits.name_bytes_max));
        if at < self.limits.depth_max as usize {
            self.visit(bytes);
        } else {
            self.limit(Limit::Depth);
        }
        self.path.truncate(at);
        self.flow()
    }

    /// Bytes that the next member may have.
    pub(crate) fn room(&self) -> usize {
        let left = self.limits.scan_bytes_max.saturating_sub(self.outcome.bytes);
        usize::try_from(left.min(self.limits.file_bytes_max)).unwrap_or(usize::MAX)
    }

    /// Reads a member to its end, or to where room or time ends. Whatever came before a failure is kept.
    pub(crate) fn drain(&mut self, mut source: impl std::io::Read) -> Vec<u8> {
        let room = self.room();
        let mut out = Vec::new();
        let mut chunk = vec![0; CHUNK_BYTES.min(room + 1)];
        loop {
            if self.go_on() == Flow::Stop {
                return out;
            }
            match source.read(&mut chunk) {
                Ok(0) => return out,
                Ok(bytes) if out.len() + bytes > room => {
                    out.extend_from_slice(&chunk[..room - out.len()]);
                    self.no_room();
                    return out;
                }
                Ok(bytes) => out.extend_from_slice(&chunk[..bytes]),
                Err(cause) if cause.kind() == std::io::ErrorKind::Interrupted => {}
                Err(cause) => {
                    self.broken(&cause.to_string());
                    return out;
                }
            }
        }
    }

    /// Says that a member was cut off.
    pub(crate) fn no_room(&mut self) -> Flow {
        let left = self.limits.scan_bytes_max.saturating_sub(self.outcome.bytes);
        self.limit(if left < self.limits.file_bytes_max { Limit::ScanBytes } else { Limit::FileBytes })
    }

    /// Whether to go on; asks for the time.
    pub(crate) fn go_on(&mut self) -> Flow {
        if !self.ended && (self.time_is_up)() {
            self.ended = true;
            self.limit(Limit::Time);
        }
        if !self.ended && self.outcome.bytes >= self.limits.scan_bytes_max && self.limits.scan_bytes_max > 0 {
            self.ended = true;
            self.limit(Limit::ScanBytes);
        }
        self.flow()
    }

    pub(crate) fn limit(&mut self, limit: Limit) -> Flow {
        self.trouble(TroubleKind::Limit(limit));
        self.flow()
    }

    /// The container at hand is not what it says.
    pub(crate) fn broken(&mut self, what: &str) {
        self.trouble(TroubleKind::Broken(cut(what, 200)));
    }

    /// Something in the container at hand is in a form that is not read.
    pub(crate) fn unsupported(&mut self, what: &str) {
        self.trouble(TroubleKind::Unsupported(cut(what, 200)));
    }

    /// A member of the container at hand is locked.
    pub(crate) fn encrypted(&mut self) {
        self.trouble(TroubleKind::Encrypted);
    }

    /// A form of the file at hand that is matched and not opened: macro source.
    pub(crate) fn show_macro(&mut self, name: &str, bytes: &[u8]) -> Flow {
        self.path.push(cut(name, self.limits.name_bytes_max));
        let targets = Targets { any: true, own: Some(Target::Ole2) };
        self.form(Kind::Ole2, Form::Macro, targets, Digests::Ignored, bytes);
        if self.go_on() == Flow::On && bytes.len() as u64 <= self.limits.text_bytes_max {
            self.normalised_text(Kind::Text, Form::Text, bytes);
        }
        self.path.pop();
        self.flow()
    }

    fn flow(&self) -> Flow {
        if self.ended { Flow::Stop } else { Flow::On }
    }

    fn trouble(&mut self, kind: TroubleKind) {
        self.outcome.trouble_count += 1;
        if self.outcome.troubles.len() < self.limits.troubles_max {
            self.outcome.troubles.push(Trouble { path: self.path.clone(), kind });
        }
    }

    fn visit(&mut self, bytes: &[u8]) {
        let (kind, html) = kind_and_html(bytes);
        let executable = Executable::read(kind, bytes);
        // The bytes of HTML are not matched as they are; those of data that turns out to be HTML later are.
        let targets = Targets { any: kind != Kind::Html, own: kind.target().filter(|target| *target != Target::Html) };
        self.emit(Member {
            path: &[],
            depth: 0,
            containers: &[],
            kind,
            form: Form::Raw,
            targets,
            digests: Digests::Counted,
            executable: executable.as_ref(),
            file_bytes: bytes.len() as u64,
            bytes,
        });
        if self.go_on() == Flow::Stop {
            return;
        }
        self.open.push(kind);
        self.open_up(kind, html, executable.as_ref(), bytes);
        self.open.pop();
    }

    /// The other forms of a file, and what it holds.
    fn open_up(&mut self, kind: Kind, html: bool, executable: Option<&Executable>, bytes: &[u8]) {
        if html {
            self.html(kind, bytes);
        } else if matches!(kind, Kind::Text | Kind::Utf16Le | Kind::Utf16Be) {
            self.text(kind, bytes);
        }
        if self.go_on() == Flow::On {
            container::unpack(kind, bytes, executable, self);
        }
        if self.go_on() == Flow::On && matches!(kind, Kind::Pe | Kind::Data | Kind::Text | Kind::Utf16Be) {
            self.embedded_executable(bytes);
        }
    }

    fn text(&mut self, kind: Kind, bytes: &[u8]) {
        if bytes.len() as u64 <= self.limits.text_bytes_max {
            self.normalised_text(kind, Form::Text, bytes);
        }
    }

    fn html(&mut self, kind: Kind, bytes: &[u8]) {
        if bytes.len() as u64 > self.limits.html_bytes_max {
            return;
        }
        let marked = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
        let decoded = marked.then(|| latin_of_utf16(bytes));
        let html = normalise::html(decoded.as_deref().unwrap_or(bytes));
        let targets = Targets { any: true, own: Some(Target::Html) };
        self.form(kind, Form::HtmlTags, targets, Digests::Counted, &html.tags);
        if bytes.len() as u64 <= self.limits.html_text_bytes_max && self.go_on() == Flow::On {
            self.form(kind, Form::HtmlText, targets, Digests::Counted, &html.text);
        }
        for script in &html.scripts {
            if self.go_on() == Flow::Stop {
                return;
            }
            self.form(kind, Form::HtmlScript, targets, Digests::Ignored, script);
            self.normalised_text(kind, Form::HtmlScript, script);
        }
        for data in &html.data {
            if self.open("data:", data) == Flow::Stop {
                return;
            }
        }
    }

    /// Bytes that hold `MZ` and the PE signature near their beginning are opened from there.
    fn embedded_executable(&mut self, bytes: &[u8]) {
        if bytes.len() as u64 > self.limits.embedded_bytes_max {
            return;
        }
        let head = &bytes[..bytes.len().min(HEAD_BYTES)];
        let found = memchr::memmem::find_iter(head, b"MZ").find(|at| *at > 0 && is_executable_at(&bytes[*at..]));
        if let Some(at) = found {
            let inner = &bytes[at..];
            let inner = &inner[..inner.len().min(self.room())];
            self.open("embedded executable", inner);
        }
    }

    fn normalised_text(&mut self, kind: Kind, form: Form, of: &[u8]) {
        self.made(kind, form, TEXT, Digests::Ignored, of.len(), &normalise::text(of));
    }

    fn form(&mut self, kind: Kind, form: Form, targets: Targets, digests: Digests, bytes: &[u8]) {
        self.made(kind, form, targets, digests, bytes.len(), bytes);
    }

    /// Hands out bytes that were made from a file of `file_bytes`.
    fn made(&mut self, kind: Kind, form: Form, targets: Targets, digests: Digests, file_bytes: usize, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.outcome.bytes += bytes.len() as u64;
        self.emit(Member {
            path: &[],
            depth: 0,
            containers: &[],
            kind,
            form,
            targets,
            digests,
            executable: None,
            file_bytes: file_bytes as u64,
            bytes,
        });
    }

    fn emit(&mut self, member: Member<'_>) {
        if self.ended && !self.path.is_empty() {
            return;
        }
        let containers = &self.open[..self.open.len().min(self.path.len())];
        let member = Member { path: &self.path, depth: self.path.len() as u32, containers, ..member };
        if (self.see)(member) == Flow::Stop {
            self.ended = true;
            self.outcome.stopped = true;
        }
    }
}

/// Normalised text is matched by every-file signatures too.
const TEXT: Targets = Targets { any: true, own: Some(Target::Text) };

/// The kind, and whether HTML forms are made. A tag in the first bytes makes text and data HTML; a later one, or
/// one in a picture, adds the forms and leaves the kind.
fn kind_and_html(bytes: &[u8]) -> (Kind, bool) {
    let kind = kind::detect(bytes);
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    match kind {
        Kind::Text | Kind::Data if kind::names_html(head) => (Kind::Html, true),
        Kind::Utf16Be | Kind::Utf16Le if kind::names_html(head) || kind::names_html(&latin_of_utf16(head)) => {
            (Kind::Html, true)
        }
        Kind::Text | Kind::Picture => (kind, kind::names_html(bytes)),
        _ => (kind, false),
    }
}

/// UTF-16 with what lies outside of Latin-1 dropped.
fn latin_of_utf16(bytes: &[u8]) -> Vec<u8> {
    let little = bytes.starts_with(&[0xff, 0xfe]);
    let unit = |pair: &[u8]| {
        if little { u16::from_le_bytes([pair[0], pair[1]]) } else { u16::from_be_bytes([pair[0], pair[1]]) }
    };
    bytes.chunks_exact(2).filter_map(|pair| u8::try_from(unit(pair)).ok()).collect()
}

fn is_executable_at(bytes: &[u8]) -> bool {
    // `MZ`, 60 to 300 bytes, `PE\0\0`, as the field's file type signature has it.
    bytes.get(62..).is_some_and(|rest| memchr::memmem::find(&rest[..rest.len().min(244)], b"PE\0\0").is_some())
}

/// At most `bytes_max` bytes of a text, at a character's border.
fn cut(text: &str, bytes_max: usize) -> String {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}
