//! Ed25519 keys: one line of text in a file each.
//!
//! ```text
//! lazaret-definitions-secret-key ed25519 <64 hexadecimal digits> <comment>     FILE, for its owner only
//! lazaret-definitions-key ed25519 <64 hexadecimal digits> <comment>            FILE.pub
//! ```

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

const SECRET_WORD: &str = "lazaret-definitions-secret-key";
const PUBLIC_WORD: &str = "lazaret-definitions-key";
const ALGORITHM: &str = "ed25519";
/// A key's line is far shorter; a larger file is none.
const FILE_BYTES_MAX: u64 = 4096;
/// Characters of a comment.
const COMMENT_CHARS_MAX: usize = 200;

/// A short name of a key: the first eight bytes of the BLAKE3 of its public half.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 8]);

impl fmt::Display for KeyId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "KeyId({self})")
    }
}

/// What is wrong with a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("cannot {doing} the key {}: {error}", path.display())]
    Io {
        /// `read` or `write`.
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The file holds no such key.
    #[error("{} is no {expected}: one line '{word} ed25519 HEX COMMENT' is expected", path.display())]
    Format {
        /// Which file.
        path: PathBuf,
        /// What was looked for.
        expected: &'static str,
        /// Its first word.
        word: &'static str,
    },
    /// Others can read it.
    #[error("{} can be read by others (mode {mode:03o}): take it away from them with chmod 600, and make another key if somebody may have read it", path.display())]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
}

/// The secret half: it signs.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    seed: [u8; 32],
    comment: String,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("SigningKey").field("id", &self.id()).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// The key of a seed, which must come from a good source of randomness.
    ///
    /// # Panics
    /// Never: every 32 bytes are a seed.
    #[must_use]
    pub fn from_seed(seed: [u8; 32], comment: &str) -> Self {
        #[expect(clippy::expect_used, reason = "the length is the only thing that can be wrong, and the type has it")]
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).expect("32 bytes");
        Self { pair, seed, comment: clean(comment) }
    }

    /// Reads a key that [`SigningKey::write`] wrote.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let io = |error| KeyError::Io { doing: "read", path: path.to_owned(), error };
        let mode = std::fs::metadata(path).map_err(io)?.mode() & 0o777;
        let text = text_of(path)?;
        let wrong =
            || KeyError::Format { path: path.to_owned(), expected: "secret key of definitions", word: SECRET_WORD };
        let (seed, comment) = parse(&text, SECRET_WORD).ok_or_else(wrong)?;
        if mode & 0o077 != 0 {
            return Err(KeyError::Exposed { path: path.to_owned(), mode });
        }
        Ok(Self::from_seed(seed, comment))
    }

    /// Writes both halves: `path`, for its owner only, and `path` with `.pub` behind it. Neither may be there.
    ///
    /// # Errors
    /// A file is there already, or cannot be written.
    pub fn write(&self, path: &Path) -> Result<PathBuf, KeyError> {
        let mut public = path.as_os_str().to_owned();
        public.push(".pub");
        let public = PathBuf::from(public);
        write_new(path, 0o600, &format!("{SECRET_WORD} {ALGORITHM} {} {}\n", hex(&self.seed), self.comment))?;
        write_new(&public, 0o644, &format!("{}\n", self.public().line()))?;
        Ok(public)
    }

    /// The other half.
    ///
    /// # Panics
    /// Never: the public half of this algorithm has 32 bytes.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        let mut key = [0; 32];
        key.copy_from_slice(self.pair.public_key().as_ref());
        PublicKey { key, comment: self.comment.clone() }
    }

    /// Its short name.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.public().id()
    }

    /// A signature of anything else than a package, as one line: the key's id and 128 hexadecimal digits. `purpose` keeps
    /// it from being one of something else.
    #[must_use]
    pub fn sign_statement(&self, purpose: &str, message: &[u8]) -> String {
        format!("{}:{}", self.id(), hex(&self.sign(&statement(purpose, message))))
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        signature.copy_from_slice(self.pair.sign(message).as_ref());
        signature
    }
}

/// The public half: it verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    key: [u8; 32],
    comment: String,
}

impl PublicKey {
    /// Its short name.
    #[must_use]
    pub fn id(&self) -> KeyId {
        let digest = blake3::hash(&self.key);
        let mut id = [0; 8];
        id.copy_from_slice(&digest.as_bytes()[..8]);
        KeyId(id)
    }

    /// Whose it is, as its file says.
    #[must_use]
    pub fn comment(&self) -> &str {
        &self.comment
    }

    /// The line of its file.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{PUBLIC_WORD} {ALGORITHM} {} {}", hex(&self.key), self.comment)
    }

    /// Reads such a line.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        parse(line, PUBLIC_WORD).map(|(key, comment)| Self { key, comment: clean(comment) })
    }

    pub(crate) fn vouches(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.key).verify(message, signature).is_ok()
    }
}

/// The keys that are believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedKeys(Vec<PublicKey>);

impl TrustedKeys {
    /// These keys.
    #[must_use]
    pub fn new(keys: Vec<PublicKey>) -> Self {
        Self(keys)
    }

    /// Reads files of public keys; of a folder every file that ends in `.pub`.
    ///
    /// # Errors
    /// A file cannot be read, or is no public key.
    pub fn read(paths: &[PathBuf]) -> Result<Self, KeyError> {
        let mut keys = Vec::new();
        for path in paths {
            let io = |error| KeyError::Io { doing: "read", path: path.clone(), error };
            let mut files = vec![path.clone()];
            if std::fs::metadata(path).map_err(io)?.is_dir() {
                let entries = std::fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(io)?;
                files = entries.into_iter().map(|entry| entry.path()).collect();
                files.retain(|file| file.extension().is_some_and(|extension| extension == "pub"));
                files.sort_unstable();
            }
            for file in files {
                let text = text_of(&file)?;
                let wrong = || KeyError::Format {
                    path: file.clone(),
                    expected: "public key of definitions",
                    word: PUBLIC_WORD,
                };
                keys.push(PublicKey::parse(&text).ok_or_else(wrong)?);
            }
        }
        Ok(Self(keys))
    }

    /// Whether nobody is believed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key of this short name.
    #[must_use]
    pub fn named(&self, id: KeyId) -> Option<&PublicKey> {
        self.0.iter().find(|key| key.id() == id)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &PublicKey> {
        self.0.iter()
    }

    /// Whether one of these keys made this signature of [`SigningKey::sign_statement`].
    #[must_use]
    pub fn vouch_for_statement(&self, purpose: &str, message: &[u8], signature: &str) -> bool {
        let Some((id, digits)) = signature.split_once(':') else { return false };
        let (Some(id), Some(signature)) = (unhex::<8>(id), unhex::<64>(digits)) else { return false };
        self.named(KeyId(id)).is_some_and(|key| key.vouches(&statement(purpose, message), &signature))
    }
}

fn text_of(path: &Path) -> Result<String, KeyError> {
    let io = |error| KeyError::Io { doing: "read", path: path.to_owned(), error };
    if std::fs::metadata(path).map_err(io)?.len() > FILE_BYTES_MAX {
        return Ok(String::new());
    }
    Ok(String::from_utf8_lossy(&std::fs::read(path).map_err(io)?).into_owned())
}

fn parse<'t>(text: &'t str, word: &str) -> Option<([u8; 32], &'t str)> {
    let line = text.lines().next()?;
    let mut words = line.splitn(4, ' ');
    if words.next() != Some(word) || words.next() != Some(ALGORITHM) {
        return None;
    }
    let key = unhex(words.next()?)?;
    Some((key, words.next().unwrap_or_default()))
}

/// What is signed: no purpose with its end is the beginning of another, and none is that of a package.
fn statement(purpose: &str, message: &[u8]) -> Vec<u8> {
    [b"lazaret statement 1\0", purpose.as_bytes(), b"\0", message].concat()
}

fn unhex<const BYTES: usize>(text: &str) -> Option<[u8; BYTES]> {
    let digits = text.as_bytes();
    let mut bytes = [0; BYTES];
    if digits.len() != 2 * BYTES {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        *byte = (digit(pair[0])? << 4 | digit(pair[1])?) as u8;
    }
    Some(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One line without anything that a terminal acts on.
fn clean(comment: &str) -> String {
    comment.chars().filter(|letter| !letter.is_control()).take(COMMENT_CHARS_MAX).collect()
}

fn write_new(path: &Path, mode: u32, text: &str) -> Result<(), KeyError> {
    let io = |error| KeyError::Io { doing: "write", path: path.to_owned(), error };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(io)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_statement_holds_for_its_key_purpose_and_message_only() {
        let (key, other) = (SigningKey::from_seed([7; 32], "centre"), SigningKey::from_seed([8; 32], "other"));
        let trusted = TrustedKeys::new(vec![key.public()]);
        let signature = key.sign_statement("reply", b"said");
        assert!(trusted.vouch_for_statement("reply", b"said", &signature));
        for (purpose, message, signature) in [
            ("order", &b"said"[..], signature.clone()),
            ("reply", b"sai", signature.clone()),
            ("reply", b"said", other.sign_statement("reply", b"said")),
            ("reply", b"said", signature.replace(':', "")),
            ("reply", b"said", signature[..signature.len() - 2].to_owned()),
            ("reply", b"said", format!("{}:{}", key.id(), "0".repeat(128))),
            ("reply", b"said", String::new()),
        ] {
            assert!(!trusted.vouch_for_statement(purpose, message, &signature), "{purpose} {signature}");
        }
    }

    #[test]
    fn a_key_reads_back_from_its_file_and_is_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("centre.key");
        let key = SigningKey::from_seed([7; 32], "the centre\n\u{1b}[1m");
        let public = key.write(&path).unwrap();
        assert_eq!(SigningKey::read(&path).unwrap().id(), key.id());
        let trusted = TrustedKeys::read(&[public]).unwrap();
        assert_eq!(trusted, TrustedKeys::new(vec![key.public()]));
        assert_eq!(trusted.iter().next().unwrap().comment(), "the centre[1m");
        assert!(matches!(key.write(&path), Err(KeyError::Io { doing: "write", .. })));
        assert_eq!(TrustedKeys::read(&[dir.path().to_owned()]).unwrap(), trusted, "of a folder only the public halves");
    }

    #[test]
    fn a_secret_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("k");
        SigningKey::from_seed([7; 32], "").write(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let error = SigningKey::read(&path).unwrap_err();
        assert!(error.to_string().contains("mode 640"), "{error}");
    }

    #[test]
    fn what_is_no_key_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("k.pub");
        for text in ["", "rubbish", "lazaret-definitions-key ed25519 00", "lazaret-definitions-key rsa 00 x", "\u{0}"] {
            std::fs::write(&path, text).unwrap();
            let error = TrustedKeys::read(std::slice::from_ref(&path)).unwrap_err();
            assert!(error.to_string().contains("is no public key of definitions"), "{error}");
        }
        SigningKey::from_seed([7; 32], "").write(&dir.path().join("s")).unwrap();
        assert!(matches!(TrustedKeys::read(&[dir.path().join("s")]), Err(KeyError::Format { .. })), "a secret half");
    }
}
