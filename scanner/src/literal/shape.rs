//! What a class looks at: how many bytes, at which positions.

/// The widest window, bytes: two of the processor's 32-bit lanes.
pub(super) const WIDTH_MAX: usize = 8;
/// Windows are chosen among so many first bytes of a literal, so that an offset fits eight bits.
pub(super) const SPAN_MAX: usize = 255;

/// Windows of `width` bytes at every `stride`-th position of the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// Bytes of a window, 4 to 8.
    pub(super) width: u8,
    /// Distance of looked-at positions: 1, 2, 4 or 8.
    pub(super) stride: u8,
    /// Whether letters of both cases look the same.
    pub(super) folded: bool,
}

impl Shape {
    pub(super) const fn new(width: u8, stride: u8) -> Self {
        Self { width, stride, folded: false }
    }

    /// The shortest literal that has a window for each residue.
    pub(super) fn literal_bytes_min(self) -> usize {
        usize::from(self.width + self.stride) - 1
    }

    /// The bits of eight bytes, read little-endian, that make up the window. Where case does not count the
    /// bit is dropped that tells `a` from `A`; some other bytes become equal too, which the compare sorts out.
    pub(super) fn mask(self) -> u64 {
        let width = u64::MAX >> (8 * (WIDTH_MAX - usize::from(self.width)));
        if self.folded { width & 0xdfdf_dfdf_dfdf_dfdf } else { width }
    }
}

/// Eight bytes at `at`, little-endian; beyond the end they count as zero.
#[inline]
pub(super) fn load(bytes: &[u8], at: usize) -> u64 {
    match bytes.get(at..at + WIDTH_MAX) {
        Some(whole) => u64::from_le_bytes(whole.try_into().expect("eight bytes")),
        None => load_at_end(bytes, at),
    }
}

#[cold]
fn load_at_end(bytes: &[u8], at: usize) -> u64 {
    let mut whole = [0; WIDTH_MAX];
    let rest = bytes.get(at..).unwrap_or_default();
    whole[..rest.len()].copy_from_slice(rest);
    u64::from_le_bytes(whole)
}
