//! Hostile text made safe to show: a file name may hold terminal commands, line breaks and marks that turn
//! the reading direction, so that `exe.gpj` reads as `jpg.exe`.

use std::fmt::Write;
use std::path::Path;

/// `text` with every character that would not stand as one plain glyph written as an escape.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        push(&mut out, c);
    }
    out
}

/// A path for people: valid text as it is, escapes for the rest, `\xNN` for bytes that are no text.
#[must_use]
pub fn path_text(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes();
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            push(&mut out, c);
        }
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

fn push(out: &mut String, c: char) {
    match c {
        '\\' => out.push('\\'),
        ' '..='~' => out.push(c),
        _ if hidden(c) => out.extend(c.escape_default()),
        _ => out.push(c),
    }
}

/// Control characters, marks of direction (Unicode TR 36, 2.10.2), joiners, fillers, tags and private use.
fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn ordinary_names_in_any_script_stay_readable() {
        for name in ["C:\\Windows\\notepad.exe", "/home/jos\u{e9}/r\u{e9}sum\u{e9}.doc", "\u{65e5}\u{672c}.txt"] {
            assert_eq!(escaped(name), name);
        }
    }

    #[test]
    fn terminal_commands_line_breaks_and_direction_marks_are_shown_not_obeyed() {
        assert_eq!(escaped("a\u{1b}[31mred"), "a\\u{1b}[31mred");
        assert_eq!(escaped("two\nlines\t"), "two\\nlines\\t");
        assert_eq!(escaped("invoice\u{202e}gpj.exe"), "invoice\\u{202e}gpj.exe");
        assert_eq!(escaped("\u{9b}2J"), "\\u{9b}2J");
    }

    #[test]
    fn bytes_of_a_path_that_are_no_text_are_shown_in_hexadecimal() {
        let path = Path::new(OsStr::from_bytes(b"/tmp/\xff\x1bx"));
        assert_eq!(path_text(path), "/tmp/\\xff\\u{1b}x");
    }
}
