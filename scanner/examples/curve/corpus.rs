//! Programs of this machine, dealt to four hands.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const ELF: &[u8] = b"\x7fELF";
/// No file fills more than this of a hand.
const FILE_BYTES_MAX: usize = 8 << 20;
/// A signature has at least so many different bytes.
const VALUES_MIN: usize = 8;

/// The four hands.
pub struct Hands {
    pub quarantine: Vec<u8>,
    pub held_out: Vec<u8>,
    pub learning: Vec<u8>,
    pub goodware: Vec<u8>,
}

impl Hands {
    /// Deals files until the quarantine has its bytes.
    pub fn deal(bytes: usize) -> io::Result<Self> {
        let mut paths = Vec::new();
        for folder in ["/usr/bin", "/usr/lib"] {
            walk(Path::new(folder), &mut paths)?;
        }
        paths.sort_by_key(|path| number(path.as_os_str().as_encoded_bytes()));
        let mut hands = Self { quarantine: vec![], held_out: vec![], learning: vec![], goodware: vec![] };
        for path in paths {
            let Ok(file) = fs::read(&path) else { continue };
            if !file.starts_with(ELF) {
                continue;
            }
            let hand = match number(path.as_os_str().as_encoded_bytes()) % 8 {
                0 => &mut hands.held_out,
                1 => &mut hands.learning,
                2 | 3 => &mut hands.goodware,
                _ => &mut hands.quarantine,
            };
            hand.extend_from_slice(&file[..file.len().min(FILE_BYTES_MAX)]);
            if hands.quarantine.len() >= bytes {
                break;
            }
        }
        hands.quarantine.truncate(bytes);
        Ok(hands)
    }
}

fn walk(folder: &Path, out: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)?.flatten() {
        let kind = entry.file_type()?;
        if kind.is_dir() {
            walk(&entry.path(), out)?;
        } else if kind.is_file() {
            out.push(entry.path());
        }
    }
    Ok(())
}

/// Literals and how many were refused.
pub struct Signatures {
    pub literals: Vec<Vec<u8>>,
    pub tried: usize,
    pub withdrawn: usize,
}

/// Cuts literals of 16 to 64 bytes out of held-out programs, at random places; those that are in the goodware
/// are withdrawn.
pub fn cut_signatures(hands: &Hands, count: usize) -> Signatures {
    let goodware: HashSet<u64> = hands.goodware.windows(16).map(number).collect();
    let mut out = Signatures { literals: Vec::new(), tried: 0, withdrawn: 0 };
    let mut seed = 1;
    let mut draw = |limit: usize| {
        seed = number(&u64::to_le_bytes(seed));
        (seed % limit as u64) as usize
    };
    while out.literals.len() < count {
        let bytes = 16 + draw(49);
        let at = draw(hands.held_out.len() - bytes);
        let literal = &hands.held_out[at..at + bytes];
        if literal.iter().collect::<HashSet<_>>().len() < VALUES_MIN {
            continue;
        }
        out.tried += 1;
        if literal.windows(16).all(|part| goodware.contains(&number(part))) {
            out.withdrawn += 1;
        } else {
            out.literals.push(literal.to_vec());
        }
    }
    out
}

/// A number that any change of the bytes changes.
pub fn number(bytes: &[u8]) -> u64 {
    let mixed = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3));
    (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 1
}
