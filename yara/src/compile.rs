//! Sources become rules, each one accounted for.

use std::collections::HashMap;

use boreal::compiler::{AddRuleError, CompilerParams};
use boreal_parser::file::{YaraFile, YaraFileComponent};
use boreal_parser::rule::Rule as Parsed;

use crate::atoms::Known;
use crate::complaint::{Complaint, Place};
use crate::limits::{RULES_MAX, SOURCE_BYTES_MAX};
use crate::meaning::{Meaning, Meanings};
use crate::nesting::too_deep;
use crate::report::{Report, Rule};
use crate::rules::Rules;
use crate::split::pieces;

/// What common rules ask about the file that is scanned. Here a buffer has no name: they are empty, so that rules that
/// only exclude by them compile.
const EXTERNAL: [&str; 3] = ["filename", "filepath", "extension"];

/// A file of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source<'a> {
    /// What complaints call it.
    pub name: &'a str,
    /// Its bytes; those that are no UTF-8 may stand in comments and descriptions only.
    pub text: &'a [u8],
}

/// Why no rules came of sources at all: half a set is worse than none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// They have more than [`SOURCE_BYTES_MAX`].
    #[error("{bytes} bytes of YARA rules, of which at most {SOURCE_BYTES_MAX} are taken")]
    ManyBytes {
        /// All sources together.
        bytes: usize,
    },
    /// They have more than [`RULES_MAX`].
    #[error("{source_name}: more than {RULES_MAX} YARA rules together with the sources before it")]
    ManyRules {
        /// The source in which the bound was reached.
        source_name: String,
    },
}

/// Compiles sources, each a namespace of its own.
///
/// A source that cannot be parsed gives one complaint and no rule. Else each rule stands for itself: one that is wrong
/// is complained about, and those that refer to it are too. Includes are refused, as are modules that are not there
/// (`cuckoo`, `magic`, `console`, `vt`). Nesting is bounded, so that no source overflows the stack.
///
/// # Errors
/// A bound on all sources together was reached.
pub fn compile(sources: &[Source<'_>]) -> Result<Rules, CompileError> {
    let bytes = sources.iter().map(|source| source.text.len()).sum();
    if bytes > SOURCE_BYTES_MAX {
        return Err(CompileError::ManyBytes { bytes });
    }
    let mut work = Work::new();
    for (index, source) in sources.iter().enumerate() {
        work.numbers.push(HashMap::new());
        let text = String::from_utf8_lossy(source.text);
        let place = Place::new(source.name, &text);
        if let Some(offset) = too_deep(&text) {
            work.report.complain(place.complaint(offset, "operators nested too deep"));
            continue;
        }
        match boreal_parser::parse(&text) {
            Ok(file) => work.add(index, &place, &text, &file)?,
            Err(error) => {
                let diagnostic = error.to_diagnostic();
                let label = diagnostic.labels.first().map(|label| (label.range.start, label.message.as_str()));
                work.report.complain(complaint(&place, 0, &diagnostic.message, label));
            }
        }
    }
    Ok(Rules { scanner: work.compiler.finalize(), report: work.report, numbers: work.numbers })
}

/// What has been compiled so far.
struct Work {
    compiler: boreal::Compiler,
    report: Report,
    numbers: Vec<HashMap<String, u32>>,
}

impl Work {
    fn new() -> Self {
        let mut compiler = boreal::Compiler::new();
        for name in EXTERNAL {
            compiler.define_symbol(name, "");
        }
        compiler.set_params(CompilerParams::default().disable_includes(true));
        Self { compiler, report: Report::default(), numbers: Vec::new() }
    }

    fn add(&mut self, index: usize, place: &Place<'_>, text: &str, file: &YaraFile) -> Result<(), CompileError> {
        let namespace = index.to_string();
        let (mut known, mut meanings) = (Known::default(), Meanings::new(text, file));
        for (component, piece) in file.components.iter().zip(pieces(text, file)) {
            let start = piece.start;
            // Spans are the parser's; should one end within a character, the piece is complained about like any other.
            let piece = text.get(piece).unwrap_or("rule");
            let meaning = match component {
                YaraFileComponent::Rule(rule) => meanings.learn(&rule.name, piece),
                YaraFileComponent::Import(_) | YaraFileComponent::Include(_) => Meaning::default(),
            };
            if let YaraFileComponent::Rule(rule) = component
                && let Some(offset) = foreign_bytes(text, rule)
            {
                self.report.complain(place.complaint(offset, "a string with bytes that are no UTF-8"));
                continue;
            }
            if let Err(error) = self.compiler.add_rules_str_in_namespace(piece, &namespace) {
                self.report.complain(of_compiler(place, start, &error));
                continue;
            }
            let YaraFileComponent::Rule(rule) = component else {
                continue;
            };
            if self.report.rules.len() == RULES_MAX {
                return Err(CompileError::ManyRules { source_name: place.name().to_owned() });
            }
            self.numbers[index].insert(rule.name.clone(), self.report.rules.len() as u32);
            self.report.rules.push(Rule {
                signature: format!("YARA.{}", rule.name),
                source: index as u32,
                line: place.line(rule.name_span.start),
                is_private: rule.is_private,
                is_global: rule.is_global,
                atoms: known.learn(rule),
                meaning,
            });
        }
        Ok(())
    }
}

/// Where a rule that is not only commented with them has bytes that were no UTF-8.
fn foreign_bytes(text: &str, rule: &Parsed) -> Option<usize> {
    let spans = rule.variables.iter().map(|variable| variable.span.clone()).chain([rule.condition.span.clone()]);
    spans.into_iter().find_map(|span| {
        let found = text.get(span.clone())?.find(char::REPLACEMENT_CHARACTER)?;
        Some(span.start + found)
    })
}

fn of_compiler(place: &Place<'_>, start: usize, error: &AddRuleError) -> Complaint {
    let diagnostic = error.to_diagnostic();
    let label = diagnostic.labels.first().map(|label| (label.range.start, label.message.as_str()));
    complaint(place, start, &diagnostic.message, label)
}

fn complaint(place: &Place<'_>, start: usize, message: &str, label: Option<(usize, &str)>) -> Complaint {
    let (offset, more) = label.unwrap_or((0, ""));
    let what = if more.is_empty() { message.to_owned() } else { format!("{message}: {more}") };
    place.complaint(start + offset, &what)
}
