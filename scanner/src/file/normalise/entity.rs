//! Character references of HTML.

/// Names that stand for one Latin-1 character each, from 160 on, in order.
const LATIN: [&str; 96] = [
    "nbsp", "iexcl", "cent", "pound", "curren", "yen", "brvbar", "sect", "uml", "copy", "ordf", "laquo", "not", "shy",
    "reg", "macr", "deg", "plusmn", "sup2", "sup3", "acute", "micro", "para", "middot", "cedil", "sup1", "ordm",
    "raquo", "frac14", "frac12", "frac34", "iquest", "Agrave", "Aacute", "Acirc", "Atilde", "Auml", "Aring", "AElig",
    "Ccedil", "Egrave", "Eacute", "Ecirc", "Euml", "Igrave", "Iacute", "Icirc", "Iuml", "ETH", "Ntilde", "Ograve",
    "Oacute", "Ocirc", "Otilde", "Ouml", "times", "Oslash", "Ugrave", "Uacute", "Ucirc", "Uuml", "Yacute", "THORN",
    "szlig", "agrave", "aacute", "acirc", "atilde", "auml", "aring", "aelig", "ccedil", "egrave", "eacute", "ecirc",
    "euml", "igrave", "iacute", "icirc", "iuml", "eth", "ntilde", "ograve", "oacute", "ocirc", "otilde", "ouml",
    "divide", "oslash", "ugrave", "uacute", "ucirc", "uuml", "yacute", "thorn", "yuml",
];
/// The longest name that is looked up, in bytes.
const NAME_BYTES_MAX: usize = 10;

/// A reference at the start of some bytes.
pub(super) struct Reference {
    /// Its bytes in the source.
    pub(super) bytes: usize,
    /// What it stands for; `None` where its name is unknown, and it is then kept as it is.
    pub(super) character: Option<u32>,
    /// It had its semicolon.
    pub(super) ended: bool,
}

/// Reads the reference that `source` begins with (an ampersand), if it is one in form.
pub(super) fn read(source: &[u8]) -> Reference {
    let rest = &source[1..];
    if let Some(digits) = rest.strip_prefix(b"#") {
        return number(digits);
    }
    let name_bytes = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let ended = rest.get(name_bytes) == Some(&b';');
    let bytes = 1 + name_bytes + usize::from(ended);
    let character = (ended && name_bytes <= NAME_BYTES_MAX).then(|| named(&rest[..name_bytes])).flatten();
    Reference { bytes, character, ended }
}

fn number(digits: &[u8]) -> Reference {
    let (radix, skip) = if digits.first().is_some_and(|byte| byte | 0x20 == b'x') { (16, 1) } else { (10, 0) };
    let mut value = 0u32;
    let mut bytes = skip;
    while let Some(digit) = digits.get(bytes).and_then(|byte| char::from(*byte).to_digit(radix)) {
        value = value.wrapping_mul(radix).wrapping_add(digit);
        bytes += 1;
    }
    let ended = digits.get(bytes) == Some(&b';');
    Reference { bytes: 2 + bytes + usize::from(ended), character: Some(value), ended }
}

fn named(name: &[u8]) -> Option<u32> {
    let name = std::str::from_utf8(name).ok()?;
    Some(match name {
        "lt" => 0x3c,
        "gt" => 0x3e,
        "amp" => 0x26,
        "quot" => 0x22,
        "apos" => 0x27,
        "euro" => 0x20ac,
        _ => 160 + LATIN.iter().position(|known| *known == name)? as u32,
    })
}

/// Writes a character: Latin-1 as its byte, others as a reference in hexadecimal. One that had its semicolon is
/// folded to a small letter; one that had none keeps its case.
pub(super) fn write(character: u32, ended: bool, out: &mut Vec<u8>) {
    match u8::try_from(character) {
        Ok(byte) if ended => out.push(byte.to_ascii_lowercase()),
        Ok(byte) => out.push(byte),
        Err(_) => out.extend_from_slice(format!("&#x{character:x};").as_bytes()),
    }
}
