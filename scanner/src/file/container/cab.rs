//! Microsoft cabinets: stored, MSZIP and LZX; Quantum is named as not read.
//!
//! A folder is a run of blocks compressed together; files are pieces of a folder. The reader is our own: the crate
//! `cab` panics on a file that lies behind its folder's end, and starts a folder anew for each file of it.

use std::io::Read;

use lzxd::{Lzxd, WindowSize};

use crate::file::Flow;
use crate::file::walk::Walk;

/// Bytes that MSZIP looks back, over the borders of blocks.
const MSZIP_WINDOW: usize = 32 << 10;

struct Header {
    folders: usize,
    folders_at: usize,
    folder_bytes: usize,
    data_reserve: usize,
}

struct File {
    name: String,
    folder: u16,
    offset: usize,
    bytes: usize,
}

pub(super) fn unpack(bytes: &[u8], walk: &mut Walk<'_>) {
    let Some(header) = header(bytes) else { return walk.broken("a cabinet's header ends early") };
    let files = files(bytes, walk.limits().files_max as usize + 1);
    for folder in 0..header.folders {
        let content = folder_content(bytes, &header, folder, walk);
        for file in files.iter().filter(|file| file.folder_of(header.folders) == folder) {
            let rest = content.get(file.offset..).unwrap_or(&[]);
            if rest.len() < file.bytes {
                walk.broken("a file of a cabinet lies behind its folder's end");
            }
            let kept = rest.len().min(file.bytes).min(walk.room());
            if kept > 0 && walk.open(&file.name, &rest[..kept]) == Flow::Stop {
                return;
            }
        }
        if walk.go_on() == Flow::Stop {
            return;
        }
    }
}

/// Optional parts of the header stand between it and the folders: reserved bytes, names of other cabinets.
fn header(bytes: &[u8]) -> Option<Header> {
    let folders = usize::from(u16_at(bytes, 26)?);
    let flags = u16_at(bytes, 30)?;
    let mut header = Header { folders, folders_at: 36, folder_bytes: 8, data_reserve: 0 };
    if flags & 4 != 0 {
        header.folders_at = 40 + usize::from(u16_at(bytes, 36)?);
        header.folder_bytes += usize::from(*bytes.get(38)?);
        header.data_reserve = usize::from(*bytes.get(39)?);
    }
    for _ in 0..(flags & 1) * 2 + (flags >> 1 & 1) * 2 {
        header.folders_at += memchr::memchr(0, bytes.get(header.folders_at..)?)? + 1;
    }
    Some(header)
}

enum Codec {
    Stored,
    MsZip,
    Lzx(Box<Lzxd>),
}

fn folder_content(bytes: &[u8], header: &Header, folder: usize, walk: &mut Walk<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    let at = header.folders_at + folder * header.folder_bytes;
    let (Some(first), Some(blocks), Some(kind)) = (u32_at(bytes, at), u16_at(bytes, at + 4), u16_at(bytes, at + 6))
    else {
        walk.broken("a cabinet ends inside of its folders");
        return out;
    };
    let mut codec = match (kind & 15, window(kind >> 8)) {
        (0, _) => Codec::Stored,
        (1, _) => Codec::MsZip,
        (3, Some(window)) => Codec::Lzx(Box::new(Lzxd::new(window))),
        _ => {
            walk.unsupported("cabinet with Quantum or an unknown method");
            return out;
        }
    };
    let room = walk.room();
    let mut at = first;
    for _ in 0..blocks {
        let (Some(stored), Some(plain)) = (u16_at(bytes, at + 4), u16_at(bytes, at + 6)) else { break };
        let from = at + 8 + header.data_reserve;
        let Some(block) = bytes.get(from..from + usize::from(stored)) else {
            walk.broken("a cabinet ends inside of a block");
            break;
        };
        at = from + block.len();
        if out.len() + usize::from(plain) > room {
            walk.no_room();
            break;
        }
        if walk.go_on() == Flow::Stop {
            break;
        }
        if let Err(cause) = codec.block(block, usize::from(plain), &mut out) {
            walk.broken(&cause);
            break;
        }
    }
    out
}

impl Codec {
    fn block(&mut self, block: &[u8], plain: usize, out: &mut Vec<u8>) -> Result<(), String> {
        match self {
            Self::Stored => out.extend_from_slice(&block[..block.len().min(plain)]),
            Self::MsZip => ms_zip(block, plain, out)?,
            Self::Lzx(decoder) => {
                out.extend_from_slice(decoder.decompress_next(block, plain).map_err(|cause| cause.to_string())?);
            }
        }
        Ok(())
    }
}

/// One block of MSZIP: a mark, then a deflate stream that looks back into the blocks before. Those are put before
/// it as a stored block, and taken off again.
fn ms_zip(block: &[u8], plain: usize, out: &mut Vec<u8>) -> Result<(), String> {
    let packed = block.strip_prefix(b"CK").ok_or("a block of MSZIP has no mark")?;
    let window = out[out.len().saturating_sub(MSZIP_WINDOW)..].to_vec();
    let length = window.len() as u16;
    let mut head = vec![0];
    head.extend_from_slice(&length.to_le_bytes());
    head.extend_from_slice(&(!length).to_le_bytes());
    head.extend_from_slice(&window);
    let mut decoder = flate2::read::DeflateDecoder::new(head.chain(packed)).take((window.len() + plain) as u64);
    let mut decoded = Vec::new();
    let result = decoder.read_to_end(&mut decoded);
    out.extend_from_slice(decoded.get(window.len()..).unwrap_or(&[]));
    result.map(|_| ()).map_err(|cause| cause.to_string())
}

fn window(bits: u16) -> Option<WindowSize> {
    Some(match bits & 31 {
        15 => WindowSize::KB32,
        16 => WindowSize::KB64,
        17 => WindowSize::KB128,
        18 => WindowSize::KB256,
        19 => WindowSize::KB512,
        20 => WindowSize::MB1,
        21 => WindowSize::MB2,
        _ => return None,
    })
}

impl File {
    /// Files that go on in another cabinet stand in the first or the last folder of this one.
    fn folder_of(&self, folders: usize) -> usize {
        match self.folder {
            0xfffd => 0,
            0xfffe | 0xffff => folders - 1,
            folder => usize::from(folder),
        }
    }
}

fn files(bytes: &[u8], files_max: usize) -> Vec<File> {
    let (Some(mut at), Some(count)) = (u32_at(bytes, 16), u16_at(bytes, 28)) else { return Vec::new() };
    let mut found = Vec::new();
    for _ in 0..usize::from(count).min(files_max) {
        let (Some(size), Some(offset)) = (u32_at(bytes, at), u32_at(bytes, at + 4)) else { break };
        let (Some(folder), Some(name)) = (u16_at(bytes, at + 8), bytes.get(at + 16..)) else { break };
        let name = &name[..memchr::memchr(0, name).unwrap_or(name.len())];
        at += 16 + name.len() + 1;
        found.push(File { name: String::from_utf8_lossy(name).into_owned(), folder, offset, bytes: size });
    }
    found
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at.checked_add(2)?).map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    let word = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes([word[0], word[1], word[2], word[3]]) as usize)
}
