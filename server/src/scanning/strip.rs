//! What of a sample may leave the house, told apart in the cage.

use super::cage::Cage;
use scanner::cage::Fault;
use scanner::file::Limits;
use scanner::strip::Found;

/// A sample without user data.
#[derive(Debug)]
pub struct Stripped {
    /// What is left.
    pub bytes: Vec<u8>,
    /// What that is, in words.
    pub kept: String,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum NotStripped {
    /// User data cannot be told from the rest; the reason is for a person.
    #[error("{0}")]
    Cannot(String),
    /// No sample can be opened now.
    #[error("{0}")]
    Down(String),
}

/// Strips a sample's bytes. Blocks. Where a signature of the set in use has found something, `path` names the member.
///
/// # Errors
/// See [`NotStripped`]; nothing may be sent then.
pub fn strip(cage: &Cage, bytes: &[u8], path: Option<Vec<String>>) -> Result<Stripped, NotStripped> {
    let pool = cage.pool().map_err(|fault| NotStripped::Down(fault.to_string()))?;
    let found = path.map(|path| Found { path, place: None });
    let limits = Limits::default();
    // A worker that dies may have been ended by somebody else, so the sample has a second.
    let stripped = match pool.strip(bytes, found.clone(), &limits) {
        Err(Fault::Died { .. }) => pool.strip(bytes, found, &limits),
        first => first,
    };
    match stripped {
        Ok(Ok(stripped)) => {
            let kept = stripped.to_string();
            Ok(Stripped { bytes: stripped.into_bytes(), kept })
        }
        Ok(Err(cannot)) => Err(NotStripped::Cannot(cannot.to_string())),
        Err(fault) => match super::sample::failure(fault) {
            super::Failure::Down(why) => Err(NotStripped::Down(why)),
            super::Failure::Sample(why) => Err(NotStripped::Cannot(why)),
            super::Failure::Gone => Err(NotStripped::Cannot("it is gone".to_owned())),
        },
    }
}
