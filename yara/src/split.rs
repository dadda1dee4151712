//! A source in pieces: one rule or import each, so that one that is wrong takes no other with it.

use std::ops::Range;

use boreal_parser::file::{YaraFile, YaraFileComponent};

/// The text of each component, in their order; together with what is behind the last they are the whole text.
pub(crate) fn pieces(text: &str, file: &YaraFile) -> Vec<Range<usize>> {
    let mut start = 0;
    file.components
        .iter()
        .map(|component| {
            let end = match component {
                YaraFileComponent::Import(import) => import.span.end,
                YaraFileComponent::Include(include) => include.span.end,
                YaraFileComponent::Rule(rule) => closing_brace(text, rule.condition.span.end),
            };
            let piece = start..end.clamp(start, text.len());
            start = piece.end;
            piece
        })
        .collect()
}

/// Behind the brace that ends a rule. Between it and the condition are blanks and comments, which may hold braces.
fn closing_brace(text: &str, condition_end: usize) -> usize {
    let bytes = text.as_bytes();
    let mut place = condition_end;
    while let Some(byte) = bytes.get(place) {
        let rest = &bytes[place..];
        place += match byte {
            b'}' => return place + 1,
            b'/' if rest.starts_with(b"//") => rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()),
            b'/' if rest.starts_with(b"/*") => {
                rest[2..].windows(2).position(|pair| pair == b"*/").map_or(rest.len(), |end| end + 4)
            }
            _ => 1,
        };
    }
    text.len()
}
