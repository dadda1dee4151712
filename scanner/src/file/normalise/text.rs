//! Text as target 7 sees it: small letters, one space for any run of white space, nothing outside of ASCII.

/// What a byte becomes: itself in small, a space, or nothing (0).
const fn fold(byte: u8) -> u8 {
    match byte {
        0x09..=0x0d | b' ' => b' ',
        b'A'..=b'Z' => byte + 32,
        b'!'..=0x7f => byte,
        _ => 0,
    }
}

const FOLD: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = fold(byte as u8);
        byte += 1;
    }
    table
};

/// The normalised text; never longer than `bytes`.
pub fn normalise(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut last = 0;
    for byte in bytes {
        let folded = FOLD[usize::from(*byte)];
        if folded != 0 && !(folded == b' ' && last == b' ') {
            out.push(folded);
            last = folded;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::normalise;

    #[test]
    fn white_space_is_one_space_also_across_bytes_that_vanish() {
        assert_eq!(normalise(b"End\xe9\xc9 \x01 More\r\n\t&amp; \x0bX"), b"end more &amp; x");
    }
}
