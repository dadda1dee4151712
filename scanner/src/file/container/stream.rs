//! One compressed file: gzip, bzip2, xz, and Flash, which is compressed behind its header.

use std::io::{Cursor, Read};

use crate::file::walk::Walk;

/// gzip with any number of members, one behind the other; rubbish behind the last is passed over.
pub(super) fn gzip(bytes: &[u8], walk: &mut Walk<'_>) {
    let mut reader = flate2::bufread::GzDecoder::new(bytes);
    let first = walk.drain(&mut reader);
    let name =
        reader.header().and_then(|header| header.filename()).map(|name| String::from_utf8_lossy(name).into_owned());
    let rest = reader.into_inner();
    let mut out = first;
    // Further members belong to the same file, as `gzip -d` has it.
    if rest.starts_with(&[0x1f, 0x8b]) && out.len() < walk.room() {
        out.extend_from_slice(
            &walk.drain(flate2::bufread::MultiGzDecoder::new(rest).take((walk.room() - out.len()) as u64)),
        );
    }
    walk.open(name.as_deref().unwrap_or("gzip content"), &out);
}

pub(super) fn bzip2(bytes: &[u8], walk: &mut Walk<'_>) {
    let out = walk.drain(bzip2::bufread::MultiBzDecoder::new(bytes));
    walk.open("bzip2 content", &out);
}

pub(super) fn xz(bytes: &[u8], walk: &mut Walk<'_>) {
    let limit_kib = u32::try_from(walk.limits().window_bytes_max >> 10).unwrap_or(u32::MAX);
    let out = walk.drain(lzma_rust2::XzReader::new_mem_limit(Cursor::new(bytes), true, limit_kib));
    walk.open("xz content", &out);
}

/// Flash behind its eight bytes of header: zlib for `CWS`, LZMA for `ZWS`.
pub(super) fn flash(bytes: &[u8], walk: &mut Walk<'_>) {
    let Some(body) = bytes.get(8..) else { return };
    let content = match &bytes[..3] {
        b"CWS" => walk.drain(flate2::bufread::ZlibDecoder::new(body)),
        b"ZWS" => {
            let Some((properties, packed)) = body.get(4..).and_then(|rest| rest.split_at_checked(5)) else {
                return walk.broken("a Flash header ends early");
            };
            let dictionary = u32::from_le_bytes([properties[1], properties[2], properties[3], properties[4]]);
            if u64::from(dictionary) > walk.limits().window_bytes_max {
                walk.limit(crate::file::Limit::Window);
                return;
            }
            match lzma_rust2::LzmaReader::new_with_props(Cursor::new(packed), u64::MAX, properties[0], dictionary, None)
            {
                Ok(reader) => walk.drain(reader),
                Err(cause) => return walk.broken(&cause.to_string()),
            }
        }
        _ => return,
    };
    let mut plain = Vec::with_capacity(8 + content.len());
    plain.extend_from_slice(b"FWS");
    plain.extend_from_slice(&bytes[3..8]);
    plain.extend_from_slice(&content);
    walk.open("Flash content", &plain);
}
