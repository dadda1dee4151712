//! Everything that is looked for: a ruleset, and YARA rules beside it.

use super::yara::YaraRules;
use scanner::file::{Flow, Member, Outcome};
use scanner::ruleset::{Ruleset, Scratch};
use scanner::scan::{Extent, Verdict, scan_beside};

/// A compiled set of definitions of every kind.
pub struct Detector {
    /// Signatures of ClamAV's languages.
    pub ruleset: Ruleset,
    /// `None` where no file holds any.
    pub yara: Option<YaraRules>,
}

impl Detector {
    /// How many signatures and rules there are.
    pub fn len(&self) -> usize {
        self.ruleset.len() + self.yara.as_ref().map_or(0, |yara| yara.report().rules.len())
    }

    /// Whether nothing is looked for.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name of what a verdict has a number for.
    pub fn name(&self, signature: u32) -> &str {
        self.view().name(signature)
    }

    /// All of it.
    pub fn view(&self) -> Rules<'_> {
        Rules { ruleset: &self.ruleset, yara: self.yara.as_ref() }
    }
}

/// What a sample is scanned with: a whole set, or a part of one.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// Signatures of ClamAV's languages.
    pub ruleset: &'a Ruleset,
    /// YARA rules.
    pub yara: Option<&'a YaraRules>,
}

impl<'a> From<&'a Ruleset> for Rules<'a> {
    fn from(ruleset: &'a Ruleset) -> Self {
        Self { ruleset, yara: None }
    }
}

impl<'a> Rules<'a> {
    /// The name of what a verdict has a number for.
    pub fn name(self, signature: u32) -> &'a str {
        let yara = self.yara.and_then(|yara| yara.name(signature));
        yara.unwrap_or_else(|| self.ruleset.name(signature))
    }

    /// Scans a sample that `open` walks through. What could not be tried with YARA rules is added to `untried`, as sentences.
    ///
    /// # Errors
    /// Those of `open`.
    pub fn scan<E>(
        self,
        scratch: &mut Scratch,
        extent: Extent,
        untried: &mut Vec<String>,
        open: impl FnOnce(&mut dyn FnMut(Member<'_>) -> Flow) -> Result<Outcome, E>,
    ) -> Result<Verdict, E> {
        let mut beside = |member: &Member<'_>, found: &mut dyn FnMut(u32)| {
            let Some(yara) = self.yara else { return true };
            yara.find(member, found).unwrap_or_else(|fault| {
                let inside =
                    if member.path.is_empty() { String::new() } else { format!("{}: ", member.path.join("/")) };
                untried.push(format!("{inside}not tried with YARA rules: {fault}"));
                true
            })
        };
        scan_beside(self.ruleset, scratch, extent, &mut beside, open)
    }
}
