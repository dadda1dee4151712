//! Solves a column of a fuse layer: bits such that for each gram three of them add up to the gram's own.
//!
//! Peeling: a row that only one gram reads can be set last, to whatever that gram still needs. Take such grams
//! away one by one until none is left, then set rows in the reverse order; time is linear in the number of grams.
//! Near the limit a few grams remain that all share their rows; those are solved first, by elimination.

use super::layer::{Layer, Place};

/// Scratch for columns of one builder.
#[derive(Debug, Default)]
pub(super) struct Peeler {
    /// A row's grams: their numbers added without carry in the low half, their count in the high half.
    readers: Vec<u64>,
    /// Rows that one gram reads, not yet taken.
    alone: Vec<u32>,
    /// Grams in the order they were taken, with the row each is to set.
    order: Vec<(u32, u32)>,
    /// The solution, a byte a row.
    pub bits: Vec<u8>,
}

const ONE_READER: u64 = 1 << 32;
/// Elimination takes time in the cube of this; more grams than these mean that the rows are too few.
const REMAINDER_MAX: usize = 256;

impl Peeler {
    /// Solves for the grams that the layer keeps and leaves the answer in `bits`, or says that these grams
    /// cannot be peeled at this width.
    pub fn solve(&mut self, layer: &Layer, ids: impl Iterator<Item = u32> + Clone) -> bool {
        let rows = layer.rows as usize;
        self.readers.clear();
        self.readers.resize(rows, 0);
        let mut kept = 0;
        for id in ids.clone() {
            if let Some(place) = layer.place(id) {
                kept += 1;
                for row in place.rows {
                    let readers = &mut self.readers[row as usize];
                    *readers = (*readers + ONE_READER) ^ u64::from(id);
                }
            }
        }
        self.order.clear();
        self.alone.clear();
        for row in 0..rows {
            self.alone.push(row as u32);
            self.peel(layer);
        }
        self.bits.clear();
        self.bits.resize(rows, 0);
        if self.order.len() != kept && !self.eliminate(layer, ids, kept - self.order.len()) {
            return false;
        }
        for &(id, row) in self.order.iter().rev() {
            if let Some(place) = layer.place(id) {
                let sum = place.rows.iter().fold(0, |sum, row| sum ^ self.bits[*row as usize]);
                // The row itself is still zero, so the sum is that of the other two.
                self.bits[row as usize] = sum ^ u8::from(place.bit);
            }
        }
        true
    }

    /// Sets the rows of the grams that peeling left over: a gram that was taken has a row without readers.
    fn eliminate(&mut self, layer: &Layer, ids: impl Iterator<Item = u32>, remainder: usize) -> bool {
        if remainder > REMAINDER_MAX {
            return false;
        }
        let left = |place: &Place| place.rows.iter().all(|row| self.readers[*row as usize] >= ONE_READER);
        let places: Vec<Place> = ids.filter_map(|id| layer.place(id)).filter(left).collect();
        let mut rows: Vec<u32> = places.iter().flat_map(|place| place.rows).collect();
        rows.sort_unstable();
        rows.dedup();
        // An equation has a bit for each row it adds; its last bit is what they add up to.
        let mut equations: Vec<Equation> = Vec::with_capacity(places.len());
        for place in places {
            let mut equation = [0; EQUATION_WORDS];
            for row in place.rows {
                flip(&mut equation, rows.partition_point(|other| *other < row));
            }
            if place.bit {
                flip(&mut equation, SUM_BIT);
            }
            // Pivots of the earlier ones are taken out in order, so that each ends with a pivot of its own.
            for earlier in &equations {
                if is_set(&equation, pivot(earlier)) {
                    add(&mut equation, earlier);
                }
            }
            match (pivot(&equation), equation == [0; EQUATION_WORDS]) {
                (_, true) => {}
                (SUM_BIT, false) => return false,
                _ => equations.push(equation),
            }
        }
        // Backwards: an earlier equation may still hold later pivots, never the other way round.
        for equation in equations.iter().rev() {
            let pivot = pivot(equation);
            let sum = (0..rows.len()).filter(|at| *at != pivot && is_set(equation, *at));
            let sum = sum.fold(0, |sum, at| sum ^ self.bits[rows[at] as usize]);
            self.bits[rows[pivot] as usize] = sum ^ u8::from(is_set(equation, SUM_BIT));
        }
        true
    }

    /// Takes grams away for as long as one stands alone in a row.
    fn peel(&mut self, layer: &Layer) {
        while let Some(row) = self.alone.pop() {
            let readers = self.readers[row as usize];
            if readers >> 32 != 1 {
                continue;
            }
            let id = readers as u32;
            if let Some(place) = layer.place(id) {
                self.order.push((id, row));
                for row in place.rows {
                    let readers = &mut self.readers[row as usize];
                    *readers = (*readers - ONE_READER) ^ u64::from(id);
                    if *readers >> 32 == 1 {
                        self.alone.push(row);
                    }
                }
            }
        }
    }
}

/// Three rows for each of the grams that may remain, and the sum.
const SUM_BIT: usize = 3 * REMAINDER_MAX;
const EQUATION_WORDS: usize = SUM_BIT / 64 + 1;
type Equation = [u64; EQUATION_WORDS];

fn is_set(equation: &Equation, at: usize) -> bool {
    equation[at / 64] >> (at % 64) & 1 == 1
}

fn flip(equation: &mut Equation, at: usize) {
    equation[at / 64] ^= 1 << (at % 64);
}

fn add(equation: &mut Equation, other: &Equation) {
    equation.iter_mut().zip(other).for_each(|(word, other)| *word ^= other);
}

/// The first bit that is set.
fn pivot(equation: &Equation) -> usize {
    let word = equation.iter().position(|word| *word != 0).unwrap_or(0);
    word * 64 + equation[word].trailing_zeros() as usize
}

#[cfg(test)]
mod tests {
    use super::super::plan::Filter;
    use super::*;

    #[test]
    fn every_gram_of_a_solved_column_adds_up_to_its_bit() {
        let mut peeler = Peeler::default();
        let layer = Layer { filter: Filter::Fuse, keep: 200, rows: 12_000, zone_bits: 9, seed: 3 };
        let ids: Vec<u32> = (0..12_000).map(|at| at * 87).collect();
        assert!(peeler.solve(&layer, ids.iter().copied()));
        for place in ids.iter().filter_map(|id| layer.place(*id)) {
            let sum = place.rows.iter().fold(0, |sum, row| sum ^ peeler.bits[*row as usize]);
            assert_eq!(sum, u8::from(place.bit));
        }
    }

    #[test]
    fn too_many_grams_for_the_rows_are_refused() {
        let layer = Layer { filter: Filter::Fuse, keep: 256, rows: 1000, zone_bits: 5, seed: 3 };
        assert!(!Peeler::default().solve(&layer, 0..1000));
    }
}
