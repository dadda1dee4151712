//! Why a request has no answer. None of these says anything about a sample: it stays where it is, and is tried again.

use std::time::Duration;

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// Nobody answers, or the connection broke.
    #[error("the gateway cannot be reached: {0}")]
    Unreachable(String),
    /// It took too long.
    #[error("the gateway did not answer in time")]
    Late,
    /// The proxy wants another user or password.
    #[error("the proxy refuses us: check firewall.user and firewall.password_file")]
    ProxyRefused,
    /// The answer is another address.
    #[error("the gateway sends us elsewhere, and redirects are not followed")]
    Redirected,
    /// An HTTP error that nobody signed: of the gateway on a bad day, or of something in between.
    #[error("the gateway, or something before it, answered {status}")]
    Status {
        /// The HTTP status.
        status: u16,
        /// When to come back, if it said so.
        retry_after: Option<Duration>,
    },
    /// The answer goes on and on.
    #[error("the answer is longer than {bytes_max} bytes")]
    Oversized {
        /// The bound.
        bytes_max: u64,
    },
    /// Nobody signed the answer.
    #[error("the answer is not signed, so it may be anybody's")]
    Unsigned,
    /// The signature is of no key that is trusted.
    #[error("the answer's signature does not hold: no key in keys/ made it")]
    Forged,
    /// The answer is to another request.
    #[error("the answer is an old one, or to another request")]
    Replayed,
    /// The answer is about another submission or sample.
    #[error("the answer is about another submission")]
    OtherItem,
    /// It is signed and makes no sense.
    #[error("the answer makes no sense: {0}")]
    Nonsense(String),
    /// What we were told to use cannot be used.
    #[error("the gateway's settings cannot be used: {0}")]
    Setting(String),
    /// The set is not there for us.
    #[error("the gateway has no definitions {0} for us")]
    NoSet(u64),
    /// The disk here said no.
    #[error("definitions cannot be stored while they come: {0}")]
    Disk(String),
}

impl Trouble {
    /// A failed request.
    pub(super) fn of(error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::Late;
        }
        // The proxy's refusal of a tunnel comes as an error of the connection, its status in the text alone.
        let text = causes(error);
        if text.contains("proxy authorization required") {
            return Self::ProxyRefused;
        }
        Self::Unreachable(text)
    }

    /// Whether it may be about one submission alone, rather than about the way or the whole gateway.
    pub fn may_be_about_one(&self) -> bool {
        match self {
            Self::Status { retry_after: None, .. }
            | Self::Oversized { .. }
            | Self::Unsigned
            | Self::Forged
            | Self::Replayed
            | Self::OtherItem
            | Self::Nonsense(_) => true,
            Self::Unreachable(_)
            | Self::Late
            | Self::ProxyRefused
            | Self::Redirected
            | Self::Status { retry_after: Some(_), .. }
            | Self::Setting(_)
            | Self::NoSet(_)
            | Self::Disk(_) => false,
        }
    }

    /// When the other side wants us back.
    pub fn retry_after(&self) -> Option<Duration> {
        if let Self::Status { retry_after, .. } = self { *retry_after } else { None }
    }

    /// The word for it in metrics.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::Late => "late",
            Self::ProxyRefused => "proxy_refused",
            Self::Redirected => "redirected",
            Self::Status { .. } => "status",
            Self::Oversized { .. } => "oversized",
            Self::Unsigned | Self::Forged => "forged",
            Self::Replayed => "replayed",
            Self::OtherItem => "other_item",
            Self::Nonsense(_) => "nonsense",
            Self::Setting(_) => "setting",
            Self::NoSet(_) => "no_set",
            Self::Disk(_) => "disk",
        }
    }
}

/// An error with what caused it, outermost first; what only repeats the request's address is left out.
fn causes(error: &reqwest::Error) -> String {
    let mut texts = Vec::new();
    let mut next: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(cause) = next {
        let text = cause.to_string();
        if texts.last() != Some(&text) {
            texts.push(text);
        }
        next = cause.source();
    }
    if texts.is_empty() { error.to_string() } else { texts.join(": ") }
}
