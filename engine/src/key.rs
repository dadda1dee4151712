//! The store's key file, made at first start and readable by its owner only.

use crate::disk::{Disk, ReadMode};
use crate::error::{OpenError, opening};
use crate::pack::StoreKey;
use crate::segment::header::StoreId;
use std::io;
use std::path::Path;

const FIRST_LINE: &str = "lazaret store key, version 1";
/// A key file is five short lines.
const KEY_FILE_BYTES_MAX: u64 = 1024;

/// Name of the store and the secret that opens it.
pub(crate) struct KeyFile {
    pub(crate) store: StoreId,
    pub(crate) key: StoreKey,
}

/// Reads the key file, or makes one for a store that has no segment yet.
pub(crate) fn load(disk: &dyn Disk, data: &Path, has_segments: bool) -> Result<KeyFile, OpenError> {
    let path = data.join("store.key");
    match disk.open(&path, ReadMode::Pread) {
        Ok(file) if file.bytes() > 0 => {
            let mut bytes = vec![0; file.bytes().min(KEY_FILE_BYTES_MAX) as usize];
            file.read_at(0, &mut bytes).map_err(opening("read", &path))?;
            let text = String::from_utf8_lossy(&bytes);
            parse(&text).map_err(|what| OpenError::Key { path, what })
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(opening("open", &path)(error)),
        Ok(_) | Err(_) if has_segments => Err(OpenError::KeyMissing(data.to_owned())),
        Ok(_) | Err(_) => {
            let mut random = [0; 48];
            crate::pack::random(&mut random).map_err(opening("make a key for", data))?;
            let text = render(&random);
            disk.write_small(&path, text.as_bytes()).map_err(opening("write", &path))?;
            parse(&text).map_err(|what| OpenError::Key { path, what })
        }
    }
}

fn render(random: &[u8; 48]) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let body = format!("{FIRST_LINE}\nstore {}\nkey {}\n", hex(&random[..16]), hex(&random[16..]));
    format!("{body}check {:08x}\n", crc32c::crc32c(body.as_bytes()))
}

fn parse(text: &str) -> Result<KeyFile, &'static str> {
    let (body, check) = text.rsplit_once("check ").ok_or("it has no line 'check'")?;
    if u32::from_str_radix(check.trim(), 16) != Ok(crc32c::crc32c(body.as_bytes())) {
        return Err("its checksum is wrong");
    }
    let mut lines = body.lines();
    if lines.next() != Some(FIRST_LINE) {
        return Err("its first line is not that of this version");
    }
    let mut field = |name: &str| lines.next().and_then(|line| line.strip_prefix(name));
    let store = field("store ").and_then(unhex::<16>).ok_or("its line 'store' is not 32 hexadecimal digits")?;
    let secret = field("key ").and_then(unhex::<32>).ok_or("its line 'key' is not 64 hexadecimal digits")?;
    Ok(KeyFile { store, key: StoreKey::new(&secret) })
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let mut out = [0; N];
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    for (byte, pair) in out.iter_mut().zip(pairs) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_reads_back_and_no_changed_byte_passes() {
        let text = render(&std::array::from_fn(|at| at as u8 * 5));
        assert_eq!(parse(&text).map(|file| file.store).unwrap(), std::array::from_fn(|at| at as u8 * 5));
        for at in 0..text.len() - 1 {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            assert!(parse(&String::from_utf8(bytes).unwrap()).is_err(), "byte {at}");
        }
    }
}
