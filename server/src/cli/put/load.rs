//! One file, opened once: read into memory when it is small, else hashed and kept open to be streamed.

use crate::cli::client::Content;
use bytes::Bytes;
use model::{Blake3, limits};
use std::fs::OpenOptions;
use std::io::{Error, Read, Result};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Up to here a file is read once, into memory, and sent from there.
const WHOLE_BYTES_MAX: u64 = 1 << 20;
/// Bytes read at once while hashing.
const CHUNK_BYTES: usize = 256 << 10;

/// A file ready to be sent.
#[derive(Debug)]
pub struct Loaded {
    /// Digest of the bytes.
    pub digest: Blake3,
    /// How many.
    pub bytes: u64,
    /// The bytes.
    pub content: Content,
}

impl Loaded {
    /// From memory.
    #[must_use]
    pub fn whole(bytes: Vec<u8>) -> Self {
        let digest = Blake3(*blake3::hash(&bytes).as_bytes());
        Self { digest, bytes: bytes.len() as u64, content: Content::Whole(Bytes::from(bytes)) }
    }
}

/// Opens and reads a file. Blocking.
///
/// # Errors
/// It cannot be read, is a link or no file any more, or changed its size meanwhile.
pub fn load(path: &Path) -> Result<Loaded> {
    // Between the walk and now it may have become a link or a pipe: neither is followed or waited for.
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC;
    let mut file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(Error::other("is no regular file any more"));
    }
    let bytes = metadata.len();
    if bytes <= WHOLE_BYTES_MAX {
        let mut whole = Vec::with_capacity(bytes as usize);
        // One more byte than a small file has tells that it grew; a virtual file (size 0) is read likewise.
        Read::by_ref(&mut file).take(WHOLE_BYTES_MAX + 1).read_to_end(&mut whole)?;
        if whole.len() as u64 > WHOLE_BYTES_MAX {
            return Err(Error::other("grew while it was read"));
        }
        return Ok(Loaded::whole(whole));
    }
    let mut hasher = blake3::Hasher::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut left = bytes;
    while left > 0 {
        let want = CHUNK_BYTES.min(usize::try_from(left).unwrap_or(CHUNK_BYTES));
        let read = file.read(&mut chunk[..want])?;
        if read == 0 {
            return Err(Error::other("shrank while it was read"));
        }
        hasher.update(&chunk[..read]);
        left -= read as u64;
    }
    Ok(Loaded { digest: Blake3(*hasher.finalize().as_bytes()), bytes, content: Content::File(Arc::new(file), bytes) })
}

/// Reads standard input into a bounded queue until its end. Blocking.
pub fn stdin_chunks(chunks: &mpsc::Sender<Result<Bytes>>) {
    let mut stdin = std::io::stdin().lock();
    loop {
        let mut chunk = vec![0; CHUNK_BYTES];
        let read = match stdin.read(&mut chunk) {
            Ok(0) => return,
            Ok(read) => Ok(read),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let ended = read.is_err();
        let chunk = read.map(|read| {
            chunk.truncate(read);
            Bytes::from(chunk)
        });
        if chunks.blocking_send(chunk).is_err() || ended {
            return;
        }
    }
}

/// The original path as the item will show it: absolute, text, `\xNN` for bytes that are none, and cut from the
/// front when it is too long, because the end of a path says more.
#[must_use]
pub fn name_of(path: &Path) -> String {
    if path == Path::new("-") {
        return "stdin".to_owned();
    }
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut name = String::new();
    for chunk in absolute.as_os_str().as_encoded_bytes().utf8_chunks() {
        name.push_str(chunk.valid());
        name.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    if name.len() <= limits::NAME_BYTES_MAX {
        return name;
    }
    let mut start = name.len() - limits::NAME_BYTES_MAX;
    while !name.is_char_boundary(start) {
        start += 1;
    }
    name.split_off(start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn small_and_large_files_have_the_digest_of_their_bytes() {
        let dir = tempfile::tempdir().expect("a folder");
        for bytes in [0, 5, WHOLE_BYTES_MAX as usize, WHOLE_BYTES_MAX as usize + 1] {
            let content = vec![7; bytes];
            let path = dir.path().join("file");
            std::fs::write(&path, &content).expect("writable");
            let loaded = load(&path).expect("readable");
            assert_eq!(loaded.digest.0, *blake3::hash(&content).as_bytes());
            assert_eq!(loaded.bytes, bytes as u64);
        }
    }

    #[test]
    fn a_link_that_took_a_files_place_is_not_followed() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("link");
        std::os::unix::fs::symlink("/etc/hostname", &path).expect("writable");
        assert!(load(&path).is_err());
    }

    #[test]
    fn a_name_is_absolute_text_and_keeps_its_end_when_it_is_too_long() {
        assert_eq!(name_of(Path::new(OsStr::from_bytes(b"/tmp/\xff"))), "/tmp/\\xff");
        assert!(name_of(Path::new("x")).ends_with("/x"));
        let long = format!("/{}/end", "\u{e9}".repeat(limits::NAME_BYTES_MAX));
        let name = name_of(Path::new(&long));
        assert!(name.len() <= limits::NAME_BYTES_MAX && name.ends_with("/end"));
    }
}
