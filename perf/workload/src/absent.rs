//! A contestant that cannot take part because what it needs is not installed. Its program says so and
//! ends with [`EXIT_CODE`], and the record names it with the command that would bring it.

use std::error::Error;
use std::fmt::{self, Display};
use std::process::Command;

/// `EX_UNAVAILABLE` of sysexits.h: a support program is missing.
pub const EXIT_CODE: i32 = 69;

/// What is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absent {
    /// The program that could not be started.
    pub program: String,
    /// The command that installs it.
    pub install: String,
}

impl Display for Absent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} is not installed; {} brings it", self.program, self.install)
    }
}

impl Error for Absent {}

/// Says that `program` is missing when it cannot be started at all; it is asked for its version.
///
/// # Errors
/// It is missing.
pub fn require(program: &str, install: &str) -> Result<(), Absent> {
    let asked = Command::new(program).arg("--version").output();
    asked.map(drop).map_err(|_| Absent { program: program.to_owned(), install: install.to_owned() })
}
