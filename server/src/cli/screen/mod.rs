//! What a person sees: data on stdout, messages on stderr, colour only where a terminal shows it.
//! 1. Whatever came from a stranger (names, reasons, clients, errors of a server) goes through [`escaped`].
//! 2. With `--json` stdout holds JSON and nothing else.
//! 3. A closed pipe on stdout ends the command quietly: `lazaret items list | head` is no failure.

mod bar;
mod escape;
mod table;

pub use bar::{bar, progress, spinner, steps};
pub use escape::{escaped, path_text};
pub use table::{Align, Column, Table};

use super::Failure;
use console::Style;
use model::Status;
use std::io::Write;

/// The colours that mean something, in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As it is.
    Plain,
    /// Done, healthy, finished.
    Good,
    /// Worth a look.
    Warn,
    /// Wrong, refused, lost.
    Bad,
    /// On its way.
    Busy,
    /// Less important than its neighbours.
    Faint,
    /// A heading.
    Strong,
}

impl Tone {
    /// The tone of a status, by what a person should feel about it; an unknown one is plain.
    #[must_use]
    pub fn of_status(name: &str) -> Self {
        let Ok(status) = name.parse::<Status>() else { return Self::Plain };
        match status {
            Status::Quarantined => Self::Plain,
            Status::Installed | Status::Unneeded => Self::Good,
            Status::Held | Status::Available | Status::Attention => Self::Warn,
            Status::Error | Status::NotInstalled => Self::Bad,
            Status::Submitted
            | Status::Released
            | Status::Needed
            | Status::Distribute
            | Status::Distributed
            | Status::Restart => Self::Busy,
        }
    }

    fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Good => Style::new().green(),
            Self::Warn => Style::new().yellow(),
            Self::Bad => Style::new().red().bold(),
            Self::Busy => Style::new().cyan(),
            Self::Faint => Style::new().dim(),
            Self::Strong => Style::new().bold(),
        }
    }

    /// `text` in this tone, for stdout.
    #[must_use]
    pub fn paint(self, text: &str) -> String {
        self.style().apply_to(text).to_string()
    }

    /// `text` in this tone, for stderr.
    #[must_use]
    pub fn paint_message(self, text: &str) -> String {
        self.style().for_stderr().apply_to(text).to_string()
    }
}

/// Where a command writes, and in which form.
#[derive(Debug, Clone, Copy)]
pub struct Screen {
    /// JSON for programs instead of tables for people.
    pub json: bool,
}

impl Screen {
    /// Decides colour once: `--no-color`, `NO_COLOR` (no-color.org: set and not empty), `TERM=dumb` and
    /// anything but a terminal turn it off.
    #[must_use]
    pub fn new(json: bool, no_color: bool) -> Self {
        let refused = no_color
            || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        console::set_colors_enabled(!refused && console::Term::stdout().is_term());
        console::set_colors_enabled_stderr(!refused && console::Term::stderr().is_term());
        Self { json }
    }

    /// A line of data on stdout.
    ///
    /// # Errors
    /// Stdout is closed or broken.
    pub fn line(self, text: &str) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).map_err(|error| Failure::output(&error))
    }

    /// A JSON value on a line of stdout.
    ///
    /// # Errors
    /// As [`Screen::line`].
    pub fn value(self, value: &serde_json::Value) -> Result<(), Failure> {
        self.line(&value.to_string())
    }

    /// A table on stdout; nothing but its header when it is empty.
    ///
    /// # Errors
    /// As [`Screen::line`].
    pub fn table(self, table: &Table) -> Result<(), Failure> {
        for line in table.lines(self.width()) {
            self.line(&line)?;
        }
        Ok(())
    }

    /// Columns of the terminal, when stdout is one.
    #[must_use]
    pub fn width(self) -> Option<usize> {
        let term = console::Term::stdout();
        term.is_term().then(|| usize::from(term.size().1))
    }

    /// A message on stderr. A closed stderr is nobody's loss.
    pub fn say(self, tone: Tone, text: &str) {
        let _ = writeln!(std::io::stderr().lock(), "{}", tone.paint_message(text));
    }
}

/// Whether a person is there to answer a question.
#[must_use]
pub fn person_present() -> bool {
    use std::io::IsTerminal;
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks on stderr; only `y` or `yes` is yes.
#[must_use]
pub fn confirmed(question: &str) -> bool {
    let _ = write!(std::io::stderr().lock(), "{} [y/N] ", Tone::Warn.paint_message(question));
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).is_ok() && matches!(answer.trim(), "y" | "Y" | "yes" | "Yes")
}
