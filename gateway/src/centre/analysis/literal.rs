//! A byte string of a signature, and where the samples of a group have it.

use super::search::Needle;

/// A byte string that every sample looked at has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literal {
    /// 16 to 64 bytes.
    pub bytes: Box<[u8]>,
    /// Where the first sample has it first.
    pub at: usize,
    /// Its distance from the start, where that is the same in every sample.
    pub from_start: Option<usize>,
    /// Bytes from its first one to the end of the file, where that is the same in every sample: appended code has
    /// it, and a recipe can measure from it.
    pub from_end: Option<usize>,
    /// Grams of it that no goodware has, for certain.
    pub unknown_grams: usize,
}

impl Literal {
    /// A literal with what its first places in all samples have in common; none if one of them lacks it. O(n).
    pub(super) fn located(bytes: &[u8], unknown_grams: usize, samples: &[&[u8]]) -> Option<Literal> {
        let needle = Needle::new(bytes);
        let places = samples.iter().map(|sample| needle.first_in(sample)).collect::<Option<Vec<usize>>>()?;
        let at = *places.first()?;
        let from_end = |(sample, place): (&&[u8], &usize)| sample.len() - place;
        let ends: Vec<usize> = samples.iter().zip(&places).map(from_end).collect();
        Some(Literal { bytes: bytes.into(), at, from_start: same(&places), from_end: same(&ends), unknown_grams })
    }

    /// Its digits, as definitions write them.
    #[must_use]
    pub fn hexadecimal(&self) -> String {
        hexadecimal(&self.bytes)
    }
}

/// Lower-case hexadecimal digits.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn same(numbers: &[usize]) -> Option<usize> {
    let first = *numbers.first()?;
    numbers.iter().all(|number| *number == first).then_some(first)
}
