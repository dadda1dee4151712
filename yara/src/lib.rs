//! YARA rules: compiled, and run on buffers.
//!
//! ```text
//! sources -> Rules              compile   line by line accounted for, bounded
//! Rules, buffer -> Found        rules     the rules that hold, in bounded time
//! condition -> atoms            atoms     bytes of which a buffer must have some for a rule to hold
//! text      -> Meaning          meaning   what tells a rule that changed from one that did not
//! Report, Report -> Change      change    what is new, what is gone
//! sources, buffers -> Found     caged     all of it in processes that can do nothing else
//! ```
//!
//! Rules are a language with loops, regular expressions and parsers of executables, and buffers are hostile; so the
//! product compiles and runs them in the cage only, and learns of them through [`Report`]. The crate knows bytes and
//! rules: no definitions of other kinds, no samples, no settings.
//!
//! 1. Every rule of every source is in the report or is complained about with its line.
//! 2. A private rule is never found; a global rule that does not hold keeps the rules of its source from being found.
//! 3. A rule with atoms does not hold in a buffer that has none of them.

mod atoms;
#[cfg(target_os = "linux")]
mod caged;
mod change;
mod compile;
mod complaint;
pub mod limits;
mod meaning;
mod nesting;
mod report;
mod rules;
mod split;

pub use atoms::Atom;
#[cfg(target_os = "linux")]
pub use caged::{Pool, StartError, worker_main};
pub use change::Change;
pub use compile::{CompileError, Source, compile};
pub use complaint::Complaint;
pub use meaning::Meaning;
pub use report::{Report, Rule};
pub use rules::{Found, Rules};
