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
/// HTML 4's other names.
#[rustfmt::skip]
const BEYOND: [(&str, u32); 152] = [
    ("OElig", 0x0152), ("oelig", 0x0153), ("Scaron", 0x0160), ("scaron", 0x0161), ("Yuml", 0x0178), ("fnof", 0x0192),
    ("circ", 0x02c6), ("tilde", 0x02dc), ("Alpha", 0x0391), ("Beta", 0x0392), ("Gamma", 0x0393), ("Delta", 0x0394),
    ("Epsilon", 0x0395), ("Zeta", 0x0396), ("Eta", 0x0397), ("Theta", 0x0398), ("Iota", 0x0399), ("Kappa", 0x039a),
    ("Lambda", 0x039b), ("Mu", 0x039c), ("Nu", 0x039d), ("Xi", 0x039e), ("Omicron", 0x039f), ("Pi", 0x03a0),
    ("Rho", 0x03a1), ("Sigma", 0x03a3), ("Tau", 0x03a4), ("Upsilon", 0x03a5), ("Phi", 0x03a6), ("Chi", 0x03a7),
    ("Psi", 0x03a8), ("Omega", 0x03a9), ("alpha", 0x03b1), ("beta", 0x03b2), ("gamma", 0x03b3), ("delta", 0x03b4),
    ("epsilon", 0x03b5), ("zeta", 0x03b6), ("eta", 0x03b7), ("theta", 0x03b8), ("iota", 0x03b9), ("kappa", 0x03ba),
    ("lambda", 0x03bb), ("mu", 0x03bc), ("nu", 0x03bd), ("xi", 0x03be), ("omicron", 0x03bf), ("pi", 0x03c0),
    ("rho", 0x03c1), ("sigmaf", 0x03c2), ("sigma", 0x03c3), ("tau", 0x03c4), ("upsilon", 0x03c5), ("phi", 0x03c6),
    ("chi", 0x03c7), ("psi", 0x03c8), ("omega", 0x03c9), ("thetasym", 0x03d1), ("upsih", 0x03d2), ("piv", 0x03d6),
    ("ensp", 0x2002), ("emsp", 0x2003), ("thinsp", 0x2009), ("zwnj", 0x200c), ("zwj", 0x200d), ("lrm", 0x200e),
    ("rlm", 0x200f), ("ndash", 0x2013), ("mdash", 0x2014), ("lsquo", 0x2018), ("rsquo", 0x2019), ("sbquo", 0x201a),
    ("ldquo", 0x201c), ("rdquo", 0x201d), ("bdquo", 0x201e), ("dagger", 0x2020), ("Dagger", 0x2021), ("bull", 0x2022),
    ("hellip", 0x2026), ("permil", 0x2030), ("prime", 0x2032), ("Prime", 0x2033), ("lsaquo", 0x2039),
    ("rsaquo", 0x203a), ("oline", 0x203e), ("frasl", 0x2044), ("euro", 0x20ac), ("image", 0x2111), ("weierp", 0x2118),
    ("real", 0x211c), ("trade", 0x2122), ("alefsym", 0x2135), ("larr", 0x2190), ("uarr", 0x2191), ("rarr", 0x2192),
    ("darr", 0x2193), ("harr", 0x2194), ("crarr", 0x21b5), ("lArr", 0x21d0), ("uArr", 0x21d1), ("rArr", 0x21d2),
    ("dArr", 0x21d3), ("hArr", 0x21d4), ("forall", 0x2200), ("part", 0x2202), ("exist", 0x2203), ("empty", 0x2205),
    ("nabla", 0x2207), ("isin", 0x2208), ("notin", 0x2209), ("ni", 0x220b), ("prod", 0x220f), ("sum", 0x2211),
    ("minus", 0x2212), ("lowast", 0x2217), ("radic", 0x221a), ("prop", 0x221d), ("infin", 0x221e), ("ang", 0x2220),
    ("and", 0x2227), ("or", 0x2228), ("cap", 0x2229), ("cup", 0x222a), ("int", 0x222b), ("there4", 0x2234),
    ("sim", 0x223c), ("cong", 0x2245), ("asymp", 0x2248), ("ne", 0x2260), ("equiv", 0x2261), ("le", 0x2264),
    ("ge", 0x2265), ("sub", 0x2282), ("sup", 0x2283), ("nsub", 0x2284), ("sube", 0x2286), ("supe", 0x2287),
    ("oplus", 0x2295), ("otimes", 0x2297), ("perp", 0x22a5), ("sdot", 0x22c5), ("lceil", 0x2308), ("rceil", 0x2309),
    ("lfloor", 0x230a), ("rfloor", 0x230b), ("lang", 0x2329), ("rang", 0x232a), ("loz", 0x25ca), ("spades", 0x2660),
    ("clubs", 0x2663), ("hearts", 0x2665), ("diams", 0x2666),
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
        _ => match BEYOND.iter().find(|known| known.0 == name) {
            Some(known) => known.1,
            None => 160 + LATIN.iter().position(|known| *known == name)? as u32,
        },
    })
}

/// Writes a character: Latin-1 as its byte, others as a reference in hexadecimal. One that had its semicolon is
/// folded to a small letter; one that had none keeps its case.
pub(super) fn write(character: u32, ended: bool, out: &mut Vec<u8>) {
    match u8::try_from(character) {
        Ok(byte) if ended => out.push(byte.to_ascii_lowercase()),
        Ok(byte) => out.push(byte),
        Err(_) => out.extend_from_slice(format!("&#x{character:04x};").as_bytes()),
    }
}
