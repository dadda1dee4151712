//! What is unpacked, and by which reader.
//!
//! Containers whose damage is a trick of the trade (ZIP, TAR, CAB, mail, compound documents) have small readers of
//! our own: they take what a lenient reader takes, and bound it. Compression itself comes from crates: `flate2`,
//! `deflate64`, `bzip2`, `lzma-rust2`, `lzxd`, `delharc`; 7z whole from `sevenz-rust2`, whose format leaves little
//! room for lenience.

mod arj;
mod binhex;
mod cab;
mod cpio;
mod iso;
mod mail;
mod ole2;
mod pdf;
mod rtf;
mod seven_zip;
mod stream;
mod szdd;
pub(crate) mod tar;
mod tnef;
mod uu;
mod vba;
pub(crate) mod zip;

use super::walk::Walk;
use super::{Executable, Flow, Kind};

/// Archives looked for behind or inside of an executable or of text.
const EMBEDDED_MAX: usize = 16;

/// Opens what a file of that kind holds.
pub(crate) fn unpack(kind: Kind, bytes: &[u8], executable: Option<&Executable>, walk: &mut Walk<'_>) {
    match kind {
        Kind::Zip => zip::unpack(bytes, walk),
        Kind::Tar => tar::unpack(bytes, walk),
        Kind::Gzip => stream::gzip(bytes, walk),
        Kind::Bzip2 => stream::bzip2(bytes, walk),
        Kind::Xz => stream::xz(bytes, walk),
        Kind::Cpio => cpio::unpack(bytes, walk),
        Kind::SevenZip => seven_zip::unpack(bytes, walk),
        Kind::Cab => cab::unpack(bytes, walk),
        Kind::Ole2 => ole2::unpack(bytes, walk),
        Kind::Mail => mail::unpack(bytes, walk),
        Kind::Uuencoded => uu::unpack(bytes, walk),
        Kind::Arj => arj::unpack(bytes, walk),
        Kind::Szdd => szdd::unpack(bytes, walk),
        Kind::BinHex => binhex::unpack(bytes, walk),
        Kind::Rtf => rtf::unpack(bytes, walk),
        Kind::Tnef => tnef::unpack(bytes, walk),
        Kind::Pdf => pdf::unpack(bytes, walk),
        Kind::Iso => iso::unpack(bytes, walk),
        Kind::Flash => stream::flash(bytes, walk),
        Kind::MachOFat => fat(bytes, walk),
        Kind::Rar
        | Kind::Lha
        | Kind::Udf
        | Kind::Chm
        | Kind::Sis
        | Kind::Xar
        | Kind::Egg
        | Kind::Alz
        | Kind::OneNote
        | Kind::ScriptEncoded => walk.unsupported(kind.label()),
        Kind::Pe => {
            if let Some(packer) = executable.and_then(|executable| packer(bytes, executable)) {
                walk.unsupported(packer);
            }
            embedded(bytes, walk);
        }
        Kind::Elf | Kind::Data | Kind::Text | Kind::Utf16Le | Kind::Utf16Be => embedded(bytes, walk),
        Kind::Tiny | Kind::Html | Kind::MachO | Kind::JavaClass | Kind::Picture | Kind::Shortcut => {}
    }
}

/// Archives that begin somewhere inside of other bytes: self-extractors, installers.
fn embedded(bytes: &[u8], walk: &mut Walk<'_>) {
    let mut found: Vec<(usize, &str)> = Vec::new();
    for (magic, name) in [
        (&b"PK\x03\x04"[..], "embedded ZIP"),
        (b"MSCF\0\0\0\0", "embedded CAB"),
        (b"7z\xbc\xaf\x27\x1c", "embedded 7z"),
        (b"Rar!\x1a\x07\0", "embedded RAR"),
    ] {
        // A ZIP is read to its end from its first member on, so one place is enough.
        let places = if name == "embedded ZIP" { 1 } else { EMBEDDED_MAX };
        found.extend(memchr::memmem::find_iter(bytes, magic).filter(|at| *at > 0).take(places).map(|at| (at, name)));
    }
    found.sort_unstable();
    for (at, name) in found.into_iter().take(EMBEDDED_MAX) {
        let inner = &bytes[at..];
        if walk.open(name, &inner[..inner.len().min(walk.room())]) == Flow::Stop {
            return;
        }
    }
}

/// The packer that an executable names in its section table, for those that ClamAV unpacks and we do not.
fn packer(bytes: &[u8], executable: &Executable) -> Option<&'static str> {
    const HEADERS_BYTES: usize = 1024;
    let first = executable.sections.iter().filter(|section| section.bytes > 0).map(|section| section.offset).min()?;
    let headers = &bytes[..bytes.len().min(HEADERS_BYTES).min(first.max(512) as usize)];
    [
        (&b"UPX0"[..], "UPX"),
        (b"UPX!", "UPX"),
        (b".aspack", "ASPack"),
        (b".petite", "Petite"),
        (b"MEW", "MEW"),
        (b".Upack", "Upack"),
        (b".WWPACK", "WWPack"),
        (b"WWP32", "WWPack"),
        (b"nsp0", "NsPack"),
        (b".yC", "yC"),
    ]
    .into_iter()
    .find(|(mark, _)| memchr::memmem::find(headers, mark).is_some())
    .map(|found| found.1)
}

/// The Mach-O files of a universal binary.
fn fat(bytes: &[u8], walk: &mut Walk<'_>) {
    const PROCESSORS_MAX: u32 = 32;
    let word = |at: usize| bytes.get(at..at + 4).map(|word| u32::from_be_bytes([word[0], word[1], word[2], word[3]]));
    for n in 0..word(4).unwrap_or(0).min(PROCESSORS_MAX) as usize {
        let (Some(from), Some(size)) = (word(8 + n * 20 + 8), word(8 + n * 20 + 12)) else { return };
        let part = bytes.get(from as usize..).map(|rest| &rest[..rest.len().min(size as usize).min(walk.room())]);
        match part {
            Some(part) if walk.open("processor", part) == Flow::On => {}
            Some(_) => return,
            None => walk.broken("a processor's part lies outside of the file"),
        }
    }
}
