//! Which windows of a literal it is filed under: for each residue of offsets the rarest, and among the rare
//! those that few others are filed under.

use super::rarity::{self, GRAM_BYTES, LEVEL_MAX};
use super::shape::{SPAN_MAX, Shape, WIDTH_MAX, load};
use super::table::hash;

/// The rarity of every gram of a literal.
pub(super) struct Levels {
    levels: [u8; SPAN_MAX],
    /// Bytes of the literal that windows are chosen from.
    span: usize,
    /// How common windows are, by width and by the level of their rarest gram.
    shares: [[f32; LEVEL_MAX as usize + 1]; WIDTH_MAX + 1],
}

impl Levels {
    pub(super) fn new() -> Self {
        let shares = std::array::from_fn(|width| rarity::window_shares(width as u8));
        Self { levels: [0; SPAN_MAX], span: 0, shares }
    }

    /// Reads a literal of at least [`GRAM_BYTES`]; where case does not count, it is in lower case already, and
    /// a gram is as common as the commoner of lower and upper case.
    pub(super) fn read(&mut self, text: &[u8], folded: bool) {
        self.span = text.len().min(SPAN_MAX);
        for at in 0..=self.span - GRAM_BYTES {
            let mut gram: [u8; GRAM_BYTES] = text[at..at + GRAM_BYTES].try_into().expect("four bytes");
            let mut level = rarity::level(u32::from_le_bytes(gram));
            if folded {
                gram.make_ascii_uppercase();
                level = level.min(rarity::level(u32::from_le_bytes(gram)));
            }
            self.levels[at] = level;
        }
    }

    /// A window is as rare as its rarest gram.
    #[inline]
    fn window(&self, at: usize, width: usize) -> u8 {
        let grams = &self.levels[at..=at + width - GRAM_BYTES];
        grams.iter().fold(0, |rarest, &level| rarest.max(level))
    }

    /// The share of positions at which a looked-at window of this literal is expected, or nothing where the
    /// literal is too short for the shape. Each residue is met by one looked-at position in `stride`.
    pub(super) fn expected_share(&self, shape: Shape) -> Option<f32> {
        if self.span < shape.literal_bytes_min() {
            return None;
        }
        let (width, stride) = (usize::from(shape.width), usize::from(shape.stride));
        let rarest = |residue| {
            let windows = (residue..=self.span - width).step_by(stride);
            windows.map(|at| self.window(at, width)).max().unwrap_or(0)
        };
        let shares = &self.shares[usize::from(shape.width)];
        let sum: f32 = (0..stride).map(|residue| shares[usize::from(rarest(residue))]).sum();
        Some(sum / stride as f32)
    }

    /// An offset for each residue, the least first; the literal must be long enough for the shape.
    pub(super) fn choose(&self, text: &[u8], shape: Shape, crowd: &mut Crowd) -> [u8; 8] {
        let (width, stride) = (usize::from(shape.width), usize::from(shape.stride));
        let shares = &self.shares[width];
        let mut offsets = [0; 8];
        for (residue, offset) in offsets.iter_mut().enumerate().take(stride) {
            let mut best = (f32::INFINITY, residue);
            for at in (residue..=self.span - width).step_by(stride) {
                let share = shares[usize::from(self.window(at, width))];
                // Counting costs a miss, so it is done only where it can matter.
                if share < best.0 {
                    let cost = share * (1 + crowd.count(load(text, at) & shape.mask())) as f32;
                    if cost < best.0 {
                        best = (cost, at);
                    }
                }
            }
            crowd.add(load(text, best.1) & shape.mask());
            *offset = best.1 as u8;
        }
        offsets
    }
}

/// How many literals are filed under a window so far, by hash: sometimes more than there are, never fewer.
pub(super) struct Crowd {
    counts: Vec<u32>,
    shift: u32,
}

impl Crowd {
    /// A sketch for so many windows.
    pub(super) fn new(keys: usize) -> Self {
        let log2 = keys.next_power_of_two().trailing_zeros().clamp(8, 20);
        Self { counts: vec![0; 1 << log2], shift: 64 - log2 }
    }

    /// Memory of a sketch for so many windows.
    pub(super) fn bytes_for(keys: usize) -> usize {
        4 * keys.next_power_of_two().clamp(1 << 8, 1 << 20)
    }

    fn count(&self, window: u64) -> u32 {
        self.counts[(hash(window, 0) >> self.shift) as usize]
    }

    fn add(&mut self, window: u64) {
        self.counts[(hash(window, 0) >> self.shift) as usize] += 1;
    }
}
