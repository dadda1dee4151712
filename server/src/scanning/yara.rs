//! YARA rules beside a ruleset: tried in workers of their own on every raw buffer.

use super::sample::twice;
use cage::{Fault, Settings};
use scanner::file::{Form, Member};
use std::path::Path;
use yara::limits::SCAN_TIME;
use yara::{Pool, Report, Source, StartError};

/// What names of YARA rules begin with. Signatures may be called so too.
pub const YARA_PREFIX: &str = "YARA.";

/// Rules, and the number of the first one.
pub struct YaraRules {
    pool: Pool,
    first: u32,
}

/// Whether a file of definitions holds YARA rules.
pub fn is_yara(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "yar" || extension == "yara")
}

impl YaraRules {
    /// Compiles `files`, in a worker, which is made by starting `program`; the ruleset that they are tried beside has `first`
    /// signatures.
    ///
    /// # Errors
    /// They are too large, or no worker gets ready with them.
    pub fn start(program: &Path, files: &[(&str, &[u8])], first: usize) -> Result<Self, StartError> {
        let sources: Vec<Source<'_>> = files.iter().map(|(name, text)| Source { name, text }).collect();
        let settings = Settings::new(program.to_owned(), vec![crate::cli::YARA_WORKER.to_owned()]);
        Ok(Self { pool: Pool::start(settings, &sources)?, first: u32::try_from(first).unwrap_or(u32::MAX) })
    }

    /// What came of the files.
    pub fn report(&self) -> &Report {
        self.pool.report()
    }

    /// The name of a rule by the number that a verdict has for it; `None` when it is the ruleset's.
    pub fn name(&self, number: u32) -> Option<&str> {
        let index = number.checked_sub(self.first)?;
        self.pool.report().rules.get(index as usize).map(|rule| rule.signature.as_str())
    }

    /// Tries all rules on a buffer as its file has it; normalised forms are the ruleset's alone. `false` when time was up
    /// before all were tried.
    ///
    /// # Errors
    /// The buffer was not tried.
    pub fn find(&self, member: &Member<'_>, found: &mut dyn FnMut(u32)) -> Result<bool, Fault> {
        if member.form != Form::Raw || self.pool.report().rules.is_empty() {
            return Ok(true);
        }
        let holds = twice(|| self.pool.scan(member.bytes, SCAN_TIME))?;
        holds.rules.iter().for_each(|rule| found(self.first + rule));
        Ok(holds.is_whole)
    }
}
