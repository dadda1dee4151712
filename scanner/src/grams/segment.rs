//! Asking an index, in place: the bytes are those of the file, mapped or read.

use super::block::id;
use super::error::GramsError;
use super::format::Head;
use super::layer::Layer;
use super::plan::GROUP_COLUMNS;
use super::query::Query;
use super::rule::Rule;

/// A bit for each column of a group.
type Columns = [u64; GROUP_COLUMNS / 64];

/// What an answer cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// Rows read: at most one cache line each.
    pub rows: u64,
    /// Pairs of a query and a block handed out.
    pub pairs: u64,
}

/// The index of a segment, open for questions. Holds 30 bytes a group and 8 a block beside the bytes it reads.
#[derive(Debug)]
pub struct SegmentGrams<'a> {
    head: Head,
    groups: Vec<Group<'a>>,
    body: &'a [u8],
}

#[derive(Debug)]
struct Group<'a> {
    /// First of its columns among all.
    first: usize,
    columns: usize,
    stride: usize,
    id_bits: u32,
    layers: Vec<Rows<'a>>,
}

#[derive(Debug)]
struct Rows<'a> {
    layer: Layer,
    /// Columns that could not be solved: they pass every test of this layer.
    always: Columns,
    bytes: &'a [u8],
}

impl<'a> SegmentGrams<'a> {
    /// Opens an index written with `rule`. Reads and checks the head; [`SegmentGrams::verify`] reads the rest.
    ///
    /// # Errors
    /// The bytes are no index, cut, damaged in the head, or written with another rule. The segment then counts
    /// as unindexed.
    pub fn open(bytes: &'a [u8], rule: &Rule) -> Result<Self, GramsError> {
        let (head, body) = Head::decode(bytes)?;
        if head.rule != rule.id() {
            return Err(GramsError::Rule { written: head.rule, given: rule.id() });
        }
        let (mut first, mut rest) = (0, body);
        let mut groups = Vec::with_capacity(head.groups.len());
        for group in &head.groups {
            let stride = group.stride();
            let mut layers = Vec::with_capacity(group.layers.len());
            for layer in &group.layers {
                // The head's decoder has checked that the layers fill the body exactly.
                let (bytes, after) = rest.split_at(group.layer_bytes(layer));
                rest = after;
                let (always, bytes) = bytes.split_at(stride);
                layers.push(Rows { layer: *layer, always: columns(always), bytes });
            }
            groups.push(Group { first, columns: group.columns, stride, id_bits: group.id_bits, layers });
            first += group.columns;
        }
        Ok(Self { head, groups, body })
    }

    /// Reads every byte and compares the checksum of the rows. A flipped bit in a row can hide a block, so this
    /// belongs before the first question unless something else vouches for the bytes.
    ///
    /// # Errors
    /// The rows are damaged.
    pub fn verify(&self) -> Result<(), GramsError> {
        let (expected, found) = (self.head.body_checksum, crc32c::crc32c(self.body));
        if expected == found { Ok(()) } else { Err(GramsError::Checksum { part: "body", expected, found }) }
    }

    /// References of all blocks, as the builder was given them; in no order.
    #[must_use]
    pub fn blocks(&self) -> &[u64] {
        &self.head.blocks
    }

    /// Plain bytes that the index speaks for.
    #[must_use]
    pub fn plain_bytes(&self) -> u64 {
        self.head.plain_bytes
    }

    /// References of the blocks that can hold what the query asks for, and what finding them cost.
    ///
    /// # Panics
    /// The query was made by another rule.
    #[must_use]
    pub fn candidates(&self, query: &Query) -> (Vec<u64>, Cost) {
        let mut blocks = Vec::new();
        let cost = self.pairs(std::slice::from_ref(query), |_, block| blocks.push(block));
        (blocks, cost)
    }

    /// Hands out every pair of a query (by its place in the slice) and a block that can hold what it asks for.
    /// Goes group by group, so that a group's rows stay in cache for all queries.
    ///
    /// # Panics
    /// A query was made by another rule.
    pub fn pairs(&self, queries: &[Query], mut take: impl FnMut(usize, u64)) -> Cost {
        assert!(queries.iter().all(|query| query.rule() == self.head.rule), "queries are made by the index's rule");
        let mut cost = Cost::default();
        for group in &self.groups {
            for (number, query) in queries.iter().enumerate() {
                let mut found = Columns::default();
                for tests in query.alternatives() {
                    let passing = group.passing(tests, &mut cost.rows);
                    found.iter_mut().zip(passing).for_each(|(found, passing)| *found |= passing);
                }
                for (word, mut left) in found.into_iter().enumerate() {
                    while left != 0 {
                        let column = word * 64 + left.trailing_zeros() as usize;
                        left &= left - 1;
                        cost.pairs += 1;
                        take(number, self.head.blocks[group.first + column]);
                    }
                }
            }
        }
        cost
    }
}

impl Group<'_> {
    /// Columns that have all these grams, as far as the filter can tell; stops when none is left.
    #[inline]
    fn passing(&self, tests: &[u64], rows_read: &mut u64) -> Columns {
        let mut left = Columns::default();
        for (at, word) in left.iter_mut().enumerate() {
            let columns = self.columns.saturating_sub(at * 64);
            *word = if columns >= 64 { u64::MAX } else { (1 << columns) - 1 };
        }
        for hash in tests {
            let id = id(*hash, self.id_bits);
            for rows in &self.layers {
                rows.narrow(id, self.stride, &mut left, rows_read);
            }
            if left == Columns::default() {
                break;
            }
        }
        left
    }
}

impl Rows<'_> {
    /// Takes out the columns that this gram is not in.
    #[inline]
    fn narrow(&self, id: u32, stride: usize, left: &mut Columns, rows_read: &mut u64) {
        use super::plan::Filter;
        let Some(place) = self.layer.place(id) else { return };
        let [a, b, c] = place.rows.map(|row| row as usize * stride);
        match self.layer.filter {
            Filter::Bitmap => {
                *rows_read += 1;
                let row = self.row(a, stride);
                for at in 0..left.len() {
                    left[at] &= row[at] | self.always[at];
                }
            }
            Filter::Fuse => {
                *rows_read += 3;
                let (a, b, c) = (self.row(a, stride), self.row(b, stride), self.row(c, stride));
                let turned = if place.bit { 0 } else { u64::MAX };
                for at in 0..left.len() {
                    left[at] &= a[at] ^ b[at] ^ c[at] ^ turned | self.always[at];
                }
            }
        }
    }

    #[inline]
    fn row(&self, at: usize, stride: usize) -> Columns {
        let row = &self.bytes[at..at + stride];
        match row.first_chunk::<{ GROUP_COLUMNS / 8 }>() {
            Some(line) => line_columns(line),
            None => columns(row),
        }
    }
}

/// A whole row, in one cache line when the bytes are mapped.
#[inline]
fn line_columns(line: &[u8; GROUP_COLUMNS / 8]) -> Columns {
    let mut out = Columns::default();
    for (word, bytes) in out.iter_mut().zip(line.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    out
}

/// A row of fewer columns.
fn columns(row: &[u8]) -> Columns {
    let mut line = [0; GROUP_COLUMNS / 8];
    line[..row.len()].copy_from_slice(row);
    line_columns(&line)
}
