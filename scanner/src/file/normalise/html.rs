//! HTML as target 3 sees it, in two forms made in one pass.
//!
//! `tags` keeps the tags, in small letters, attributes in one writing, comments gone, white space folded, and gone
//! where it follows a tag. `text` keeps the words between tags and the addresses of links and pictures. Scripts and
//! styles lose all white space in `tags` and do not appear in `text`.

use super::entity;

/// Both forms, and what a page carries along.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Html {
    /// Without comments.
    pub tags: Vec<u8>,
    /// Without tags.
    pub text: Vec<u8>,
    /// Each script's source, as it stood.
    pub scripts: Vec<Vec<u8>>,
    /// Contents of `data:` addresses, decoded.
    pub data: Vec<Vec<u8>>,
}

/// Scripts and `data:` addresses kept of one page.
const CARRIED_MAX: usize = 1000;

/// Normalises a page. Each output is at most a small constant times the input.
pub fn normalise(source: &[u8]) -> Html {
    // clamscan loses the very last byte of a page where it is beyond ASCII.
    let source = match source.split_last() {
        Some((0x80.., rest)) => rest,
        _ => source,
    };
    let mut page = Page { source, at: 0, html: Html::default(), after_tag: false, address: None };
    page.html.tags.reserve(source.len());
    while let Some(&byte) = source.get(page.at) {
        page.write_address();
        match byte {
            b'<' => page.markup(),
            b'&' => page.reference(),
            _ => {
                page.character(byte);
                page.at += 1;
            }
        }
    }
    if source.last().is_some_and(|byte| is_space(*byte)) && page.html.tags.last() == Some(&b' ') {
        page.html.tags.pop();
    }
    page.html
}

struct Page<'a> {
    source: &'a [u8],
    at: usize,
    html: Html,
    /// White space is dropped in `tags` until something else came.
    after_tag: bool,
    /// The address of the last tag, written to `text` when something follows.
    address: Option<Vec<u8>>,
}

impl<'a> Page<'a> {
    fn write_address(&mut self) {
        if let Some(address) = self.address.take() {
            self.html.text.extend_from_slice(&address);
            self.space_in_text();
        }
    }

    fn character(&mut self, byte: u8) {
        match byte {
            0 | b'\r' => {}
            _ if is_space(byte) => {
                self.space_in_tags();
                self.space_in_text();
            }
            _ => {
                self.after_tag = false;
                self.html.tags.push(byte.to_ascii_lowercase());
                match byte {
                    0x01..=0x1f => self.space_in_text(),
                    0x80.. => self.html.text.push(0),
                    _ => self.html.text.push(byte.to_ascii_lowercase()),
                }
            }
        }
    }

    fn space_in_tags(&mut self) {
        if !self.after_tag && self.html.tags.last() != Some(&b' ') {
            self.html.tags.push(b' ');
        }
    }

    fn space_in_text(&mut self) {
        if self.html.text.last() != Some(&b' ') {
            self.html.text.push(b' ');
        }
    }

    fn reference(&mut self) {
        let source = &self.source[self.at..];
        let reference = entity::read(source);
        self.after_tag = false;
        match reference.character {
            Some(character) => entity::write(character, reference.ended, &mut self.html.tags),
            None => self.html.tags.extend(source[..reference.bytes].iter().map(u8::to_ascii_lowercase)),
        }
        self.space_in_text();
        self.at += reference.bytes;
    }

    fn markup(&mut self) {
        self.space_in_text();
        let rest = &self.source[self.at..];
        if rest.starts_with(b"<!") {
            let comment = rest.starts_with(b"<!--");
            let (from, end): (usize, &[u8]) = if comment { (4, b"-->") } else { (2, b">") };
            let bytes = memchr::memmem::find(&rest[from..], end).map(|at| from + at + end.len());
            self.at += bytes.unwrap_or(rest.len());
            self.after_tag = true;
            return;
        }
        let tag = self.tag();
        if tag == b"script" || tag == b"style" {
            self.opaque(&tag);
        }
    }

    /// One tag with its attributes; answers its name in small letters.
    fn tag(&mut self) -> Vec<u8> {
        self.html.tags.push(b'<');
        self.at += 1;
        self.skip_space();
        let name = self.word(|byte| is_space(byte) || byte == b'>');
        let name: Vec<u8> = name.iter().filter(|byte| **byte != 0).map(u8::to_ascii_lowercase).collect();
        self.html.tags.extend_from_slice(&name);
        let mut address = None;
        loop {
            self.skip_space();
            match self.source.get(self.at) {
                None => break,
                Some(b'>') => {
                    self.html.tags.push(b'>');
                    self.at += 1;
                    break;
                }
                Some(_) => {
                    self.html.tags.push(b' ');
                    self.attribute(&name, &mut address);
                }
            }
        }
        self.address = address;
        self.after_tag = true;
        name
    }

    fn attribute(&mut self, tag: &[u8], address: &mut Option<Vec<u8>>) {
        let name = self.word(|byte| is_space(byte) || byte == b'>' || byte == b'=').to_ascii_lowercase();
        self.html.tags.extend(name.iter().filter(|byte| **byte != 0));
        let after_name = self.at;
        self.skip_space();
        if self.source.get(self.at) != Some(&b'=') {
            self.at = after_name;
            return;
        }
        self.at += 1;
        self.skip_space();
        self.html.tags.push(b'=');
        let quote = self.source.get(self.at).copied().filter(|byte| matches!(byte, b'"' | b'\''));
        let raw = match quote {
            Some(quote) => {
                self.at += 1;
                let value = self.word(|byte| byte == quote);
                self.at = (self.at + 1).min(self.source.len());
                value
            }
            None => self.word(|byte| is_space(byte) || byte == b'>'),
        };
        let value = decoded(raw);
        let is_data = value.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"data:"));
        if is_data && self.html.data.len() < CARRIED_MAX {
            self.html.data.extend(data_content(&value));
        }
        let shown: &[u8] = if is_data { &value[..4] } else { &value };
        self.html.tags.extend(quote.map(|_| b'"'));
        fold_value(shown, &mut self.html.tags);
        self.html.tags.extend(quote.map(|_| b'"'));
        let is_address = (tag == b"a" && name == b"href") || (tag == b"img" && name == b"src");
        if is_address && !is_data && address.is_none() {
            *address = Some(value);
        }
    }

    /// The inside of a script or style: no markup until its own end tag.
    fn opaque(&mut self, tag: &[u8]) {
        let rest = &self.source[self.at..];
        let bytes = end_tag(rest, tag).unwrap_or(rest.len());
        let inside = &rest[..bytes];
        self.html.tags.extend(inside.iter().filter(|byte| !is_space(**byte) && **byte != 0).map(|byte| match byte {
            b'\'' => b'"',
            byte => byte.to_ascii_lowercase(),
        }));
        if tag == b"script" && !inside.trim_ascii().is_empty() && self.html.scripts.len() < CARRIED_MAX {
            self.html.scripts.push(inside.to_vec());
        }
        self.at += bytes;
    }

    fn skip_space(&mut self) {
        self.word(|byte| !is_space(byte));
    }

    /// Moves to the first byte that `ends` holds for, and answers what was passed.
    fn word(&mut self, ends: impl Fn(u8) -> bool) -> &'a [u8] {
        let source: &'a [u8] = self.source;
        let rest = &source[self.at..];
        let bytes = rest.iter().position(|byte| ends(*byte)).unwrap_or(rest.len());
        self.at += bytes;
        &rest[..bytes]
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, 0x09..=0x0d | b' ')
}

/// Where `</tag` stands, in any case.
fn end_tag(bytes: &[u8], tag: &[u8]) -> Option<usize> {
    memchr::memmem::find_iter(bytes, b"</")
        .find(|at| bytes.get(at + 2..at + 2 + tag.len()).is_some_and(|name| name.eq_ignore_ascii_case(tag)))
}

/// An attribute's value with its references resolved.
fn decoded(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut at = 0;
    while let Some(&byte) = raw.get(at) {
        if byte == b'&' {
            let reference = entity::read(&raw[at..]);
            match reference.character {
                Some(character) => entity::write(character, false, &mut out),
                None => out.extend_from_slice(&raw[at..at + reference.bytes]),
            }
            at += reference.bytes;
        } else {
            if byte != 0 && byte != b'\r' {
                out.push(byte);
            }
            at += 1;
        }
    }
    out
}

fn fold_value(value: &[u8], out: &mut Vec<u8>) {
    let mut last = 0;
    for byte in value {
        let folded = if is_space(*byte) { b' ' } else { byte.to_ascii_lowercase() };
        if !(folded == b' ' && last == b' ') {
            out.push(folded);
        }
        last = folded;
    }
}

/// RFC 2397: `data:[type][;base64],content`.
fn data_content(value: &[u8]) -> Option<Vec<u8>> {
    let comma = memchr::memchr(b',', value)?;
    let (head, content) = (&value[..comma], &value[comma + 1..]);
    Some(if head.to_ascii_lowercase().ends_with(b";base64") { super::decode_base64(content) } else { content.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, tags: &str, text: &str) {
        let html = normalise(source.as_bytes());
        let latin = |bytes: &[u8]| bytes.iter().map(|byte| char::from(*byte)).collect::<String>();
        assert_eq!(latin(&html.tags), tags, "with tags: {source}");
        assert_eq!(latin(&html.text), text, "without tags: {source}");
    }

    /// Each right side was written by clamscan.
    #[test]
    fn both_forms_are_what_clamscan_makes() {
        check("<html>a &amp;&amp; b</html>", "<html>a && b</html>", " a b ");
        check("<html>a&#x3c;b&#62;c</html>", "<html>a<b>c</html>", " a b c ");
        check("<html><p>x<p  >y<P\nz=1>k", "<html><p>x<p>y<p z=1>k", " x y k");
        check("<html><!x y>a<!-- a -- b -->c<!- d ->e", "<html>ace", " a c e");
        check(
            "<html><a href=foo title='A  B'>z</a>y  <b>  x  </b>",
            "<html><a href=foo title=\"a b\">z</a>y <b>x </b>",
            " foo z y x ",
        );
        check("no tags  at ALL <B>Hi</B><img>x", "no tags at all <b>hi</b><img>x", "no tags at all hi x");
        check(
            "<b attr=\"a>b\" attr2='c\"d'>t</b><b/ x><b x=y/><br />< notatag>< b>a < b\n</html>\n",
            "<b attr=\"a>b\" attr2=\"c\"d\">t</b><b/ x><b x=y/><br /><notatag><b>a <b </html>",
            " t a ",
        );
        check(
            "<b>&lt;&quot;&apos;&nbsp;&euro;&#8364;&unknown;&noend &#65 &#x41 &; & &#; x&#32;y",
            "<b><\"'\u{a0}&#x20ac;&#x20ac;&unknown;&noend A A &; & \0 x y",
            " x y",
        );
        check(
            "<style>body { Color : RED; }  p  {x}</style><textarea>  AA  bb </textarea>",
            "<style>body{color:red;}p{x}</style><textarea>aa bb </textarea>",
            " aa bb ",
        );
        check(
            "<script>\nif(a<b && c>d) { x = '<b>'; } <!-- hid\n//--></script>",
            "<script>if(a<b&&c>d){x=\"<b>\";}<!--hid//--></script>",
            " ",
        );
        check(
            "<A HREF=http://X.com/%41%zz?a=&lt;>q</A><img src=\"a b.GIF\" src='dup'><iframe src=x.htm>",
            "<a href=http://x.com/%41%zz?a=<>q</a><img src=\"a b.gif\" src=\"dup\"><iframe src=x.htm>",
            " http://X.com/%41%zz?a=< q a b.GIF ",
        );
    }

    #[test]
    fn a_data_address_gives_up_its_content() {
        let html = normalise(b"<html><a href=\"data:text/html;base64,SGVsbG8gV29ybGQ=\">x</a>");
        assert_eq!(html.data, [b"Hello World".to_vec()]);
        assert_eq!(html.tags, b"<html><a href=\"data\">x</a>");
    }
}
