//! Which buffers of a walk are kept.
//!
//! 1. A member is judged once, when its own bytes come by: by its nature, and by what it lies in. That judgement says what
//!    becomes of the forms made of it and of what it holds.
//! 2. Inside of a kept program nothing is looked at: what it carries is resources or overlay.
//! 3. With a known place nothing off the way to it is kept. The way ends at the first Office document: what is infected in
//!    one is its macros and executables, wherever the signature matched.

mod keeper;
mod reason;

use super::nature::{Nature, is_macro_sheet, is_mail_body, is_script, nature};
use super::stripped::PARTS_BYTES_MAX;
use super::window::{self, NoWindow};
use super::{Found, Kept, Match, NotStripped, Part, boot, program};
use crate::file::{Flow, Form, Kind, Limits, Member, Outcome, Target};
use keeper::Keeper;

/// What a member means to what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inside {
    /// The infected member is further in; nothing is kept yet.
    Toward,
    /// Members are files of their own: programs, scripts, and what documents give.
    Archive,
    /// As an archive, but some members are bodies.
    Mail,
    /// Macros and programs only.
    Document,
    /// Nothing.
    Closed,
}

/// A member that is open.
#[derive(Clone, Copy, Debug)]
struct Open {
    nature: Nature,
    inside: Inside,
    /// Scripts that stand in it are kept.
    keeps_scripts: bool,
}

/// The file that a reason speaks of.
#[derive(Clone, Copy, Debug)]
struct Subject {
    nature: Nature,
    kind: Kind,
    /// It is a program that could not be stripped.
    is_unreadable: bool,
}

/// The state of one stripping.
pub(super) struct Sieve {
    found: Option<Found>,
    /// How many members the path of `found` has named.
    reached: u32,
    /// A form of the infected member whose window is still to be cut.
    awaited: Option<Match>,
    /// Judged members from the sample inwards to the one at hand.
    open: Vec<Open>,
    subject: Option<Subject>,
    /// A document said that its content is locked.
    is_locked: bool,
    keeper: Keeper,
    refused: Option<NotStripped>,
}

impl Sieve {
    pub(super) fn new(found: Option<Found>, limits: &Limits) -> Self {
        Self {
            found,
            reached: 0,
            awaited: None,
            open: Vec::new(),
            subject: None,
            is_locked: false,
            keeper: Keeper::new(limits.file_bytes_max.min(PARTS_BYTES_MAX)),
            refused: None,
        }
    }

    /// The next buffer of the walk.
    pub(super) fn see(&mut self, member: &Member<'_>) -> Flow {
        match member.form {
            Form::Raw => self.judge(member),
            Form::Macro => self.take_macro(member),
            Form::HtmlScript => self.take_script(member),
            Form::Text | Form::HtmlTags | Form::HtmlText => {}
        }
        if member.form != Form::Raw {
            self.take_awaited(member);
        }
        if self.refused.is_some() { Flow::Stop } else { Flow::On }
    }

    /// What was kept, or why nothing.
    pub(super) fn finish(self, outcome: &Outcome) -> Result<Vec<Part>, NotStripped> {
        let reason = match &self.refused {
            Some(refused) => Some(refused.clone()),
            None if self.keeper.is_empty() => Some(reason::reason(&self, outcome)),
            None => None,
        };
        reason.map_or_else(|| Ok(self.keeper.into_parts()), Err)
    }

    fn judge(&mut self, member: &Member<'_>) {
        let depth = member.depth as usize;
        self.open.truncate(depth);
        let nature = nature(member.kind, member.bytes);
        let around = match (self.open.last(), &self.found) {
            (Some(open), _) => open.inside,
            (None, Some(_)) => Inside::Toward,
            (None, None) => Inside::Archive,
        };
        if depth == 0 {
            self.subject = Some(Subject { nature, kind: member.kind, is_unreadable: false });
        }
        let open = match around {
            Inside::Closed => Open { nature, inside: Inside::Closed, keeps_scripts: false },
            Inside::Toward => self.approach(member, nature),
            Inside::Archive | Inside::Mail | Inside::Document => self.sort(member, nature, around),
        };
        self.open.push(open);
    }

    /// A member on the way to the infected one, off it, or the infected one itself.
    fn approach(&mut self, member: &Member<'_>, nature: Nature) -> Open {
        let closed = Open { nature, inside: Inside::Closed, keeps_scripts: false };
        let Some(found) = &self.found else { return closed };
        let depth = member.depth as usize;
        if found.path.get(..depth) != Some(member.path) {
            return closed;
        }
        if depth < found.path.len() && nature != Nature::Office {
            return Open { inside: Inside::Toward, ..closed };
        }
        let place = found.place.clone();
        self.reached += 1;
        self.subject = Some(Subject { nature, kind: member.kind, is_unreadable: false });
        if self.reached > 1 {
            return self.refuse(NotStripped::Ambiguous, closed);
        }
        let has_own_rule = matches!(nature, Nature::Program | Nature::Office | Nature::Archive | Nature::Mail);
        if !has_own_rule && self.is_body(member) {
            return self.refuse(NotStripped::MailBody, closed);
        }
        match place {
            Some(place) if !has_own_rule && !boot::is_sector(member.kind, member.bytes) => {
                self.aim(member, place, closed)
            }
            _ => self.sort(member, nature, Inside::Archive),
        }
    }

    /// The infected member is one of which only a window is kept.
    fn aim(&mut self, member: &Member<'_>, place: Match, closed: Open) -> Open {
        match place.form {
            Form::Raw => self.keep_window(member, &place),
            // All of them: they are known by the page, not one by one.
            Form::HtmlScript => return Open { keeps_scripts: true, ..closed },
            Form::Text | Form::HtmlTags | Form::HtmlText | Form::Macro => self.awaited = Some(place),
        }
        closed
    }

    /// A member by its nature. Whatever a document holds is held to the document's rule.
    fn sort(&mut self, member: &Member<'_>, nature: Nature, around: Inside) -> Open {
        let in_document = around == Inside::Document;
        let deeper = if in_document { Inside::Document } else { Inside::Archive };
        let open = |inside| Open { nature, inside, keeps_scripts: false };
        match nature {
            Nature::Program => match program::strip(member.kind, member.bytes, member.executable) {
                Some(bytes) => {
                    self.keep(member, Kept::Program, bytes);
                    open(Inside::Closed)
                }
                None => {
                    self.note_unreadable(member);
                    open(deeper)
                }
            },
            Nature::Office | Nature::Document => open(Inside::Document),
            Nature::Archive => open(deeper),
            Nature::Mail => open(if in_document { Inside::Document } else { Inside::Mail }),
            Nature::Page | Nature::Text | Nature::Plain => self.sort_file(member, open(deeper)),
        }
    }

    /// A file that holds nothing by its kind: scripts and boot sectors are code, anything else is data.
    fn sort_file(&mut self, member: &Member<'_>, open: Open) -> Open {
        let in_document = open.inside == Inside::Document;
        let is_body = self.is_body(member);
        let name = member.path.last().map_or("", String::as_str);
        // A script on its own is somebody's file until a signature says otherwise; one that came in something was sent to
        // be run.
        let is_sent = member.depth > 0 && !is_body && open.nature != Nature::Plain;
        if in_document && is_macro_sheet(name) {
            self.keep(member, Kept::Macros, member.bytes.to_vec());
        } else if is_sent && is_script(member.kind, name, member.bytes) {
            self.keep(member, Kept::Script, member.bytes.to_vec());
            return Open { inside: Inside::Closed, ..open };
        } else if !in_document && boot::is_sector(member.kind, member.bytes) {
            self.keep(member, Kept::BootSector, boot::strip(member.bytes));
        }
        // Office has it so: a locked document is a compound document with this stream.
        self.is_locked |= in_document && name == "EncryptedPackage";
        Open { keeps_scripts: !in_document && !is_body, ..open }
    }

    /// Whether a member is the body of the mail that it lies in.
    fn is_body(&self, member: &Member<'_>) -> bool {
        let in_mail = self.open.last().is_some_and(|around| around.nature == Nature::Mail);
        in_mail && member.path.last().is_some_and(|name| is_mail_body(name))
    }

    /// A module's source is a form of the document, one name below it.
    fn take_macro(&mut self, member: &Member<'_>) {
        let document = (member.depth as usize).checked_sub(1).and_then(|depth| self.open.get(depth));
        if document.is_some_and(|open| open.inside == Inside::Document) {
            self.keep(member, Kept::Macros, member.bytes.to_vec());
        }
    }

    /// A script of a page comes as it stands, then as normalised text, which says nothing more.
    fn take_script(&mut self, member: &Member<'_>) {
        let page = self.open.get(member.depth as usize);
        let as_it_stands = member.targets.own == Some(Target::Html);
        if as_it_stands && page.is_some_and(|open| open.keeps_scripts) {
            self.keep(member, Kept::PageScript, member.bytes.to_vec());
        }
    }

    fn take_awaited(&mut self, member: &Member<'_>) {
        let Some(place) = self.awaited.take_if(|place| place.form == member.form) else { return };
        if self.found.as_ref().is_some_and(|found| found.path == member.path) {
            self.keep_window(member, &place);
        } else {
            self.awaited = Some(place);
        }
    }

    fn keep_window(&mut self, member: &Member<'_>, place: &Match) {
        match window::around(member.bytes, &place.range) {
            Ok(bytes) => self.keep(member, Kept::Window, bytes.to_vec()),
            Err(NoWindow::Outside) => self.refused = Some(NotStripped::NotThere),
            Err(NoWindow::Long) => self.refused = Some(NotStripped::NamesWhole),
        }
    }

    fn keep(&mut self, member: &Member<'_>, what: Kept, bytes: Vec<u8>) {
        if let Err(too_much) = self.keeper.keep(member.path, what, bytes) {
            self.refused = Some(too_much);
        }
    }

    fn note_unreadable(&mut self, member: &Member<'_>) {
        let is_subject = self.found.as_ref().map_or(member.path.is_empty(), |found| found.path == member.path);
        if let Some(subject) = self.subject.as_mut().filter(|_| is_subject) {
            subject.is_unreadable = true;
        }
    }

    fn refuse(&mut self, reason: NotStripped, closed: Open) -> Open {
        self.refused = Some(reason);
        closed
    }
}
