//! Method 6 of old ZIPs: a sliding window of 4 or 8 KiB and two or three Shannon-Fano codes (APPNOTE 5.3).

use crate::file::walk::Walk;

/// Where a code's lengths do not form a tree, or the input ends.
struct Ended;

/// The content, bounded by the walk's room. What came before damage is kept.
pub(super) fn explode(stored: &[u8], flags: u16, plain_bytes: u64, walk: &mut Walk<'_>) -> Vec<u8> {
    let room = walk.room();
    let wanted = usize::try_from(plain_bytes).unwrap_or(usize::MAX);
    let mut out = Vec::new();
    if run(stored, flags, wanted.min(room), &mut out).is_err() {
        walk.broken("an imploded member ends early or has no valid codes");
    } else if wanted > room {
        walk.no_room();
    }
    out
}

fn run(stored: &[u8], flags: u16, wanted: usize, out: &mut Vec<u8>) -> Result<(), Ended> {
    let (wide_window, with_literals) = (flags & 2 != 0, flags & 4 != 0);
    let mut bits = Bits { bytes: stored, at: 0 };
    let literals = if with_literals { Some(bits.tree(256)?) } else { None };
    let lengths = bits.tree(64)?;
    let distances = bits.tree(64)?;
    let low_bits = if wide_window { 7 } else { 6 };
    let length_min = if with_literals { 3 } else { 2 };
    while out.len() < wanted {
        if bits.take(1)? == 1 {
            let literal = match &literals {
                Some(tree) => bits.symbol(tree)? as u8,
                None => bits.take(8)? as u8,
            };
            out.push(literal);
            continue;
        }
        let low = bits.take(low_bits)?;
        let distance = (bits.symbol(&distances)? << low_bits | low) + 1;
        let mut length = bits.symbol(&lengths)?;
        if length == 63 {
            length += bits.take(8)?;
        }
        for _ in 0..(length + length_min).min((wanted - out.len()) as u32) {
            // Before the beginning lie zeroes.
            let byte = out.len().checked_sub(distance as usize).map_or(0, |at| out[at]);
            out.push(byte);
        }
    }
    Ok(())
}

struct Bits<'a> {
    bytes: &'a [u8],
    /// Next bit, counted from the least significant of the first byte.
    at: usize,
}

/// `(length, code)` of each symbol; lengths are 1 to 16 bits.
type Tree = Vec<(u32, u16)>;

impl Bits<'_> {
    fn take(&mut self, count: u32) -> Result<u32, Ended> {
        let mut value = 0;
        for n in 0..count {
            let byte = self.bytes.get(self.at / 8).ok_or(Ended)?;
            value |= u32::from(byte >> (self.at % 8) & 1) << n;
            self.at += 1;
        }
        Ok(value)
    }

    /// A tree as run lengths: a count of bytes, then in each a count of symbols and their common length.
    fn tree(&mut self, symbols: usize) -> Result<Tree, Ended> {
        let bytes = self.take(8)? + 1;
        let mut lengths = Vec::new();
        for _ in 0..bytes {
            let length = self.take(4)? + 1;
            let count = self.take(4)? + 1;
            lengths.extend((0..count).map(|_| length));
        }
        if lengths.len() != symbols {
            return Err(Ended);
        }
        let mut order: Vec<usize> = (0..symbols).collect();
        order.sort_by_key(|symbol| lengths[*symbol]);
        let mut tree = vec![(0, 0); symbols];
        let (mut code, mut increment, mut last) = (0u32, 0u32, 0);
        for symbol in order.into_iter().rev() {
            code = code.wrapping_add(increment);
            if lengths[symbol] != last {
                last = lengths[symbol];
                increment = 1 << (16 - last);
            }
            tree[symbol] = (last, code as u16);
        }
        Ok(tree)
    }

    fn symbol(&mut self, tree: &Tree) -> Result<u32, Ended> {
        let mut code = 0u16;
        for length in 1..=16 {
            code |= (self.take(1)? as u16) << (16 - length);
            if let Some(symbol) = tree.iter().position(|known| *known == (length, code)) {
                return Ok(symbol as u32);
            }
        }
        Err(Ended)
    }
}
