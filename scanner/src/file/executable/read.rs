//! Numbers at offsets that a stranger wrote.

/// Bytes with one order of bytes.
#[derive(Clone, Copy)]
pub(super) struct Bytes<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) big_endian: bool,
}

impl<'a> Bytes<'a> {
    pub(super) fn little(bytes: &'a [u8]) -> Self {
        Self { bytes, big_endian: false }
    }

    pub(super) fn len(self) -> u64 {
        self.bytes.len() as u64
    }

    fn array<const N: usize>(self, at: u64) -> Option<[u8; N]> {
        let at = usize::try_from(at).ok()?;
        self.bytes.get(at..at.checked_add(N)?)?.try_into().ok()
    }

    pub(super) fn u16(self, at: u64) -> Option<u16> {
        let array = self.array(at)?;
        Some(if self.big_endian { u16::from_be_bytes(array) } else { u16::from_le_bytes(array) })
    }

    pub(super) fn u32(self, at: u64) -> Option<u32> {
        let array = self.array(at)?;
        Some(if self.big_endian { u32::from_be_bytes(array) } else { u32::from_le_bytes(array) })
    }

    pub(super) fn u64(self, at: u64) -> Option<u64> {
        let array = self.array(at)?;
        Some(if self.big_endian { u64::from_be_bytes(array) } else { u64::from_le_bytes(array) })
    }

    /// A number of 32 or 64 bits, as the file's class says.
    pub(super) fn word(self, at: u64, wide: bool) -> Option<u64> {
        if wide { self.u64(at) } else { self.u32(at).map(u64::from) }
    }
}
