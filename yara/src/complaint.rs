//! What is wrong with a source, and where.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::limits::COMPLAINT_CHARS_MAX;

/// A rule, an import or a whole source that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Complaint {
    /// The source's name.
    pub source: String,
    /// From 1.
    pub line: u32,
    /// In bytes, from 1.
    pub column: u32,
    /// What is wrong. Hostile text: it quotes the source.
    pub what: String,
}

/// A source's text, and where its lines begin.
pub(crate) struct Place<'a> {
    name: &'a str,
    line_starts: Vec<usize>,
}

impl<'a> Place<'a> {
    pub fn new(name: &'a str, text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self { name, line_starts: [0].into_iter().chain(ends.map(|(place, _)| place + 1)).collect() }
    }

    pub fn name(&self) -> &str {
        self.name
    }

    /// The line that holds the place `offset` bytes into the text, from 1.
    pub fn line(&self, offset: usize) -> u32 {
        u32::try_from(self.line_starts.partition_point(|start| *start <= offset)).unwrap_or(u32::MAX)
    }

    pub fn complaint(&self, offset: usize, what: &str) -> Complaint {
        let line = self.line(offset);
        let column = offset - self.line_starts[line as usize - 1] + 1;
        Complaint {
            source: self.name.to_owned(),
            line,
            column: u32::try_from(column).unwrap_or(u32::MAX),
            what: what.chars().take(COMPLAINT_CHARS_MAX).collect(),
        }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}:{}: {}", self.source, self.line, self.column, self.what)
    }
}
