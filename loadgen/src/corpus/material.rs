//! Bytes to cut contents from. A content is a run of the material of its kind from a place of its
//! own, under 16 bytes that make it unique: as fast as a copy, so that the generator never becomes
//! what is measured.
//!
//! Binary material imitates machine code: a small stock of snippets (prologues, calls, tables) that
//! come again and again, with operands that never do. zstd level 1 takes it about 2:1.

use super::ContentKind;
use crate::draw::{below, draw};

/// Material of each kind. Larger than the window in which a compressor of one sample could notice
/// that material repeats.
const MATERIAL_BYTES: usize = 4 << 20;
const SNIPPETS: u64 = 512;

const NOISE: u64 = 0x21;
const CODE: u64 = 0x22;
const WORDS: u64 = 0x23;
const PLACE: u64 = 0x24;
const STAMP: u64 = 0x25;

const VOCABULARY: [&str; 48] = [
    "the", "of", "and", "to", "in", "is", "for", "on", "with", "that", "invoice", "payment", "account", "please",
    "attached", "document", "order", "delivery", "function", "return", "var", "if", "else", "while", "new", "string",
    "object", "shell", "execute", "download", "http", "www", "com", "user", "password", "update", "security", "notice",
    "open", "file", "click", "here", "dear", "customer", "regards", "number", "urgent", "today",
];

#[derive(Debug)]
pub(super) struct Material {
    binary: Vec<u8>,
    text: Vec<u8>,
    noise: Vec<u8>,
}

impl Material {
    pub(super) fn new(seed: u64) -> Self {
        let noise = noise(seed);
        Self { binary: binary(seed, &noise), text: text(seed), noise }
    }

    /// Content `number` of this kind and size.
    pub(super) fn body(&self, seed: u64, number: u64, kind: ContentKind, bytes: u64) -> Vec<u8> {
        let source = match kind {
            ContentKind::Binary => &self.binary,
            ContentKind::Text => &self.text,
            ContentKind::Incompressible => &self.noise,
        };
        let bytes = bytes as usize;
        let mut body = Vec::with_capacity(bytes);
        body.extend_from_slice(&number.to_le_bytes());
        body.extend_from_slice(&draw(seed, STAMP, number).to_le_bytes());
        let mut at = below(seed, PLACE, number, source.len() as u64) as usize;
        while body.len() < bytes {
            let run = (bytes - body.len()).min(source.len() - at);
            body.extend_from_slice(&source[at..at + run]);
            at = 0;
        }
        body.truncate(bytes);
        body
    }
}

fn noise(seed: u64) -> Vec<u8> {
    (0..MATERIAL_BYTES as u64 / 8).flat_map(|index| draw(seed, NOISE, index).to_le_bytes()).collect()
}

/// Snippets of 4 to 19 bytes, the low numbers far more often, each followed by 2 to 5 operand bytes.
fn binary(seed: u64, noise: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(MATERIAL_BYTES + 32);
    for index in 0.. {
        let dice = draw(seed, CODE, index);
        let snippet = below(seed, CODE + 0x100, index, SNIPPETS).min(dice % SNIPPETS).min((dice >> 12) % SNIPPETS);
        let from = snippet as usize * 24;
        out.extend_from_slice(&noise[from..from + 4 + (snippet as usize & 15)]);
        let operands = (dice >> 32).to_le_bytes();
        out.extend_from_slice(&operands[..2 + (dice >> 60) as usize % 3]);
        if out.len() >= MATERIAL_BYTES {
            break;
        }
    }
    out.truncate(MATERIAL_BYTES);
    out
}

fn text(seed: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(MATERIAL_BYTES + 32);
    for index in 0.. {
        let word = VOCABULARY[below(seed, WORDS, index, VOCABULARY.len() as u64) as usize];
        out.extend_from_slice(word.as_bytes());
        out.push(if draw(seed, WORDS + 0x100, index).is_multiple_of(12) { b'\n' } else { b' ' });
        if out.len() >= MATERIAL_BYTES {
            break;
        }
    }
    out.truncate(MATERIAL_BYTES);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plain bytes over compressed bytes, by zstd at level 1.
    fn ratio(kind: ContentKind) -> f64 {
        let material = Material::new(7);
        let body = material.body(7, 3, kind, 65536);
        body.len() as f64 / zstd::bulk::compress(&body, 1).unwrap().len() as f64
    }

    #[test]
    fn programs_compress_about_two_to_one() {
        let ratio = ratio(ContentKind::Binary);
        assert!((1.7..2.4).contains(&ratio), "the ratio is {ratio}");
    }

    #[test]
    fn text_compresses_better_and_noise_not_at_all() {
        assert!(ratio(ContentKind::Text) > 2.5);
        assert!(ratio(ContentKind::Incompressible) < 1.01);
    }
}
