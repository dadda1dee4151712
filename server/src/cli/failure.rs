//! How a command ends when it does not end well. The exit code says who must do something: 1 nobody, the
//! answer is no; 2 the caller; 3 the network or the server's keeper; 4 whoever gives rights; 5 time or space.

use std::process::ExitCode;

/// A command's end. Texts are ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It ran, and the answer is no.
    #[error("{0}")]
    No(String),
    /// It ran, the answer is no, and every reason has been shown already.
    #[error("")]
    Shown,
    /// The call or the configuration is wrong.
    #[error("{0}")]
    Usage(String),
    /// Nobody answers.
    #[error("{0}")]
    Unreachable(String),
    /// Not with these rights.
    #[error("{0}")]
    NotAllowed(String),
    /// Full, busy or in conflict with what is there.
    #[error("{0}")]
    Full(String),
    /// Whoever read our output has gone, which ends the work and is no failure.
    #[error("")]
    Closed,
}

impl Failure {
    /// What the shell sees (`docs/operations.md`: 0 yes, 1 no, 2 usage, 3 unreachable, 4 not allowed, 5 full).
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Self::Closed => 0,
            Self::No(_) | Self::Shown => 1,
            Self::Usage(_) => 2,
            Self::Unreachable(_) => 3,
            Self::NotAllowed(_) => 4,
            Self::Full(_) => 5,
        }
    }

    /// A failure to write to stdout.
    #[must_use]
    pub fn output(error: &std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            Self::Closed
        } else {
            Self::No(format!("cannot write to stdout: {error}"))
        }
    }
}

impl From<Failure> for ExitCode {
    fn from(failure: Failure) -> Self {
        failure.code().into()
    }
}
