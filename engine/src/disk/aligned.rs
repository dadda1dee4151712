//! Buffers whose address, for direct I/O, is a multiple of the page size.

/// Unit of direct writes: the largest logical block in common use, and the page size.
pub const PAGE_BYTES: usize = 4096;

/// A growable buffer that starts at a page boundary. Made of a plain vector with slack in front, so that
/// no unsafe code is needed.
#[derive(Debug, Default)]
pub struct AlignedBuf {
    bytes: Vec<u8>,
    start: usize,
    len: usize,
}

impl AlignedBuf {
    /// An empty buffer with room for `capacity` bytes.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        let bytes = vec![0; capacity.next_multiple_of(PAGE_BYTES) + PAGE_BYTES];
        let start = bytes.as_ptr().align_offset(PAGE_BYTES);
        Self { bytes, start, len: 0 }
    }

    /// Bytes in use.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no byte is in use.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes there is room for without moving.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.bytes.len().saturating_sub(self.start)
    }

    /// The bytes in use.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[self.start..self.start + self.len]
    }

    /// The bytes in use, to change.
    #[must_use]
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..self.start + self.len]
    }

    /// Appends.
    pub fn extend_from_slice(&mut self, more: &[u8]) {
        self.reserve(more.len());
        let end = self.start + self.len;
        self.bytes[end..end + more.len()].copy_from_slice(more);
        self.len += more.len();
    }

    /// Appends zeroes up to the next multiple of `unit`.
    pub fn pad_to(&mut self, unit: usize) {
        let padded = self.len.next_multiple_of(unit);
        self.reserve(padded - self.len);
        let end = self.start + self.len;
        self.bytes[end..self.start + padded].fill(0);
        self.len = padded;
    }

    /// Forgets the content, keeps the room.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    fn reserve(&mut self, more: usize) {
        if self.len + more <= self.capacity() {
            return;
        }
        let mut larger = Self::with_capacity((self.len + more).max(self.capacity() * 2));
        larger.bytes[larger.start..larger.start + self.len].copy_from_slice(self.as_slice());
        larger.len = self.len;
        *self = larger;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_stays_at_a_page_boundary_while_it_grows() {
        let mut buffer = AlignedBuf::default();
        let mut expected = Vec::new();
        for round in 1..200_usize {
            let piece = vec![round as u8; round * 37];
            buffer.extend_from_slice(&piece);
            expected.extend_from_slice(&piece);
            assert_eq!(buffer.as_slice().as_ptr().align_offset(PAGE_BYTES), 0, "round {round}");
        }
        buffer.pad_to(PAGE_BYTES);
        expected.resize(expected.len().next_multiple_of(PAGE_BYTES), 0);
        assert_eq!(buffer.as_slice(), expected);
    }

    #[test]
    fn padding_after_reuse_is_zero() {
        let mut buffer = AlignedBuf::with_capacity(PAGE_BYTES);
        buffer.extend_from_slice(&[7; PAGE_BYTES]);
        buffer.clear();
        buffer.extend_from_slice(&[1]);
        buffer.pad_to(64);
        assert_eq!(&buffer.as_slice()[1..], [0; 63]);
    }
}
