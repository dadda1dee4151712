//! MS-DOS COMPRESS.EXE: a window of 4096 bytes, runs of 3 to 18.

use crate::file::walk::Walk;

const HEADER_BYTES: usize = 14;

pub(super) fn unpack(bytes: &[u8], walk: &mut Walk<'_>) {
    let (Some(packed), Some(&mode)) = (bytes.get(HEADER_BYTES..), bytes.get(8)) else {
        return walk.broken("an SZDD header ends early");
    };
    if mode != b'A' {
        return walk.unsupported("SZDD mode");
    }
    let stated = u32::from_le_bytes([bytes[10], bytes[11], bytes[12], bytes[13]]) as usize;
    let room = walk.room().min(stated);
    let mut out = Vec::new();
    let mut window = [b' '; 4096];
    let mut place = 4096 - 16;
    let mut put = |byte: u8, window: &mut [u8; 4096], out: &mut Vec<u8>| {
        window[place] = byte;
        place = (place + 1) % 4096;
        out.push(byte);
    };
    let mut source = packed.iter().copied();
    'whole: while let Some(mut control) = source.next() {
        for _ in 0..8 {
            if out.len() >= room {
                break 'whole;
            }
            let literal = control & 1 == 1;
            control >>= 1;
            let Some(first) = source.next() else { break 'whole };
            if literal {
                put(first, &mut window, &mut out);
                continue;
            }
            let Some(second) = source.next() else { break 'whole };
            let from = usize::from(first) | usize::from(second & 0xf0) << 4;
            for n in 0..usize::from(second & 0x0f) + 3 {
                if out.len() < room {
                    put(window[(from + n) % 4096], &mut window, &mut out);
                }
            }
        }
    }
    if stated > walk.room() {
        walk.no_room();
    }
    walk.open("SZDD content", &out);
}
