//! `lazaret.toml`: one file, one table of keys, every default with its unit and reason.
//!
//! Reading order: [`amount`] reads sizes and durations, [`shape`] says what a key may hold, [`keys`] lists
//! every key, [`settings`] holds what applies and where it came from, [`read`] reads the file, [`options`]
//! turns settings into what the daemon takes and refuses what does not fit together, [`policy`] what may change while it runs, [`tokens`] reads the
//! file of tokens.

pub mod amount;
pub mod keys;
pub mod options;
pub mod policy;
pub mod read;
pub mod settings;
pub mod shape;
pub mod tokens;

pub use options::{check, serve_options};
pub use policy::{Misfit, policy};
pub use read::{ConfigError, Problem, read_file, read_text};
pub use settings::{Origin, Setting, Settings};
