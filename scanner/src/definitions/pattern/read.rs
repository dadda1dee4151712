//! Hexadecimal text becomes a pattern, as the language demands of it.
//!
//! Three steps: characters to [`Token`]s, tokens to segments that are checked, tokens to parts in their one form.

use super::{Alternates, Boundary, BoundaryKind, Gap, MaskedByte, Part, Pattern, Polarity};
use crate::definitions::fault::{Fault, LineError};
use crate::definitions::field::{Field, nibble};
use crate::definitions::limits;
use crate::definitions::outcome::Reason;

/// What the place a pattern stands in demands of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Demands {
    /// The fewest bytes of a pattern without any wildcard.
    pub plain_bytes_min: usize,
    /// How its bytes are searched for.
    pub width: Width,
    /// Whether strings can be negated.
    pub negation: Negation,
}

/// Whether a zero byte follows each byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    /// Bytes as written.
    Narrow,
    /// Modifier `w`.
    Wide,
}

/// Whether strings can be negated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Negation {
    /// They can.
    Allowed,
    /// Any modifier rules it out.
    RuledOut,
}

/// One element of the text and where it starts.
struct Token {
    kind: TokenKind,
    at: usize,
}

enum TokenKind {
    /// A byte; mask 0 for `??`.
    Byte(MaskedByte),
    /// `{n}` below 128: so many bytes, within a segment.
    Fixed(u32),
    /// `*`.
    Star,
    /// Any other `{}`.
    Range(Gap),
    /// `[]`.
    Anchored(Gap),
    Alternates(Alternates),
    Boundary(Boundary),
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Whatever ClamAV refuses, at the byte that is wrong; unsupported where ClamAV accepts a text that cannot match
    /// or does not match what it says.
    pub(crate) fn read(text: Field<'_>, demands: Demands) -> Result<Pattern, LineError> {
        let mut reader = Reader { text, at: 0, demands };
        let tokens = reader.tokens(Inside::Pattern)?;
        reader.check(&tokens)?;
        let pattern = assemble(tokens, demands.width, text)?;
        // So that whoever joins its gaps later stays within 32 bits.
        let bounded = |part: &Part| part.length().max.unwrap_or(part.length().min);
        if pattern.parts.iter().map(bounded).sum::<u64>() > u64::from(u32::MAX) {
            return Err(text.error(Reason::LooseNumber));
        }
        Ok(pattern)
    }
}

/// Where tokens are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Pattern,
    /// Within so many parentheses.
    Alternates(usize),
}

struct Reader<'a> {
    text: Field<'a>,
    at: usize,
    demands: Demands,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.bytes.get(self.at).copied()
    }

    fn error(&self, fault: Fault) -> LineError {
        self.text.error_at(self.at, fault)
    }

    /// Tokens up to the end, or within parentheses up to `|` or `)`.
    fn tokens(&mut self, inside: Inside) -> Result<Vec<Token>, LineError> {
        let mut tokens = Vec::new();
        while let Some(first) = self.peek() {
            let at = self.at;
            let kind = match (first, inside) {
                (b'|' | b')', Inside::Alternates(_)) => break,
                (b'(', _) => self.parenthesis(Polarity::Positive, inside)?,
                (b'!', Inside::Pattern) if self.text.bytes.get(at + 1) == Some(&b'(') => {
                    self.at += 1;
                    self.parenthesis(Polarity::Negative, inside)?
                }
                (b'*' | b'[' | b'!', Inside::Alternates(_)) => return Err(self.error(Fault::AlternateContent)),
                (b'*', Inside::Pattern) => {
                    self.at += 1;
                    TokenKind::Star
                }
                (b'{', _) => self.range(inside)?,
                (b'[', Inside::Pattern) => self.anchored_range()?,
                _ => TokenKind::Byte(self.byte()?),
            };
            tokens.push(Token { kind, at });
        }
        Ok(tokens)
    }

    /// Two characters of which either may be `?`.
    fn byte(&mut self) -> Result<MaskedByte, LineError> {
        let mut byte = MaskedByte { value: 0, mask: 0 };
        for shift in [4, 0] {
            match self.peek() {
                Some(b'?') => {}
                Some(digit) => {
                    let known = nibble(digit).ok_or_else(|| self.error(Fault::Hexadecimal))?;
                    byte.value |= known << shift;
                    byte.mask |= 15 << shift;
                }
                None => return Err(self.error(Fault::Hexadecimal)),
            }
            self.at += 1;
        }
        Ok(byte)
    }

    /// The content of a bracket that starts here, without it; leaves the place behind its end.
    fn bracket(&mut self, end: u8, fault: Fault) -> Result<Field<'_>, LineError> {
        let from = self.at + 1;
        let len = self.text.bytes[from..].iter().position(|byte| *byte == end).ok_or_else(|| self.error(fault))?;
        self.at = from + len + 1;
        Ok(self.text.part(from, from + len))
    }

    /// `{n}`, `{n-}`, `{-n}`, `{n-m}`, and `{}`, `{-}` which ClamAV takes for any. A most of 0 is no most at all.
    fn range(&mut self, inside: Inside) -> Result<TokenKind, LineError> {
        let content = self.bracket(b'}', Fault::Range)?;
        let (kind, content) = match content.split_once(b'-') {
            None => {
                let count = content.number_or_zero(Fault::Range)?;
                let kind = match count {
                    0 => TokenKind::Range(Gap { min: 0, max: None }),
                    1..limits::FIXED_GAP_MAX => TokenKind::Fixed(count),
                    _ => TokenKind::Range(Gap { min: count, max: Some(count) }),
                };
                (kind, content)
            }
            Some((min, max)) => {
                let (min, max) = (min.number_or_zero(Fault::Range)?, max.number_or_zero(Fault::Range)?);
                (TokenKind::Range(Gap { min, max: (max > 0).then_some(max) }), content)
            }
        };
        match (inside, &kind) {
            (Inside::Alternates(_), TokenKind::Range(_)) => Err(content.error(Fault::AlternateContent)),
            _ => Ok(kind),
        }
    }

    /// `[n-m]`; `[n]` and `[n-]` are exactly n.
    fn anchored_range(&mut self) -> Result<TokenKind, LineError> {
        let content = self.bracket(b']', Fault::AnchoredRange)?;
        let (min, max) = match content.split_once(b'-') {
            None => (content.number(Fault::AnchoredRange)?, None),
            Some((min, max)) if max.bytes.is_empty() => (min.number(Fault::AnchoredRange)?, None),
            Some((min, max)) => (min.number(Fault::AnchoredRange)?, Some(max.number(Fault::AnchoredRange)?)),
        };
        let max = max.unwrap_or(min);
        if min > max || max > limits::ANCHORED_GAP_MAX {
            return Err(content.error(Fault::AnchoredRange));
        }
        Ok(TokenKind::Anchored(Gap { min, max: Some(max) }))
    }

    /// A boundary or alternates; the place is at `(`.
    fn parenthesis(&mut self, polarity: Polarity, inside: Inside) -> Result<TokenKind, LineError> {
        let rest = &self.text.bytes[self.at..];
        let kind = match rest.get(..3) {
            Some(b"(B)") => Some(BoundaryKind::Word),
            Some(b"(L)") => Some(BoundaryKind::Line),
            Some(b"(W)") => Some(BoundaryKind::NonAlphanumeric),
            _ => None,
        };
        match (kind, inside) {
            (Some(kind), Inside::Pattern) => {
                self.at += 3;
                Ok(TokenKind::Boundary(Boundary { kind, polarity }))
            }
            (Some(_), Inside::Alternates(_)) => Err(self.error(Fault::AlternateContent)),
            (None, _) => Ok(TokenKind::Alternates(self.alternates(polarity, inside)?)),
        }
    }

    fn alternates(&mut self, polarity: Polarity, inside: Inside) -> Result<Alternates, LineError> {
        let depth = match inside {
            Inside::Pattern => 1,
            Inside::Alternates(depth) => depth + 1,
        };
        if depth > limits::ALTERNATES_DEPTH_MAX {
            return Err(self.error(Fault::DeepAlternates));
        }
        let open = self.at;
        let mut choices = Vec::new();
        loop {
            self.at += 1;
            let from = self.at;
            let tokens = self.tokens(Inside::Alternates(depth))?;
            if choices.is_empty() && tokens.is_empty() && self.peek().is_some() {
                return Err(self.text.error_at(from, Fault::EmptyAlternate));
            }
            choices.push(assemble(tokens, self.demands.width, self.text)?);
            match self.peek() {
                Some(b'|') => {}
                Some(_) => break,
                None => return Err(self.text.error_at(open, Fault::OpenParenthesis)),
            }
        }
        self.at += 1;
        let alternates = Alternates { polarity, choices: choices.into() };
        let negatable = self.demands.negation == Negation::Allowed && alternates.plain_len().is_some();
        if polarity == Polarity::Negative && !negatable {
            return Err(self.text.error_at(open, Fault::Negation));
        }
        Ok(alternates)
    }

    /// What the language demands of each segment, and of a pattern that is one plain string.
    fn check(&self, tokens: &[Token]) -> Result<(), LineError> {
        let known = |token: &Token| matches!(token.kind, TokenKind::Byte(MaskedByte { mask: 0xff, .. }));
        if tokens.len() < self.demands.plain_bytes_min && tokens.iter().all(known) {
            return Err(self.text.error(Fault::ShortPattern));
        }
        let splits = |token: &Token| matches!(token.kind, TokenKind::Star | TokenKind::Range(_));
        let ranges = |token: Option<&Token>| matches!(token, Some(Token { kind: TokenKind::Range(_), .. }));
        let mut cannot_match = None;
        let mut from = 0;
        for segment in tokens.split(splits) {
            let to = from + segment.len();
            let place = tokens.get(from).or(tokens.last()).map_or(0, |token| token.at);
            if !segment.is_empty() {
                self.check_segment(segment)?;
            } else if from > 0 && ranges(tokens.get(from - 1)) && ranges(tokens.get(to)) {
                // ClamAV loads two ranges side by side and then never finds the signature.
                cannot_match.get_or_insert(self.text.error_at(place, Reason::CannotMatch));
            } else {
                return Err(self.text.error_at(place, Fault::EmptySegment));
            }
            from = to + 1;
        }
        let inverted =
            |token: &&Token| matches!(&token.kind, TokenKind::Range(gap) if gap.max.is_some_and(|max| max < gap.min));
        if let Some(token) = tokens.iter().find(inverted) {
            cannot_match.get_or_insert(self.text.error_at(token.at, Reason::CannotMatch));
        }
        cannot_match.map_or(Ok(()), Err)
    }

    fn check_segment(&self, segment: &[Token]) -> Result<(), LineError> {
        let core = self.without_anchored(segment)?;
        let mut known_before = 0;
        let mut paired = false;
        for (index, token) in core.iter().enumerate() {
            let led_by_boundaries = || core[..index].iter().all(|token| matches!(token.kind, TokenKind::Boundary(_)));
            match &token.kind {
                TokenKind::Byte(byte) => {
                    known_before = if byte.mask == 0xff { known_before + 1 } else { 0 };
                    paired |= known_before > 1;
                    if self.demands.width == Width::Wide {
                        known_before += 1;
                        paired |= known_before > 1;
                    }
                }
                TokenKind::Boundary(_) if paired || led_by_boundaries() => {}
                TokenKind::Boundary(_) => return Err(self.text.error_at(token.at, Fault::BoundaryPlace)),
                _ => known_before = 0,
            }
        }
        let at = segment.first().map_or(0, |token| token.at);
        if paired { Ok(()) } else { Err(self.text.error_at(at, Fault::NoStaticPair)) }
    }

    /// A segment without the single bytes that `[]` ties to its ends.
    fn without_anchored<'t>(&self, segment: &'t [Token]) -> Result<&'t [Token], LineError> {
        let is_anchored = |token: &Token| matches!(token.kind, TokenKind::Anchored(_));
        let mut core = segment;
        if let [Token { kind: TokenKind::Byte(byte), at }, bracket, rest @ ..] = core
            && is_anchored(bracket)
        {
            self.check_anchored(*byte, *at)?;
            core = rest;
        }
        if let [rest @ .., bracket, Token { kind: TokenKind::Byte(byte), at }] = core
            && is_anchored(bracket)
        {
            self.check_anchored(*byte, *at)?;
            core = rest;
        }
        match core.iter().find(|token| is_anchored(token)) {
            Some(token) => Err(self.text.error_at(token.at, Fault::AnchoredByte)),
            None => Ok(core),
        }
    }

    /// ClamAV finds any byte where a tied byte has a wildcard, and does not say what `w` makes of one.
    fn check_anchored(&self, byte: MaskedByte, at: usize) -> Result<(), LineError> {
        match (byte.mask, self.demands.width) {
            (0xff, Width::Narrow) => Ok(()),
            _ => Err(self.text.error_at(at, Reason::AnchoredWildcard)),
        }
    }
}

/// Tokens in the one form of [`Pattern`].
fn assemble(tokens: Vec<Token>, width: Width, text: Field<'_>) -> Result<Pattern, LineError> {
    let mut builder = super::build::Builder::default();
    for token in tokens {
        let gap = match token.kind {
            TokenKind::Byte(MaskedByte { mask: 0, .. }) if width == Width::Narrow => Gap { min: 1, max: Some(1) },
            TokenKind::Byte(byte) => {
                builder.byte(byte);
                continue;
            }
            TokenKind::Alternates(alternates) => {
                builder.part(Part::Alternates(Box::new(alternates)));
                continue;
            }
            TokenKind::Boundary(boundary) => {
                builder.part(Part::Boundary(boundary));
                continue;
            }
            TokenKind::Fixed(count) => Gap { min: count, max: Some(count) },
            TokenKind::Star => Gap { min: 0, max: None },
            TokenKind::Range(gap) | TokenKind::Anchored(gap) => gap,
        };
        if !builder.gap(gap) {
            return Err(text.error_at(token.at, Reason::LooseNumber));
        }
    }
    Ok(builder.finish())
}
