//! Tells the demo: a heading for each step, what is done, and whether what was claimed holds.
//! With `--json` each check is an object on a line, for programs that run the demo as a test.

use crate::cli::Failure;
use crate::cli::screen::{Screen, Tone};
use serde_json::json;
use std::time::Instant;

/// Before every line but headings.
pub const INDENT: &str = "    ";

/// The teller.
#[derive(Debug)]
pub struct Narrator {
    screen: Screen,
    step: usize,
    title: &'static str,
    started: Instant,
    checks: usize,
}

impl Narrator {
    /// A teller who has said nothing.
    #[must_use]
    pub fn new(screen: Screen) -> Self {
        Self { screen, step: 0, title: "", started: Instant::now(), checks: 0 }
    }

    /// Begins the next step.
    ///
    /// # Errors
    /// Stdout is closed.
    pub fn step(&mut self, title: &'static str) -> Result<(), Failure> {
        self.step += 1;
        self.title = title;
        let number = format!("{:>2}", self.step);
        self.show("")?;
        self.show(&format!("{}  {}", Tone::Busy.paint(&number), Tone::Strong.paint(title)))
    }

    /// Says what is done or seen.
    ///
    /// # Errors
    /// As [`Narrator::step`].
    pub fn tell(&self, text: &str) -> Result<(), Failure> {
        self.show(&format!("{INDENT}{text}"))
    }

    /// Shows a command as a person would type it.
    ///
    /// # Errors
    /// As [`Narrator::step`].
    pub fn command(&self, text: &str) -> Result<(), Failure> {
        self.show(&format!("{INDENT}{}", Tone::Faint.paint(&format!("$ {text}"))))
    }

    /// Says whether a claim holds, with the figures that show it.
    ///
    /// # Errors
    /// It does not hold, which ends the demo.
    pub fn check(&mut self, holds: bool, claim: &str) -> Result<(), Failure> {
        self.checks += 1;
        if self.screen.json {
            self.screen.value(&json!({"step": self.step, "title": self.title, "check": claim, "ok": holds}))?;
        }
        let (mark, tone) = if holds { ("\u{2714}", Tone::Good) } else { ("\u{2718}", Tone::Bad) };
        self.show(&format!("{INDENT}{} {claim}", tone.paint(mark)))?;
        if holds {
            Ok(())
        } else {
            Err(Failure::No(format!("step {} ({}): this does not hold: {claim}", self.step, self.title)))
        }
    }

    /// The last line.
    ///
    /// # Errors
    /// As [`Narrator::step`].
    pub fn end(&self) -> Result<(), Failure> {
        let seconds = self.started.elapsed().as_secs_f64();
        if self.screen.json {
            return self
                .screen
                .value(&json!({"steps": self.step, "checks": self.checks, "seconds": seconds, "ok": true}));
        }
        self.show("")?;
        let text = format!("{} steps, {} checks, all held, in {seconds:.1} s", self.step, self.checks);
        self.show(&Tone::Good.paint(&text))
    }

    fn show(&self, text: &str) -> Result<(), Failure> {
        if self.screen.json { Ok(()) } else { self.screen.line(text) }
    }
}
