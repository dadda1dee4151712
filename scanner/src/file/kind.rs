//! What kind of file some bytes are, as far as signatures and unpacking need to know.
//!
//! Magic numbers first, then whether the first bytes read as text. The order and the text rule were learned from
//! what `clamscan --debug` says about small files: bytes from 0x80 upwards count as text, most control characters
//! do not, and what is not text by bytes may still pass as big-endian UTF-16. Fewer than six bytes have no kind.

use serde::{Deserialize, Serialize};

/// Bytes looked at to tell text from data.
const TEXT_PROBE_BYTES: usize = 1024;
/// Files shorter than this have no kind, and `clamscan` does not scan them at all.
pub const KIND_BYTES_MIN: usize = 6;

/// Target types of ClamAV's signatures, with their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(u8)]
pub enum Target {
    /// Every file.
    Any = 0,
    /// Windows executables.
    Pe = 1,
    /// Compound documents and their macros.
    Ole2 = 2,
    /// Normalised HTML.
    Html = 3,
    /// Mail.
    Mail = 4,
    /// Pictures.
    Graphics = 5,
    /// ELF executables.
    Elf = 6,
    /// Normalised text.
    Text = 7,
    /// Mach-O executables.
    MachO = 9,
    /// PDF.
    Pdf = 10,
    /// Flash.
    Flash = 11,
    /// Java classes.
    Java = 12,
}

impl Target {
    /// The target of a signature's number; `None` for numbers that have no meaning (8, 13 and above).
    pub fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Any,
            1 => Self::Pe,
            2 => Self::Ole2,
            3 => Self::Html,
            4 => Self::Mail,
            5 => Self::Graphics,
            6 => Self::Elf,
            7 => Self::Text,
            9 => Self::MachO,
            10 => Self::Pdf,
            11 => Self::Flash,
            12 => Self::Java,
            _ => return None,
        })
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $label:literal $(, $target:ident)?;)*) => {
        /// A file's kind.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Kind { $($(#[$doc])* $name,)* }

        impl Kind {
            /// Its name for people.
            pub fn label(self) -> &'static str {
                match self { $(Self::$name => $label,)* }
            }

            /// The target whose signatures look at the bytes of such a file as they are. Text has none: its
            /// signatures look at the normalised form only.
            pub fn target(self) -> Option<Target> {
                match self { $(Self::$name => None $(.or(Some(Target::$target)))?,)* }
            }
        }
    };
}

kinds! {
    /// Too short to be anything.
    Tiny = "tiny";
    /// Not text, no known magic number.
    Data = "data";
    /// Text, one byte a character.
    Text = "text";
    /// Text that passes as UTF-16, least significant byte first.
    Utf16Le = "UTF-16LE text";
    /// Text that passes as UTF-16, most significant byte first.
    Utf16Be = "UTF-16BE text";
    /// HTML; also a script that names HTML tags.
    Html = "HTML", Html;
    /// Mail, in any of the ways it is stored.
    Mail = "mail", Mail;
    /// UUencoded text.
    Uuencoded = "uuencoded";
    /// RTF.
    Rtf = "RTF";
    /// PDF.
    Pdf = "PDF", Pdf;
    /// DOS and Windows executables.
    Pe = "PE", Pe;
    /// ELF.
    Elf = "ELF", Elf;
    /// Mach-O of one processor.
    MachO = "Mach-O", MachO;
    /// Mach-O of several processors.
    MachOFat = "Mach-O universal";
    /// Java class.
    JavaClass = "Java class", Java;
    /// Flash.
    Flash = "Flash", Flash;
    /// Pictures.
    Picture = "picture", Graphics;
    /// Compound document: old Office files, MSI, Outlook messages.
    Ole2 = "OLE2", Ole2;
    /// TNEF, Outlook's attachment wrapper.
    Tnef = "TNEF";
    /// ZIP; also office documents, Java archives.
    Zip = "ZIP";
    /// RAR: not opened.
    Rar = "RAR";
    /// 7z.
    SevenZip = "7z";
    /// TAR.
    Tar = "TAR";
    /// gzip.
    Gzip = "gzip";
    /// bzip2.
    Bzip2 = "bzip2";
    /// xz.
    Xz = "xz";
    /// Cabinet.
    Cab = "CAB";
    /// ARJ.
    Arj = "ARJ";
    /// LHA: not opened.
    Lha = "LHA";
    /// cpio.
    Cpio = "cpio";
    /// MS-DOS COMPRESS.EXE.
    Szdd = "SZDD";
    /// BinHex 4.0.
    BinHex = "BinHex";
    /// ISO 9660 image.
    Iso = "ISO 9660";
    /// UDF image: not opened.
    Udf = "UDF";
    /// Windows help archive: not opened.
    Chm = "CHM";
    /// Symbian installer: not opened.
    Sis = "SIS";
    /// XAR: not opened.
    Xar = "XAR";
    /// Egg: not opened.
    Egg = "EGG";
    /// ALZ: not opened.
    Alz = "ALZ";
    /// Windows shortcut.
    Shortcut = "LNK";
    /// OneNote: not opened.
    OneNote = "OneNote";
    /// Encoded script: not opened.
    ScriptEncoded = "encoded script";
}

/// `(offset, magic, kind)`; the first that matches decides.
const MAGIC: &[(usize, &[u8], Kind)] = &[
    (0, b"MZ", Kind::Pe),
    (0, b"\x7fELF", Kind::Elf),
    (0, b"PK\x03\x04", Kind::Zip),
    (0, b"PK00PK\x03\x04", Kind::Zip),
    (0, b"Rar!", Kind::Rar),
    (0, b"7z\xbc\xaf\x27\x1c", Kind::SevenZip),
    (0, b"\x1f\x8b", Kind::Gzip),
    (0, b"BZh", Kind::Bzip2),
    (0, b"\xfd7zXZ\0", Kind::Xz),
    (0, b"MSCF\0\0\0\0", Kind::Cab),
    (0, b"\x60\xea", Kind::Arj),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind::Ole2),
    (0, b"%PDF-", Kind::Pdf),
    (0, b"{\\rt", Kind::Rtf),
    (0, b"\x78\x9f\x3e\x22", Kind::Tnef),
    (0, b"SZDD", Kind::Szdd),
    (0, b"(This file must be converted with BinHex 4.0)", Kind::BinHex),
    (0, b"ITSF", Kind::Chm),
    (0, b"070701", Kind::Cpio),
    (0, b"070702", Kind::Cpio),
    (0, b"070707", Kind::Cpio),
    (0, b"\x71\xc7", Kind::Cpio),
    (0, b"\xc7\x71", Kind::Cpio),
    (257, b"ustar", Kind::Tar),
    (0, b"\xce\xfa\xed\xfe", Kind::MachO),
    (0, b"\xcf\xfa\xed\xfe", Kind::MachO),
    (0, b"\xfe\xed\xfa\xce", Kind::MachO),
    (0, b"\xfe\xed\xfa\xcf", Kind::MachO),
    (0, b"FWS", Kind::Flash),
    (0, b"CWS", Kind::Flash),
    (0, b"ZWS", Kind::Flash),
    (0, b"BM", Kind::Picture),
    (0, b"\x89PNG", Kind::Picture),
    (0, b"GIF", Kind::Picture),
    (0, b"\xff\xd8\xff", Kind::Picture),
    (0, b"II*\0", Kind::Picture),
    (0, b"MM", Kind::Picture),
    (0, b"\0\0\0\x0cjP  \x0d\x0a\x87\x0a", Kind::Picture),
    (0, b"xar!", Kind::Xar),
    (0, b"EGGA", Kind::Egg),
    (0, b"ALZ\x01", Kind::Alz),
    (0, b"\x4c\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46", Kind::Shortcut),
    (0, b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3", Kind::OneNote),
    (0, b"#@~^", Kind::ScriptEncoded),
    (8, b"\x19\x04\0\x10", Kind::Sis),
    (12, b"\x19\x04\0\x10", Kind::Sis),
    (0, b"begin ", Kind::Uuencoded),
];

/// What the first line of a stored mail begins with.
const MAIL: &[&[u8]] = &[
    b"From ",
    b">From ",
    b"From: ",
    b"Date: ",
    b"Delivered-To: ",
    b"Delivery-date: ",
    b"Envelope-to: ",
    b"For: ",
    b"Hi. This is the qmail-send",
    b"Message-ID: ",
    b"Message-Id: ",
    b"Received: ",
    b"Return-Path: ",
    b"Return-path: ",
    b"Subject: ",
    b"To: ",
    b"X-Apparently-To: ",
    b"X-EVS",
    b"X-Envelope-From: ",
    b"X-Original-To: ",
    b"X-Real-To: ",
    b"X-Sieve: ",
    b"X-Symantec-",
    b"X-UIDL: ",
    b"v:\nReceived: ",
    b"v:\r\nReceived: ",
    b"Received-SPF: ",
];

/// Tags that make a file HTML wherever they stand. Only these writings count: all small, all capital, and for
/// some a capital first letter.
const HTML: &[&[u8]] = &[
    b"<HEAD>", b"<Head>", b"<head>", b"<HTML>", b"<Html>", b"<html>", b"<IFRAME", b"<iframe", b"<IMG", b"<Img",
    b"<img", b"<OBJECT", b"<Object", b"<object", b"<SCRIPT", b"<Script", b"<script", b"<TABLE", b"<table",
];

/// The kind of a file, from its bytes alone.
pub fn detect(bytes: &[u8]) -> Kind {
    if bytes.len() < KIND_BYTES_MIN {
        return Kind::Tiny;
    }
    if let Some(kind) = by_magic(bytes) {
        return kind;
    }
    if is_mail_inside(bytes) {
        return Kind::Mail;
    }
    let text = text_kind(&bytes[..bytes.len().min(TEXT_PROBE_BYTES)]);
    match text {
        Kind::Data if is_plain_tar(bytes) => Kind::Tar,
        Kind::Data if starts_with_at(bytes, 32769, b"CD001") => Kind::Iso,
        Kind::Data if starts_with_at(bytes, 32769, b"BEA01") => Kind::Udf,
        kind => kind,
    }
}

/// Whether a tag stands anywhere that makes a file HTML, whatever its kind is.
pub fn names_html(bytes: &[u8]) -> bool {
    let mut from = 0;
    while let Some(at) = memchr::memchr(b'<', &bytes[from..]) {
        let tag = &bytes[from + at..];
        if HTML.iter().any(|known| tag.starts_with(known)) || is_link(tag) {
            return true;
        }
        from += at + 1;
    }
    bytes.starts_with(b"<%@ LANGUAGE =")
}

/// `<a ... href`, in the writings that count. A link's other attributes are few: the search is bounded.
fn is_link(tag: &[u8]) -> bool {
    const ATTRIBUTES_BYTES_MAX: usize = 1024;
    if !(tag.starts_with(b"<a ") || tag.starts_with(b"<A ")) {
        return false;
    }
    let window = &tag[..tag.len().min(ATTRIBUTES_BYTES_MAX)];
    window
        .windows(4)
        .any(|w| matches!(w, [b'h' | b'H', b'r' | b'R', b'e', b'f'] | [b'h' | b'H', b'r' | b'R', b'E', b'F']))
}

fn by_magic(bytes: &[u8]) -> Option<Kind> {
    if let [0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, last, ..] = bytes {
        // A class file has its version here, a universal binary the number of processors.
        return Some(if *last < 0x20 { Kind::MachOFat } else { Kind::JavaClass });
    }
    if MAIL.iter().any(|start| bytes.starts_with(start)) {
        return Some(Kind::Mail);
    }
    if bytes.len() > 7 && bytes[2] == b'-' && bytes[6] == b'-' && matches!(&bytes[3..5], b"lh" | b"lz" | b"pm") {
        return Some(Kind::Lha);
    }
    MAGIC.iter().find(|(at, magic, _)| starts_with_at(bytes, *at, magic)).map(|found| found.2)
}

fn starts_with_at(bytes: &[u8], at: usize, magic: &[u8]) -> bool {
    bytes.get(at..).is_some_and(|rest| rest.starts_with(magic))
}

/// Mail whose first line is none of the known ones, but whose head holds the right pair of lines.
fn is_mail_inside(bytes: &[u8]) -> bool {
    const FIRST_BYTES_MAX: usize = 1024;
    const BOTH_BYTES_MAX: usize = 4096;
    let head = &bytes[..bytes.len().min(BOTH_BYTES_MAX)];
    let mut first = None;
    for (at, line) in lines_at(head) {
        let small = line[..line.len().min(16)].to_ascii_lowercase();
        if at > 0 && at <= FIRST_BYTES_MAX && first.is_none() {
            let starts = [&b"from: "[..], b"mime-version: ", b"message-id: ", b"received: "];
            first = starts.into_iter().find(|start| small.starts_with(start));
        } else if let Some(first) = first
            && (small.starts_with(b"content-type: ") || (first == b"from: " && small.starts_with(b"mime-version: ")))
        {
            return true;
        }
    }
    false
}

fn lines_at(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = 0;
    bytes.split(|byte| *byte == b'\n').map(move |line| {
        let start = at;
        at += line.len() + 1;
        (start, line)
    })
}

/// Text, UTF-16 text or data, by the first bytes.
fn text_kind(head: &[u8]) -> Kind {
    if head.iter().all(|byte| is_text(*byte)) {
        return Kind::Text;
    }
    let (kind, read): (Kind, fn([u8; 2]) -> u16) = if head.starts_with(&[0xff, 0xfe]) {
        (Kind::Utf16Le, u16::from_le_bytes)
    } else {
        (Kind::Utf16Be, u16::from_be_bytes)
    };
    let passes = head
        .chunks_exact(2)
        .skip(1)
        .map(|pair| read([pair[0], pair[1]]))
        .all(|unit| unit != 0xfffe && (unit >= 0x80 || is_text(unit as u8)));
    if passes { kind } else { Kind::Data }
}

fn is_text(byte: u8) -> bool {
    matches!(byte, 0x07..=0x0a | 0x0c | 0x0d | 0x1b | 0x20..=0x7e | 0x80..)
}

/// A tar of the time before `ustar`: the checksum of its first header holds.
fn is_plain_tar(bytes: &[u8]) -> bool {
    bytes.len() >= 512 && super::container::tar::checksum_holds(&bytes[..512])
}

impl Kind {
    /// What the field's signatures call such a file when they name a container, without the prefix `CL_TYPE_`.
    pub fn field_name(self) -> &'static str {
        match self {
            Self::Tiny | Self::Data => "BINARY_DATA",
            Self::Text => "TEXT_ASCII",
            Self::Utf16Le => "TEXT_UTF16LE",
            Self::Utf16Be => "TEXT_UTF16BE",
            Self::Html => "HTML",
            Self::Mail => "MAIL",
            Self::Uuencoded => "UUENCODED",
            Self::Rtf => "RTF",
            Self::Pdf => "PDF",
            Self::Pe => "MSEXE",
            Self::Elf => "ELF",
            Self::MachO => "MACHO",
            Self::MachOFat => "MACHO_UNIBIN",
            Self::JavaClass => "JAVA",
            Self::Flash => "SWF",
            Self::Picture => "GRAPHICS",
            Self::Ole2 => "MSOLE2",
            Self::Tnef => "TNEF",
            Self::Zip => "ZIP",
            Self::Rar => "RAR",
            Self::SevenZip => "7Z",
            Self::Tar => "POSIX_TAR",
            Self::Gzip => "GZ",
            Self::Bzip2 => "BZ",
            Self::Xz => "XZ",
            Self::Cab => "MSCAB",
            Self::Arj => "ARJ",
            Self::Lha => "LHA_LZH",
            Self::Cpio => "CPIO_NEWC",
            Self::Szdd => "MSSZDD",
            Self::BinHex => "BINHEX",
            Self::Iso => "ISO9660",
            Self::Udf => "UDF",
            Self::Chm => "MSCHM",
            Self::Sis => "SIS",
            Self::Xar => "XAR",
            Self::Egg => "EGG",
            Self::Alz => "ALZ",
            Self::Shortcut => "LNK",
            Self::OneNote => "ONENOTE",
            Self::ScriptEncoded => "SCRENC",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_told_from_data_as_clamscan_tells_it() {
        for (bytes, kind) in [
            (&b"hello world this is text\n"[..], Kind::Text),
            (b"hello \x07\x08\x0c\x1b world\n", Kind::Text),
            (b"hello \xe9 world\n", Kind::Text),
            (b"\x0bl\xfd \xff\xfeQ", Kind::Data),
            (b"hello \x01 world this is text\n", Kind::Utf16Be),
            (b"hello \x7f world this is text\n", Kind::Utf16Be),
            (b"\xff\xfeh\0e\0l\0l\0o\0", Kind::Utf16Le),
            (b"h\0e\0l\0l\0o\0", Kind::Utf16Be),
            (b"\0\x01\x02\x03\0\x01\x02\x03", Kind::Data),
            (b"hello\n", Kind::Text),
            (b"hello", Kind::Tiny),
        ] {
            assert_eq!(detect(bytes), kind, "{:?}", bytes.escape_ascii().to_string());
        }
    }

    #[test]
    fn a_class_file_is_no_universal_binary() {
        assert_eq!(detect(b"\xca\xfe\xba\xbe\0\0\0\x34\0\0"), Kind::JavaClass);
        assert_eq!(detect(b"\xca\xfe\xba\xbe\0\0\0\x02\0\0"), Kind::MachOFat);
    }

    #[test]
    fn mail_is_known_by_its_first_line_or_by_two_in_its_head() {
        assert_eq!(detect(b"Return-Path: <a@b>\nx"), Kind::Mail);
        assert_eq!(detect(b"X-Odd: 1\nFrom: a@b\nMIME-Version: 1.0\n\nx"), Kind::Mail);
        assert_eq!(detect(b"X-Odd: 1\nFrom: a@b\n\nx"), Kind::Text);
    }

    #[test]
    fn only_the_writings_that_count_make_html() {
        assert!(names_html(b"xx<html>"));
        assert!(names_html(b"xx<A class=x HREF="));
        assert!(!names_html(b"xx<hTmL>"));
        assert!(!names_html(b"<b>bold</b>"));
    }
}
