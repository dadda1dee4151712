//! From the sets of a segment's blocks to the bytes of its index.

use super::block::BlockGrams;
use super::error::GramsError;
use super::format::{ALIGN_BYTES, GroupHead, Head, head_bytes};
use super::layer::{KEEP_ALL, Layer, ROWS_MAX};
use super::peel::Peeler;
use super::plan::{Filter, GROUP_COLUMNS, GroupSize, LAYERS_MAX, LayerPlan, Policy, bitmap_rows, fuse_shape, layers};
use super::rule::Rule;

/// Wider and with another seed each time; after so many attempts a column that cannot be solved always passes.
const ATTEMPTS: u32 = 6;

/// Collects the sets of a segment's blocks, in any order. Holds them in memory, about 0.45 bytes a plain byte:
/// whoever has a large segment makes an index for each part of it.
#[derive(Debug)]
pub struct SegmentGramsBuilder {
    rule: u64,
    policy: Policy,
    blocks: Vec<(u64, BlockGrams)>,
    plain_bytes: u64,
}

impl SegmentGramsBuilder {
    /// An empty one; all its blocks must have been filled by `rule`.
    #[must_use]
    pub fn new(rule: &Rule, policy: Policy) -> Self {
        Self { rule: rule.id(), policy, blocks: Vec::new(), plain_bytes: 0 }
    }

    /// Adds a block under the caller's reference, which queries hand back.
    ///
    /// # Errors
    /// The block was filled by another rule.
    pub fn add(&mut self, block: u64, grams: BlockGrams) -> Result<(), GramsError> {
        if grams.rule != self.rule {
            return Err(GramsError::Rule { written: self.rule, given: grams.rule });
        }
        self.plain_bytes += u64::from(grams.plain_bytes);
        self.blocks.push((block, grams));
        Ok(())
    }

    /// Bytes held in memory for the blocks added so far.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.blocks.iter().map(|(_, grams)| grams.memory_bytes()).sum()
    }

    /// Builds the index: at most `bits_per_kib` of the plain bytes, unless the segment is so small that the head
    /// (8 bytes a block) and the narrowest rows exceed that.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        // Blocks with about as many grams stand side by side: a group is as wide as its fullest column.
        self.blocks.sort_by_key(|(block, grams)| (grams.id_bits, grams.count, *block));
        let by_class = self.blocks.chunk_by(|a, b| a.1.id_bits == b.1.id_bits);
        let groups: Vec<&[(u64, BlockGrams)]> = by_class.flat_map(|class| class.chunks(GROUP_COLUMNS)).collect();
        let sizes: Vec<GroupSize> = groups.iter().map(|group| size(group)).collect();
        let budget = self.plain_bytes * u64::from(self.policy.bits_per_kib) / (8 * 1024);
        let head = head_bytes(groups.len(), groups.len() * LAYERS_MAX.min(2), self.blocks.len());
        let plans = layers(self.policy.filter, &sizes, budget.saturating_sub(head as u64));
        let mut head = Head { rule: self.rule, plain_bytes: self.plain_bytes, ..Head::default() };
        let mut body = Vec::new();
        let mut work = Work::default();
        for (group, size) in groups.into_iter().zip(sizes) {
            let solve = |(at, plan)| work.layer(group, size, self.policy.filter, plan, at as u32, &mut body);
            let layers = plans.iter().enumerate().map(solve).collect();
            head.groups.push(GroupHead { columns: group.len(), id_bits: group[0].1.id_bits, layers });
            head.blocks.extend(group.iter().map(|(block, _)| *block));
        }
        head.body_bytes = body.len() as u64;
        head.body_checksum = crc32c::crc32c(&body);
        let mut out = head.encode();
        out.append(&mut body);
        out
    }
}

fn size(group: &[(u64, BlockGrams)]) -> GroupSize {
    let grams = group.iter().map(|(_, grams)| u64::from(grams.count));
    GroupSize {
        stride: group.len().div_ceil(8),
        grams_max: grams.clone().max().unwrap_or(0) as u32,
        grams_mean: (grams.sum::<u64>() / group.len() as u64) as u32,
    }
}

/// Scratch for layers.
#[derive(Debug, Default)]
struct Work {
    peeler: Peeler,
    /// A row of 64 columns each.
    words: Vec<u64>,
}

impl Work {
    /// Appends one layer of one group to the body and says how to read it.
    fn layer(
        &mut self,
        group: &[(u64, BlockGrams)],
        size: GroupSize,
        filter: Filter,
        plan: &LayerPlan,
        number: u32,
        body: &mut Vec<u8>,
    ) -> Layer {
        let mut layer = Layer { filter, keep: plan.keep, rows: ROWS_MAX, zone_bits: 0, seed: number << 8 };
        match filter {
            Filter::Bitmap => layer.rows = bitmap_rows(size.grams_mean, plan.bitmap_rows_per_1024),
            Filter::Fuse => (layer.rows, layer.zone_bits) = fuse_shape(kept_max(group, &layer)),
        }
        let start = body.len();
        let mut attempt = 1;
        while self.columns(group, size.stride, &layer, body) > 0 && attempt < ATTEMPTS {
            body.truncate(start);
            attempt += 1;
            layer.seed += 1;
            if filter == Filter::Fuse {
                // Another seed keeps other grams.
                let (rows, zone_bits) = fuse_shape(kept_max(group, &layer));
                (layer.rows, layer.zone_bits) = ((rows + rows * (attempt - 1) / 50).min(ROWS_MAX), zone_bits);
            }
        }
        body.resize(body.len().next_multiple_of(ALIGN_BYTES), 0);
        layer
    }

    /// Appends the rows of a layer; answers how many columns could not be solved and always pass.
    fn columns(&mut self, group: &[(u64, BlockGrams)], stride: usize, layer: &Layer, body: &mut Vec<u8>) -> usize {
        let rows = layer.rows as usize;
        let always_at = body.len();
        let rows_at = always_at + stride;
        body.resize(rows_at + rows * stride, 0);
        let mut unsolved = 0;
        for (eighth, columns) in group.chunks(64).enumerate() {
            self.words.clear();
            self.words.resize(rows, 0);
            for (column, (_, grams)) in columns.iter().enumerate() {
                match layer.filter {
                    Filter::Bitmap => {
                        for place in grams.ids().filter_map(|id| layer.place(id)) {
                            self.words[place.rows[0] as usize] |= 1 << column;
                        }
                    }
                    Filter::Fuse if self.peeler.solve(layer, grams.ids()) => {
                        for (word, bit) in self.words.iter_mut().zip(&self.peeler.bits) {
                            *word |= u64::from(*bit) << column;
                        }
                    }
                    Filter::Fuse => {
                        unsolved += 1;
                        let column = eighth * 64 + column;
                        body[always_at + column / 8] |= 1 << (column % 8);
                    }
                }
            }
            let bytes = columns.len().div_ceil(8);
            for (row, word) in body[rows_at..].chunks_exact_mut(stride).zip(&self.words) {
                row[eighth * 8..eighth * 8 + bytes].copy_from_slice(&word.to_le_bytes()[..bytes]);
            }
        }
        unsolved
    }
}

/// Grams of the fullest column of a layer.
fn kept_max(group: &[(u64, BlockGrams)], layer: &Layer) -> u32 {
    let kept = |grams: &BlockGrams| match layer.keep {
        KEEP_ALL => grams.count,
        _ => grams.ids().filter(|id| layer.place(*id).is_some()).count() as u32,
    };
    group.iter().map(|(_, grams)| kept(grams)).max().unwrap_or(0)
}
