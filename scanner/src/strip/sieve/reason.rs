//! Why nothing was kept, said of the file that it was about.

use super::{Nature, Sieve, Subject};
use crate::file::{Limit, Outcome, TroubleKind};
use crate::strip::NotStripped;

/// The reason for a sieve in which nothing is left.
pub(super) fn reason(sieve: &Sieve, outcome: &Outcome) -> NotStripped {
    let is_missing = sieve.found.is_some() && (sieve.reached == 0 || sieve.awaited.is_some());
    let Some(subject) = sieve.subject else { return NotStripped::NotThere };
    if is_missing {
        return trouble(outcome).unwrap_or(NotStripped::NotThere);
    }
    if subject.is_unreadable {
        return NotStripped::Layout;
    }
    if sieve.is_locked {
        return NotStripped::Encrypted;
    }
    own(subject, outcome)
}

/// What stood in the way comes first where it could have hidden what is looked for.
fn own(subject: Subject, outcome: &Outcome) -> NotStripped {
    match subject.nature {
        Nature::Program => NotStripped::Layout,
        Nature::Office | Nature::Document => trouble(outcome).unwrap_or(NotStripped::NoMacros),
        Nature::Archive => trouble(outcome).unwrap_or(NotStripped::NoMember),
        Nature::Mail => trouble(outcome).unwrap_or(NotStripped::NoAttachment),
        Nature::Page => NotStripped::NoScript,
        Nature::Text => NotStripped::Text,
        Nature::Plain => NotStripped::Plain(subject.kind.label().to_owned()),
    }
}

/// The trouble that a person can do most about.
fn trouble(outcome: &Outcome) -> Option<NotStripped> {
    let mut reasons: Vec<(u8, NotStripped)> = Vec::new();
    for trouble in &outcome.troubles {
        reasons.push(match &trouble.kind {
            TroubleKind::Encrypted => (0, NotStripped::Encrypted),
            TroubleKind::Unsupported(what) => (1, NotStripped::Unsupported(what.clone())),
            TroubleKind::Limit(limit) => (2, NotStripped::Limit(words(*limit).to_owned())),
            TroubleKind::Broken(what) => (3, NotStripped::Broken(what.clone())),
        });
    }
    reasons.into_iter().min_by_key(|reason| reason.0).map(|reason| reason.1)
}

fn words(limit: Limit) -> &'static str {
    match limit {
        Limit::Depth => "containers in containers",
        Limit::Files => "members in all",
        Limit::FileBytes => "bytes of one member",
        Limit::ScanBytes => "bytes of all members",
        Limit::Time => "time",
        Limit::Window => "memory of a decoder",
    }
}
