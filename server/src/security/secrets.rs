//! Passwords in files, and random numbers.

use std::io;
use std::path::Path;

/// Bytes of a file that holds a password.
const PASSWORD_BYTES_MAX: u64 = 4096;

/// The first line of a file, which holds a password and nothing else.
///
/// # Errors
/// It cannot be read; the path is named, its content never.
pub fn password(path: &Path) -> io::Result<String> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    if std::fs::metadata(path).map_err(named)?.len() > PASSWORD_BYTES_MAX {
        return Err(named(io::Error::other(format!("a password has at most {PASSWORD_BYTES_MAX} bytes"))));
    }
    let text = std::fs::read_to_string(path).map_err(named)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// A random number for spreading retries. Where the system has none, a fixed one does no harm.
pub fn chance() -> u64 {
    let mut bytes = [0; 8];
    match getrandom::fill(&mut bytes) {
        Ok(()) => u64::from_le_bytes(bytes),
        Err(_) => u64::MAX / 2,
    }
}

/// A name that nobody can guess or draw again: 32 hexadecimal digits.
///
/// # Errors
/// The system has no random numbers.
pub fn name() -> io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_the_first_line_and_is_never_in_an_error() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("password");
        std::fs::write(&path, "s3cret\r\nmore\n").expect("written");
        assert_eq!(password(&path).expect("read"), "s3cret");
        std::fs::write(&path, "x".repeat(5000)).expect("written");
        let error = password(&path).expect_err("too long").to_string();
        assert!(error.contains("password") && !error.contains("xxx"), "{error}");
        assert_ne!(name().expect("random"), name().expect("random"));
    }
}
