//! Recognises bearers. Tokens are known by their BLAKE3 only, and compared in constant time.

use crate::daemon::options::{Role, Token};
use crate::security::access::Caller;
use std::sync::Arc;

/// A token's text is at most this long; a longer one is not hashed at all.
pub const TOKEN_BYTES_MAX: usize = 512;

/// Why nobody is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotRecognised {
    /// Nothing was shown.
    #[error("this server asks for a token: send 'Authorization: Bearer TOKEN'")]
    Missing,
    /// Something other than one known token was shown.
    #[error("the token is not known here")]
    Unknown,
}

/// Every known token.
#[derive(Debug, Default)]
pub struct TokenTable {
    rows: Vec<(blake3::Hash, Arc<str>, Role)>,
}

impl TokenTable {
    /// A table of these tokens; none means that everyone may do everything.
    pub fn new(tokens: &[Token]) -> Self {
        let row = |token: &Token| (blake3::Hash::from_bytes(token.hash), Arc::from(token.name.as_str()), token.role);
        Self { rows: tokens.iter().map(row).collect() }
    }

    /// Whether callers need no token.
    pub fn is_open(&self) -> bool {
        self.rows.is_empty()
    }

    /// Who shows `token`. Every row is compared, so the time tells nothing about which one matched
    /// (`blake3::Hash` compares in constant time).
    ///
    /// # Errors
    /// No token where one is needed, or an unknown one.
    pub fn caller(&self, token: Option<&[u8]>) -> Result<Caller, NotRecognised> {
        if self.is_open() {
            return Ok(Caller::Anyone);
        }
        let token = token.ok_or(NotRecognised::Missing)?;
        if token.len() > TOKEN_BYTES_MAX {
            return Err(NotRecognised::Unknown);
        }
        let hash = blake3::hash(token);
        let mut found = None;
        for (known, name, role) in &self.rows {
            if *known == hash {
                found = Some(Caller::Bearer { name: Arc::clone(name), role: *role });
            }
        }
        found.ok_or(NotRecognised::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> TokenTable {
        let token =
            |name: &str, role| Token { name: name.to_owned(), role, hash: *blake3::hash(name.as_bytes()).as_bytes() };
        TokenTable::new(&[token("ann", Role::Administrator), token("mail", Role::Forwarder)])
    }

    #[test]
    fn a_known_token_is_its_bearer_and_no_other_is() {
        let caller = table().caller(Some(b"mail"));
        assert_eq!(caller, Ok(Caller::Bearer { name: "mail".into(), role: Role::Forwarder }));
        assert_eq!(table().caller(None), Err(NotRecognised::Missing));
        assert_eq!(table().caller(Some(b"nobody")), Err(NotRecognised::Unknown));
        assert_eq!(table().caller(Some(&[b'x'; TOKEN_BYTES_MAX + 1])), Err(NotRecognised::Unknown));
    }

    #[test]
    fn a_server_without_tokens_is_open() {
        assert_eq!(TokenTable::default().caller(None), Ok(Caller::Anyone));
    }
}
