//! The last look at a signature: exact, on the bytes themselves.

use super::search::Needle;

/// Why a signature must not leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refuted {
    /// There is no literal, or an empty one.
    #[error("a signature without a literal proves nothing")]
    Empty,
    /// A sample of the group lacks a literal.
    #[error("sample {sample} lacks literal {literal}")]
    Missing {
        /// Which sample, from 0.
        sample: usize,
        /// Which literal, from 0.
        literal: usize,
    },
    /// A clean file has one.
    #[error("clean file {file} has literal {literal}")]
    InClean {
        /// Which file, from 0.
        file: usize,
        /// Which literal, from 0.
        literal: usize,
    },
}

/// Whether every literal is in every sample and none is in any clean file: a signature of several literals is not
/// excused because a clean file has only some of them.
///
/// A corpus that does not fit in memory is proved file by file, with no samples. About n / 64 steps for each literal
/// and file, 64 n at worst; no memory.
///
/// # Errors
/// The first file that refutes it.
pub fn prove(literals: &[&[u8]], samples: &[&[u8]], clean: &[&[u8]]) -> Result<(), Refuted> {
    if literals.is_empty() || literals.iter().any(|literal| literal.is_empty()) {
        return Err(Refuted::Empty);
    }
    for (literal, bytes) in literals.iter().enumerate() {
        let needle = Needle::new(bytes);
        if let Some(sample) = samples.iter().position(|sample| needle.first_in(sample).is_none()) {
            return Err(Refuted::Missing { sample, literal });
        }
        if let Some(file) = clean.iter().position(|file| needle.first_in(file).is_some()) {
            return Err(Refuted::InClean { file, literal });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_literal_must_be_in_each_sample_and_in_no_clean_file() {
        let literals: [&[u8]; 2] = [b"body", b"tail"];
        assert_eq!(prove(&literals, &[b"a body and a tail", b"tail, body"], &[b"neither"]), Ok(()));
        let missing = Refuted::Missing { sample: 1, literal: 1 };
        assert_eq!(prove(&literals, &[b"body tail", b"body"], &[]), Err(missing));
        let clean = Refuted::InClean { file: 1, literal: 0 };
        assert_eq!(prove(&literals, &[b"body tail"], &[b"", b"somebody"]), Err(clean));
    }

    #[test]
    fn a_signature_without_literals_is_refuted() {
        assert_eq!(prove(&[], &[], &[]), Err(Refuted::Empty));
        assert_eq!(prove(&[b""], &[], &[]), Err(Refuted::Empty));
    }
}
