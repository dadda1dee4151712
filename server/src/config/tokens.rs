//! The file of tokens: names, roles and hashes, never a token itself.
//!
//! ```toml
//! [[token]]
//! name = "mail gateway"
//! role = "forwarder"
//! blake3 = "64 hexadecimal digits"
//! ```

use crate::daemon::{Role, Token};
use model::Blake3;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The roles by name, weakest first.
pub const ROLES: &[(&str, Role)] = &[
    ("target", Role::Target),
    ("forwarder", Role::Forwarder),
    ("viewer", Role::Viewer),
    ("operator", Role::Operator),
    ("administrator", Role::Administrator),
];

/// A file of tokens that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokensError {
    /// It cannot be read.
    #[error("cannot read the tokens in {}: {source}", path.display())]
    Read {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not what it should be.
    #[error("the tokens in {} cannot be used: {what}", path.display())]
    Content {
        /// Which one.
        path: PathBuf,
        /// What is wrong, with the line.
        what: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    token: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    role: String,
    blake3: Blake3,
}

/// Reads the file.
///
/// # Errors
/// It cannot be read, is not TOML of this form, names an unknown role or no token at all: a file without
/// tokens would lock everybody out or, worse, be taken for "no tokens needed".
pub fn read_file(path: &Path) -> Result<Vec<Token>, TokensError> {
    let text = std::fs::read_to_string(path).map_err(|source| TokensError::Read { path: path.to_owned(), source })?;
    read_text(&text).map_err(|what| TokensError::Content { path: path.to_owned(), what })
}

fn read_text(text: &str) -> Result<Vec<Token>, String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
    if file.token.is_empty() {
        return Err("it holds no [[token]]".to_owned());
    }
    file.token
        .into_iter()
        .map(|entry| {
            let role = ROLES.iter().find(|(name, _)| *name == entry.role).map(|(_, role)| *role);
            let role = role.ok_or_else(|| {
                let known: Vec<&str> = ROLES.iter().map(|(name, _)| *name).collect();
                format!("token '{}' has the unknown role '{}', known are {}", entry.name, entry.role, known.join(", "))
            })?;
            Ok(Token { name: entry.name, role, hash: entry.blake3.0 })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_with_their_role_and_hash() {
        let hash = blake3::hash(b"secret");
        let text = format!("[[token]]\nname = 'gate'\nrole = 'forwarder'\nblake3 = '{}'\n", hash.to_hex());
        let tokens = read_text(&text).expect("valid");
        assert_eq!(tokens, [Token { name: "gate".into(), role: Role::Forwarder, hash: *hash.as_bytes() }]);
    }

    #[test]
    fn a_file_without_tokens_or_with_an_unknown_role_is_refused() {
        assert_eq!(read_text(""), Err("it holds no [[token]]".into()));
        let text = format!("[[token]]\nname = 'x'\nrole = 'king'\nblake3 = '{}'\n", "0".repeat(64));
        assert!(read_text(&text).expect_err("no such role").contains("unknown role 'king'"));
        let text = "[[token]]\nname = 'x'\nrole = 'viewer'\ntoken = 'in clear'\n";
        assert!(read_text(text).expect_err("a token in clear").contains("unknown field"));
    }
}
