//! What a file is to the sieve, and what names tell where kinds do not.

use crate::file::Kind;
use crate::file::container::zip;

/// What a file is to the sieve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nature {
    /// Code as a whole, with its data.
    Program,
    /// Only macros and executables of it are code: Office in both its containers.
    Office,
    /// Opened as a document, but without macros to speak of: matched bytes of it may be shown.
    Document,
    /// Members that are nobody's but their own.
    Archive,
    /// Members that are attachments, or bodies.
    Mail,
    /// Text with scripts in it.
    Page,
    /// Text, which may be a script.
    Text,
    /// Anything else.
    Plain,
}

/// A file's nature.
pub(super) fn nature(kind: Kind, bytes: &[u8]) -> Nature {
    match kind {
        Kind::Pe | Kind::Elf | Kind::MachO | Kind::JavaClass => Nature::Program,
        Kind::Zip if is_office_zip(bytes) => Nature::Office,
        Kind::Ole2 => Nature::Office,
        Kind::Rtf | Kind::Pdf | Kind::OneNote => Nature::Document,
        Kind::Zip
        | Kind::MachOFat
        | Kind::Uuencoded
        | Kind::Tnef
        | Kind::Rar
        | Kind::SevenZip
        | Kind::Tar
        | Kind::Gzip
        | Kind::Bzip2
        | Kind::Xz
        | Kind::Cab
        | Kind::Arj
        | Kind::Lha
        | Kind::Cpio
        | Kind::Szdd
        | Kind::BinHex
        | Kind::Iso
        | Kind::Udf
        | Kind::Chm
        | Kind::Sis
        | Kind::Xar
        | Kind::Egg
        | Kind::Alz => Nature::Archive,
        Kind::Mail => Nature::Mail,
        Kind::Html => Nature::Page,
        Kind::Text | Kind::Utf16Le | Kind::Utf16Be | Kind::ScriptEncoded => Nature::Text,
        Kind::Tiny | Kind::Data | Kind::Flash | Kind::Picture | Kind::Shortcut => Nature::Plain,
    }
}

/// Whether a ZIP is an Office document: OOXML, or OpenDocument. One without a directory is when it names such a member
/// anywhere, because a document that is taken for an archive would give up more.
fn is_office_zip(bytes: &[u8]) -> bool {
    let (mut has_directory, mut has_content, mut has_mime_type) = (false, false, false);
    for name in zip::names(bytes) {
        has_directory = true;
        if name.eq_ignore_ascii_case(OOXML) {
            return true;
        }
        has_content |= name == b"content.xml";
        has_mime_type |= name == b"mimetype";
    }
    if has_directory {
        return has_content && has_mime_type;
    }
    [OOXML, b"mimetypeapplication/vnd.oasis"].iter().any(|mark| memchr::memmem::find(bytes, mark).is_some())
}

const OOXML: &[u8] = b"[Content_Types].xml";

/// What a double click or the system's own interpreters run, by the ends of names.
const SCRIPTS: &[&str] = &["bat", "cmd", "js", "jse", "ps1", "psm1", "sct", "vbe", "vbs", "wsf", "wsh"];

/// Whether text is a script: by its name, or because it says who interprets it.
pub(super) fn is_script(kind: Kind, name: &str, bytes: &[u8]) -> bool {
    let ending = name.trim_end().rsplit_once('.').map_or("", |split| split.1);
    kind == Kind::ScriptEncoded
        || SCRIPTS.iter().any(|known| ending.eq_ignore_ascii_case(known))
        || bytes.starts_with(b"#!/")
        || bytes.starts_with(b"#! /")
}

/// Whether a part of a mail is its body or a part of that: it has no file name, so it was given its type as name.
pub(super) fn is_mail_body(name: &str) -> bool {
    name == "body" || ["text/", "multipart/", "message/"].iter().any(|start| name.starts_with(start))
}

/// Whether a member of an Office archive is a sheet of Excel 4.0 macros.
pub(super) fn is_macro_sheet(name: &str) -> bool {
    name.contains("/macrosheets/") && !name.ends_with(".rels")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_known_by_name_or_interpreter() {
        for (name, bytes) in [("invoice.pdf.js", &b"x"[..]), ("A.VBS", b"x"), ("a.ps1 ", b"x"), ("run", b"#!/bin/sh\n")]
        {
            assert!(is_script(Kind::Text, name, bytes), "{name}");
        }
        for (name, bytes) in [("letter.txt", &b"x"[..]), ("js", b"x"), ("", b"# !/"), ("a.json", b"{}")] {
            assert!(!is_script(Kind::Text, name, bytes), "{name}");
        }
        assert!(is_script(Kind::ScriptEncoded, "", b"#@~^"));
    }

    #[test]
    fn a_part_that_has_only_a_type_is_a_body() {
        assert!(is_mail_body("body") && is_mail_body("text/html") && is_mail_body("multipart/mixed"));
        assert!(!is_mail_body("letter.html") && !is_mail_body("application/octet-stream"));
    }

    #[test]
    fn the_names_of_a_macro_sheet_s_links_are_no_macros() {
        assert!(is_macro_sheet("xl/macrosheets/sheet1.xml"));
        assert!(!is_macro_sheet("xl/macrosheets/_rels/sheet1.xml.rels"));
        assert!(!is_macro_sheet("xl/worksheets/sheet1.xml"));
    }
}
