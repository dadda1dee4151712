//! ZIP's two locks, tried with the one password that the field locks samples with.

use std::num::NonZeroU32;

use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};

use super::{Entry, extra_field, u16_at};

/// By custom, so that no mail filter and no other scanner opens a sample on its way.
const PASSWORD: &[u8] = b"infected";
/// WinZip's AES: rounds of PBKDF2 with HMAC-SHA1.
const ROUNDS: NonZeroU32 = NonZeroU32::new(1000).unwrap();
/// WinZip's AES: bytes of the authentication code behind the content.
const CODE_BYTES: usize = 10;

/// `(method, content)` of a locked member, or `None` where the password is another.
pub(super) fn open(entry: &Entry<'_>, stored: &[u8]) -> Option<(u16, Vec<u8>)> {
    if entry.method == 99 { aes(entry, stored) } else { Some((entry.method, traditional(entry, stored)?)) }
}

fn aes(entry: &Entry<'_>, stored: &[u8]) -> Option<(u16, Vec<u8>)> {
    let extra = extra_field(entry.extra, 0x9901)?;
    let (strength, method) = (*extra.get(4)?, u16_at(extra, 5)?);
    let (salt_bytes, key_bytes) = match strength {
        1 => (8, 16),
        2 => (12, 24),
        3 => (16, 32),
        _ => return None,
    };
    let (salt, rest) = stored.split_at_checked(salt_bytes)?;
    let (check, rest) = rest.split_at_checked(2)?;
    let content = &rest[..rest.len().checked_sub(CODE_BYTES)?];
    let mut derived = vec![0; 2 * key_bytes + 2];
    ring::pbkdf2::derive(ring::pbkdf2::PBKDF2_HMAC_SHA1, ROUNDS, salt, PASSWORD, &mut derived);
    if &derived[2 * key_bytes..] != check {
        return None;
    }
    let mut plain = content.to_vec();
    let key = &derived[..key_bytes];
    match strength {
        1 => counter_mode(&aes::Aes128::new_from_slice(key).ok()?, &mut plain),
        2 => counter_mode(&aes::Aes192::new_from_slice(key).ok()?, &mut plain),
        _ => counter_mode(&aes::Aes256::new_from_slice(key).ok()?, &mut plain),
    }
    Some((method, plain))
}

/// WinZip counts from one, least significant byte first.
fn counter_mode<C>(cipher: &C, bytes: &mut [u8])
where
    C: BlockCipherEncrypt<BlockSize = aes::cipher::consts::U16>,
{
    for (n, chunk) in (1u128..).zip(bytes.chunks_mut(16)) {
        let mut block = Array::from(n.to_le_bytes());
        cipher.encrypt_block(&mut block);
        chunk.iter_mut().zip(block).for_each(|(byte, key)| *byte ^= key);
    }
}

/// The stream cipher of PKZIP 2: three words that follow the plain text (APPNOTE 6.1).
fn traditional(entry: &Entry<'_>, stored: &[u8]) -> Option<Vec<u8>> {
    let table = crc_table();
    let mut keys = [0x1234_5678u32, 0x2345_6789, 0x3456_7890];
    let follow = |keys: &mut [u32; 3], plain: u8| {
        keys[0] = step(&table, keys[0], plain);
        keys[1] = keys[1].wrapping_add(keys[0] & 0xff).wrapping_mul(134_775_813).wrapping_add(1);
        keys[2] = step(&table, keys[2], (keys[1] >> 24) as u8);
    };
    for byte in PASSWORD {
        follow(&mut keys, *byte);
    }
    let mut plain = stored.to_vec();
    for byte in &mut plain {
        let mask = keys[2] as u16 | 2;
        *byte ^= (mask.wrapping_mul(mask ^ 1) >> 8) as u8;
        follow(&mut keys, *byte);
    }
    // The last byte of the 12 before the content repeats one of the checksum, or of the time where that was not
    // known yet: one wrong password in 256 passes, and its rubbish fails to decompress.
    let check = if entry.flags & 8 != 0 { (entry.time >> 8) as u8 } else { (entry.check >> 24) as u8 };
    (*plain.get(11)? == check).then(|| plain.split_off(12))
}

fn crc_table() -> [u32; 256] {
    std::array::from_fn(|n| {
        (0..8).fold(n as u32, |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

fn step(table: &[u32; 256], crc: u32, byte: u8) -> u32 {
    table[usize::from(crc as u8 ^ byte)] ^ crc >> 8
}
