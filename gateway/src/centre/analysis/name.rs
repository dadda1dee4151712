//! Names of signatures.

use super::limits;
use super::literal::hexadecimal;

/// A name that can stand in every kind of line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignatureName(Box<str>);

/// Why a text is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a signature name is 1 to {} letters, digits, '.', '-' and '_', not {found:?}", limits::NAME_BYTES_MAX)]
pub struct NameError {
    /// The text.
    pub found: Box<str>,
}

impl SignatureName {
    /// `Lazaret.Auto.<first four bytes of a digest>.<number>`: the digest is that of the group's first sample, and
    /// the number tells later signatures of the same group apart.
    #[must_use]
    pub fn automatic(first_sample: &[u8; 32], number: u32) -> SignatureName {
        SignatureName(format!("Lazaret.Auto.{}.{number}", hexadecimal(&first_sample[..4])).into())
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for SignatureName {
    type Error = NameError;

    /// Colons, semicolons and blanks separate fields, so a name has none of them.
    fn try_from(text: &str) -> Result<SignatureName, NameError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        if text.is_empty() || text.len() > limits::NAME_BYTES_MAX || !text.bytes().all(is_plain) {
            return Err(NameError { found: text.chars().take(limits::NAME_BYTES_MAX).collect() });
        }
        Ok(SignatureName(text.into()))
    }
}

impl std::fmt::Display for SignatureName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
