//! Looks at the bytes of a request's head, before they are parsed, for both ways to say where the body ends.
//!
//! hyper follows RFC 9112 6.1 where `Transfer-Encoding` and `Content-Length` come together: it drops the length, reads by
//! chunks, and closes the connection after that request. A proxy in front of us may have believed the length, so such a
//! request is refused; the parsed headers no longer show that there were two, hence this look at the bytes.
//!
//! A head that came in one read with the request before it is not looked at; hyper's rule then stands alone.

/// Names that matter, in lower case.
const LENGTH: &[u8] = b"content-length";
const ENCODING: &[u8] = b"transfer-encoding";
/// Longer than either name.
const NAME_BYTES_MAX: usize = 24;

/// The head of one request as it arrives, in pieces of any size.
#[derive(Debug, Default)]
pub struct HeadScan {
    /// The name at the start of the line, as far as it came.
    name: [u8; NAME_BYTES_MAX],
    name_len: usize,
    part: Part,
    length: bool,
    encoding: bool,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Part {
    /// At the first byte of a line or in a header's name.
    #[default]
    Name,
    /// Behind the colon, or in a line that is no header.
    Rest,
    /// The empty line was seen.
    Complete,
}

impl HeadScan {
    /// Takes the next bytes; those behind the head's end are left alone.
    pub fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match (&self.part, *byte) {
                (Part::Complete, _) => return,
                (Part::Name, b'\n') if self.name_len == 0 => self.part = Part::Complete,
                (_, b'\n') => {
                    self.name_len = 0;
                    self.part = Part::Name;
                }
                (Part::Name, b'\r') => {}
                (Part::Name, b':') => {
                    let name = &self.name[..self.name_len];
                    self.length |= name == LENGTH;
                    self.encoding |= name == ENCODING;
                    self.part = Part::Rest;
                }
                (Part::Name, byte) if self.name_len < NAME_BYTES_MAX => {
                    self.name[self.name_len] = byte.to_ascii_lowercase();
                    self.name_len += 1;
                }
                (Part::Name, _) => self.part = Part::Rest,
                (Part::Rest, _) => {}
            }
        }
    }

    /// Whether both headers came.
    pub fn has_both(&self) -> bool {
        self.length && self.encoding
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(head: &str, piece: usize) -> bool {
        let mut scan = HeadScan::default();
        head.as_bytes().chunks(piece).for_each(|piece| scan.feed(piece));
        scan.has_both()
    }

    #[test]
    fn both_headers_are_seen_in_any_order_case_and_piece() {
        for head in [
            "PUT / HTTP/1.1\r\nhost: t\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n",
            "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nCONTENT-LENGTH: 5\r\n\r\n",
            "PUT / HTTP/1.1\nTransfer-Encoding:chunked\nContent-Length:5\n\n",
        ] {
            for piece in 1..head.len() {
                assert!(both(head, piece), "{head:?} in pieces of {piece}");
            }
        }
    }

    #[test]
    fn one_header_a_longer_name_a_value_and_a_body_are_not_both() {
        for head in [
            "PUT / HTTP/1.1\r\ncontent-length: 5\r\nhost: t\r\n\r\ntransfer-encoding: chunked\r\n\r\n",
            "PUT / HTTP/1.1\r\ntransfer-encoding: chunked\r\nx-content-length: 5\r\n\r\n",
            "PUT / HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length-of-something-else: 5\r\n\r\n",
            "PUT / HTTP/1.1\r\ncontent-length: transfer-encoding: chunked\r\n\r\n",
            "content-length: 5\r\n\r\n",
        ] {
            for piece in 1..head.len() {
                assert!(!both(head, piece), "{head:?} in pieces of {piece}");
            }
        }
    }
}
