//! Strings as sequences of bytes that are known and of gaps.

use boreal_parser::hex_string::Token;
use boreal_parser::regex::{Node, RepetitionKind, RepetitionRange};
use boreal_parser::rule::{VariableDeclaration, VariableDeclarationValue};

/// A part of what a match looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// This byte.
    Byte(u8),
    /// Any number of bytes of which nothing is known.
    Gap,
    /// One of these.
    Either(Vec<Vec<Part>>),
}

/// The ways a string may be written, each as its parts. Empty: nothing is known.
pub(super) fn forms(variable: &VariableDeclaration) -> Vec<Vec<Part>> {
    let modifiers = &variable.modifiers;
    if modifiers.xor.is_some() || modifiers.base64.is_some() {
        return Vec::new();
    }
    let (mut parts, either_case) = match &variable.value {
        VariableDeclarationValue::Bytes(bytes) => (bytes.iter().map(|byte| Part::Byte(*byte)).collect(), false),
        VariableDeclarationValue::HexString(tokens) => (of_tokens(tokens), false),
        VariableDeclarationValue::Regex(regex) => {
            let mut parts = Vec::new();
            add_node(&regex.ast, &mut parts);
            (parts, regex.case_insensitive)
        }
    };
    if either_case || modifiers.nocase {
        replace(&mut parts, &|part| match part {
            Part::Byte(byte) if byte.is_ascii_alphabetic() => vec![Part::Gap],
            other => vec![other],
        });
    }
    let mut forms = Vec::new();
    if modifiers.wide {
        let mut wide = parts.clone();
        replace(&mut wide, &|part| match part {
            Part::Byte(byte) => vec![Part::Byte(byte), Part::Byte(0)],
            other => vec![other],
        });
        forms.push(wide);
    }
    if modifiers.ascii || !modifiers.wide {
        forms.push(parts);
    }
    forms
}

/// Replaces bytes and gaps, also within alternatives.
fn replace(parts: &mut Vec<Part>, by: &impl Fn(Part) -> Vec<Part>) {
    let old = std::mem::take(parts);
    parts.extend(old.into_iter().flat_map(|part| match part {
        Part::Either(mut branches) => {
            branches.iter_mut().for_each(|branch| replace(branch, by));
            vec![Part::Either(branches)]
        }
        other => by(other),
    }));
}

fn of_tokens(tokens: &[Token]) -> Vec<Part> {
    let part = |token: &Token| match token {
        Token::Byte(byte) => Part::Byte(*byte),
        Token::Alternatives(branches) => Part::Either(branches.iter().map(|branch| of_tokens(branch)).collect()),
        Token::NotByte(_) | Token::MaskedByte(..) | Token::NotMaskedByte(..) | Token::Jump(_) => Part::Gap,
    };
    tokens.iter().map(part).collect()
}

fn add_node(node: &Node, parts: &mut Vec<Part>) {
    match node {
        Node::Literal(literal) => parts.push(Part::Byte(literal.byte)),
        // They have no width.
        Node::Assertion(_) | Node::Empty => {}
        Node::Concat(nodes) => nodes.iter().for_each(|node| add_node(node, parts)),
        Node::Group(node) => add_node(node, parts),
        Node::Alternation(branches) => parts.push(Part::Either(
            branches
                .iter()
                .map(|branch| {
                    let mut parts = Vec::new();
                    add_node(branch, &mut parts);
                    parts
                })
                .collect(),
        )),
        Node::Repetition { node, kind, .. } => {
            parts.push(Part::Gap);
            if repeats_min(kind) > 0 {
                add_node(node, parts);
                parts.push(Part::Gap);
            }
        }
        Node::Class(_) | Node::Dot | Node::Char(_) => parts.push(Part::Gap),
    }
}

fn repeats_min(kind: &RepetitionKind) -> u32 {
    match kind {
        RepetitionKind::ZeroOrOne | RepetitionKind::ZeroOrMore => 0,
        RepetitionKind::OneOrMore => 1,
        RepetitionKind::Range(
            RepetitionRange::Exactly(min) | RepetitionRange::AtLeast(min) | RepetitionRange::Bounded(min, _),
        ) => *min,
    }
}
