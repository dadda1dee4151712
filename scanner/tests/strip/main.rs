//! Samples of every kind, with something private in every place where user data lies: it never leaves.

mod archives;
#[cfg(target_os = "linux")]
mod caged;
mod documents;
mod found;
mod hostile;
mod mails;
mod programs;
mod samples;
mod scripts;

use samples::{CODE, PRIVATE};
use scanner::file::Limits;
use scanner::strip::{Found, Kept, NotStripped, Stripped, strip};

/// Strips without a place, and holds that nothing private is in what would be sent.
fn stripped(bytes: &[u8]) -> Result<Stripped, NotStripped> {
    stripped_by(bytes, None)
}

fn stripped_by(bytes: &[u8], found: Option<Found>) -> Result<Stripped, NotStripped> {
    let stripped = strip(bytes, found, &Limits::default(), &|| false)?;
    assert!(!stripped.parts.is_empty());
    let sent = stripped.clone().into_bytes();
    assert!(!holds(&sent, PRIVATE), "{stripped}");
    Ok(stripped)
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// What each part is, where it was, and whether the code that samples carry is in it.
fn outline(bytes: &[u8]) -> Result<Vec<(Kept, String, bool)>, NotStripped> {
    outline_of(&stripped(bytes)?)
}

fn outline_of(stripped: &Stripped) -> Result<Vec<(Kept, String, bool)>, NotStripped> {
    let parts = stripped.parts.iter();
    Ok(parts.map(|part| (part.what, part.path.join("|"), holds(&part.bytes, CODE))).collect())
}

fn part(what: Kept, path: &str) -> (Kept, String, bool) {
    (what, path.to_owned(), true)
}
