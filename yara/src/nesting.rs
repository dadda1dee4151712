//! Sources that would nest deeper than a stack are refused before they are parsed.
//!
//! The parser bounds parentheses, and the compiler the depth of conditions. Neither bounds operators in a row: each
//! prefix is a call of the parser, and a chain of the others becomes a tree as deep as the chain is long, whose end is
//! as many calls. Both are counted here, outside of comments and strings. A stack that overflows all the same ends a
//! worker, not its caller.

/// Prefixes in a row: `not not -~1`. Within the parser's 50 parentheses that are 800 calls.
const PREFIXES_MAX: usize = 16;
/// Operators in a row between the same parentheses, without `and`, `or` and commas. The compiler takes 40.
const CHAIN_MAX: usize = 500;

/// Operators that are words.
const WORDS: [&[u8]; 9] = [
    b"contains",
    b"icontains",
    b"startswith",
    b"istartswith",
    b"endswith",
    b"iendswith",
    b"matches",
    b"iequals",
    b"at",
];

/// Where a source nests too deep.
pub(crate) fn too_deep(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    // For each open parenthesis the operators in a row around it.
    let mut around = Vec::new();
    let (mut chain, mut prefixes, mut place, mut before) = (0, 0, 0, 0);
    while let Some(first) = bytes.get(place) {
        let token = &bytes[place..place + token_bytes(&bytes[place..], before)];
        place += token.len();
        match role(token) {
            Role::Blank => continue,
            Role::Prefix => (prefixes, chain) = (prefixes + 1, chain + 1),
            role => {
                prefixes = 0;
                match role {
                    Role::Operator => chain += 1,
                    Role::Separator => chain = 0,
                    Role::Open => around.push(std::mem::take(&mut chain)),
                    Role::Close => chain = around.pop().unwrap_or(0),
                    Role::Brace => (around, chain) = (Vec::new(), 0),
                    Role::Other | Role::Blank | Role::Prefix => {}
                }
            }
        }
        before = *first;
        if prefixes > PREFIXES_MAX || chain > CHAIN_MAX {
            return Some(place - token.len());
        }
    }
    None
}

/// What a token does to depth.
enum Role {
    Blank,
    Prefix,
    Operator,
    Separator,
    Open,
    Close,
    Brace,
    Other,
}

fn role(token: &[u8]) -> Role {
    match token {
        [byte, ..] if byte.is_ascii_whitespace() => Role::Blank,
        [b'/', b'/' | b'*', ..] => Role::Blank,
        b"not" | b"defined" | b"-" | b"~" => Role::Prefix,
        b"and" | b"or" | b"," | b":" => Role::Separator,
        b"(" | b"[" => Role::Open,
        b")" | b"]" => Role::Close,
        b"{" | b"}" => Role::Brace,
        [b'+' | b'*' | b'\\' | b'%' | b'^' | b'&' | b'|' | b'<' | b'>' | b'=' | b'!'] => Role::Operator,
        word if WORDS.contains(&word) => Role::Operator,
        _ => Role::Other,
    }
}

/// Bytes of the token that `rest` begins with; `before` is the first byte of the one before it.
fn token_bytes(rest: &[u8], before: u8) -> usize {
    let through = |end: &[u8], from: usize| {
        let found = rest.get(from..).unwrap_or(&[]).windows(end.len()).position(|window| window == end);
        found.map_or(rest.len(), |place| from + place + end.len())
    };
    match rest {
        [b'/', b'/', ..] => through(b"\n", 2),
        [b'/', b'*', ..] => through(b"*/", 2),
        // Division is written with the other slash.
        [b'"' | b'/', ..] => line_string(rest, rest[0]),
        // A hex string; a rule's own brace follows no equals sign.
        [b'{', ..] if before == b'=' => through(b"}", 1),
        [byte, ..] if is_word(*byte) => rest.iter().take_while(|byte| is_word(**byte)).count(),
        _ => 1,
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Bytes of a string or regular expression: to its unescaped end, or to the end of the line, where it is no string.
fn line_string(rest: &[u8], end: u8) -> usize {
    let mut place = 1;
    while let Some(byte) = rest.get(place) {
        match byte {
            b'\\' => place += 2,
            b'\n' => return place,
            byte if *byte == end => return place + 1,
            _ => place += 1,
        }
    }
    rest.len()
}
