//! Base64 as mail and data URLs carry it: foreign bytes are passed over, the end may be missing.

/// The decoded bytes; at most three quarters of `text`. Decoding ends at the first padding sign.
pub fn decode(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0);
    for byte in text {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => break,
            _ => continue,
        };
        bits = bits << 6 | u32::from(value);
        count += 1;
        if count == 4 {
            out.extend_from_slice(&bits.to_be_bytes()[1..]);
            (bits, count) = (0, 0);
        }
    }
    match count {
        2 => out.push((bits >> 4) as u8),
        3 => out.extend_from_slice(&[(bits >> 10) as u8, (bits >> 2) as u8]),
        _ => {}
    }
    out
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn line_breaks_and_a_missing_end_do_not_matter() {
        assert_eq!(decode(b"SGVs\r\nbG8="), b"Hello");
        assert_eq!(decode(b"SGVsbG8"), b"Hello");
        assert_eq!(decode(b""), b"");
        assert_eq!(decode(b"S"), b"");
    }
}
