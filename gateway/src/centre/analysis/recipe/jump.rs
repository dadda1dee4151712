//! First bytes that an infection replaced by a jump to itself.

/// A jump over the same distance from the end in all samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Jump {
    /// How many first bytes it took the place of.
    pub bytes: usize,
    /// Bytes from its target to the end of the file.
    pub from_end: usize,
}

/// The jump that all samples begin with: `e9` and a distance of 16 or 32 bits. None if one of them has none, targets
/// differ, or both readings fit. O(1) for each sample.
pub(super) fn common(samples: &[&[u8]]) -> Option<Jump> {
    let of_all = |read: fn(&[u8]) -> Option<Jump>| {
        let first = read(samples.first()?)?;
        samples.iter().all(|sample| read(sample) == Some(first)).then_some(first)
    };
    match (of_all(near), of_all(far)) {
        (Some(_), Some(_)) => None,
        (near, far) => near.or(far),
    }
}

/// In programs of one segment addresses wrap at 64 KiB.
fn near(sample: &[u8]) -> Option<Jump> {
    let [0xe9, low, high] = *sample.first_chunk::<3>()? else { return None };
    let target = u16::from_le_bytes([low, high]).wrapping_add(3);
    let from_end = sample.len().checked_sub(usize::from(target))?;
    (sample.len() <= 1 << 16).then_some(Jump { bytes: 3, from_end })
}

fn far(sample: &[u8]) -> Option<Jump> {
    let [0xe9, distance @ ..] = *sample.first_chunk::<5>()? else { return None };
    let target = u32::from_le_bytes(distance).wrapping_add(5);
    let from_end = sample.len().checked_sub(usize::try_from(target).ok()?)?;
    Some(Jump { bytes: 5, from_end })
}
