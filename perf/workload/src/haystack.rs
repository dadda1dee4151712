//! What is scanned: real files of this machine, noise, and inputs made to be slow.

use crate::binaries::{self, Part};
use crate::corpus::mix;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Names of haystacks, as programs are told them.
pub const NAMES: [&str; 7] = ["binaries", "text", "random", "zeroes", "letters", "window", "literal"];

/// Where text is: sources, documents, markup.
const TEXT_FOLDERS: [&str; 3] = ["/usr/share", "/usr/lib", "/usr/include"];
const TEXT_ENDINGS: [&str; 12] = ["c", "css", "h", "html", "js", "json", "md", "pl", "pm", "py", "txt", "xml"];
const TEXT_FILE_BYTES_MAX: u64 = 256 << 10;

/// So many bytes of a kind; `literals` are those that are looked for.
///
/// # Errors
/// The name is none of [`NAMES`], or the machine has no such files.
pub fn haystack(name: &str, bytes: usize, literals: &[Vec<u8>]) -> io::Result<Vec<u8>> {
    let again = |once: &[u8]| once.iter().copied().cycle().take(bytes).collect();
    let first = literals.first().map_or(&b"literal"[..], Vec::as_slice);
    Ok(match name {
        "binaries" => binaries::read(Part::Scan, bytes)?,
        "text" => text(bytes)?,
        "random" => (0..bytes as u64 / 8 + 1).flat_map(|at| mix(at).to_le_bytes()).take(bytes).collect(),
        "zeroes" => again(b"\0"),
        "letters" => again(b"a"),
        "window" => again(&first[..first.len().min(8)]),
        "literal" => again(first),
        _ => return Err(io::Error::other(format!("no haystack is called {name}: one of {}", NAMES.join(", ")))),
    })
}

fn text(bytes_max: usize) -> io::Result<Vec<u8>> {
    let mut files = Vec::new();
    for folder in TEXT_FOLDERS {
        list(Path::new(folder), &mut files);
    }
    files.sort_by_cached_key(|path| binaries::hash(path.as_os_str().as_encoded_bytes()));
    let mut blob = Vec::new();
    for path in files {
        if blob.len() >= bytes_max {
            break;
        }
        // A file that cannot be read is skipped: the corpus is whatever this machine has.
        let _ = std::fs::File::open(&path).and_then(|file| file.take(TEXT_FILE_BYTES_MAX).read_to_end(&mut blob));
    }
    blob.truncate(bytes_max);
    if blob.len() < bytes_max / 2 {
        return Err(io::Error::other(format!("{} bytes of text are too few", blob.len())));
    }
    Ok(blob)
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let (path, Ok(kind)) = (entry.path(), entry.file_type()) else { continue };
        if kind.is_dir() {
            list(&path, files);
        } else if kind.is_file() && path.extension().is_some_and(|end| TEXT_ENDINGS.iter().any(|known| end == *known)) {
            files.push(path);
        }
    }
}
