//! The head of an index, byte by byte as `docs/grams.md` draws it.

use super::block::{ID_BITS_MAX, ID_BITS_MIN};
use super::error::GramsError;
use super::layer::{KEEP_ALL, Layer, ROWS_MAX, ZONE_BITS_MAX};
use super::plan::{Filter, GROUP_COLUMNS, LAYERS_MAX};

const MAGIC: [u8; 8] = *b"LZGRAMS\0";
const VERSION: u16 = 1;
pub(super) const FIXED_BYTES: usize = 64;
pub(super) const GROUP_BYTES: usize = 8;
pub(super) const LAYER_BYTES: usize = 16;
pub(super) const BLOCK_REF_BYTES: usize = 8;
/// Head and layers start at multiples of this, so that a row of 512 columns is one cache line.
pub(super) const ALIGN_BYTES: usize = 64;

/// Everything before the rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Head {
    pub rule: u64,
    pub plain_bytes: u64,
    pub body_bytes: u64,
    pub body_checksum: u32,
    pub groups: Vec<GroupHead>,
    pub blocks: Vec<u64>,
}

/// One group of columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GroupHead {
    pub columns: usize,
    pub id_bits: u32,
    pub layers: Vec<Layer>,
}

impl GroupHead {
    /// Bytes of a row.
    pub fn stride(&self) -> usize {
        self.columns.div_ceil(8)
    }

    /// Bytes of a layer: the row of columns that always pass, its rows, zeroes up to the next multiple of 64.
    pub fn layer_bytes(&self, layer: &Layer) -> usize {
        ((layer.rows as usize + 1) * self.stride()).next_multiple_of(ALIGN_BYTES)
    }
}

/// Bytes of a head with so many groups, layers and blocks.
pub(super) fn head_bytes(groups: usize, layers: usize, blocks: usize) -> usize {
    (FIXED_BYTES + groups * GROUP_BYTES + layers * LAYER_BYTES + blocks * BLOCK_REF_BYTES).next_multiple_of(ALIGN_BYTES)
}

impl Head {
    /// The head as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let layers: usize = self.groups.iter().map(|group| group.layers.len()).sum();
        let bytes = head_bytes(self.groups.len(), layers, self.blocks.len());
        let mut out = Vec::with_capacity(bytes);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&[0; 2]);
        for count in [self.groups.len(), layers, self.blocks.len()] {
            out.extend_from_slice(&(count as u32).to_le_bytes());
        }
        for number in [self.rule, self.plain_bytes, self.body_bytes] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&self.body_checksum.to_le_bytes());
        out.resize(FIXED_BYTES, 0);
        for group in &self.groups {
            out.extend_from_slice(&(group.columns as u16).to_le_bytes());
            out.extend_from_slice(&[group.id_bits as u8, group.layers.len() as u8, 0, 0, 0, 0]);
        }
        for layer in self.groups.iter().flat_map(|group| &group.layers) {
            let kind = match layer.filter {
                Filter::Bitmap => 0,
                Filter::Fuse => 1,
            };
            out.extend_from_slice(&[kind, layer.zone_bits as u8]);
            out.extend_from_slice(&(layer.keep as u16).to_le_bytes());
            out.extend_from_slice(&layer.rows.to_le_bytes());
            out.extend_from_slice(&layer.seed.to_le_bytes());
            out.extend_from_slice(&[0; 4]);
        }
        out.extend(self.blocks.iter().flat_map(|block| block.to_le_bytes()));
        out.resize(bytes, 0);
        let checksum = crc32c::crc32c(&out);
        out[FIXED_BYTES - 4..FIXED_BYTES].copy_from_slice(&checksum.to_le_bytes());
        out
    }

    /// Reads the head of an index; the bytes after it are its body, of exactly the length the head says.
    ///
    /// # Errors
    /// Cut, damaged, of a later version, or with a number outside its range.
    pub fn decode(bytes: &[u8]) -> Result<(Self, &[u8]), GramsError> {
        let found = bytes.len() as u64;
        let short = |needed: u64| GramsError::Short { needed, found };
        let mut fixed = Fields(bytes.get(..FIXED_BYTES).ok_or(short(FIXED_BYTES as u64))?);
        let magic = fixed.take();
        if magic != MAGIC {
            return Err(GramsError::Magic(magic));
        }
        let version = u16::from_le_bytes(fixed.take());
        if version != VERSION {
            return Err(GramsError::Version(version));
        }
        fixed.take::<2>();
        let [groups, layers, blocks] = [(); 3].map(|()| fixed.u32());
        // Far below 2^64: each factor has 32 bits.
        let needed = FIXED_BYTES as u64
            + u64::from(groups) * GROUP_BYTES as u64
            + u64::from(layers) * LAYER_BYTES as u64
            + u64::from(blocks) * BLOCK_REF_BYTES as u64;
        let needed = needed.next_multiple_of(ALIGN_BYTES as u64);
        if needed > found {
            return Err(short(needed));
        }
        let (head, body) = bytes.split_at(needed as usize);
        let [rule, plain_bytes, body_bytes] = [(); 3].map(|()| u64::from_le_bytes(fixed.take()));
        let body_checksum = fixed.u32();
        fixed.take::<8>();
        let expected = fixed.u32();
        let without = crc32c::crc32c(&head[..FIXED_BYTES - 4]);
        let without = crc32c::crc32c_append(crc32c::crc32c_append(without, &[0; 4]), &head[FIXED_BYTES..]);
        if without != expected {
            return Err(GramsError::Checksum { part: "head", expected, found: without });
        }
        if body.len() as u64 != body_bytes {
            return Err(short(needed.saturating_add(body_bytes)));
        }
        let (group_table, rest) = head[FIXED_BYTES..].split_at(groups as usize * GROUP_BYTES);
        let (layer_table, rest) = rest.split_at(layers as usize * LAYER_BYTES);
        let mut left = layer_table.chunks_exact(LAYER_BYTES);
        let groups = group_table.chunks_exact(GROUP_BYTES).map(|group| group_of(group, &mut left));
        let groups = groups.collect::<Result<Vec<_>, _>>()?;
        in_range("layers without a group", left.len() as u64, 0, 0)?;
        let columns: usize = groups.iter().map(|group| group.columns).sum();
        in_range("blocks", u64::from(blocks), columns as u64, columns as u64)?;
        let refs = rest.chunks_exact(BLOCK_REF_BYTES).take(columns);
        let blocks = refs.map(|block| u64::from_le_bytes(Fields(block).take())).collect();
        let body_sum: usize =
            groups.iter().flat_map(|group| group.layers.iter().map(|layer| group.layer_bytes(layer))).sum();
        in_range("body bytes", body_bytes, body_sum as u64, body_sum as u64)?;
        Ok((Self { rule, plain_bytes, body_bytes, body_checksum, groups, blocks }, body))
    }
}

fn group_of<'a>(bytes: &[u8], layers: &mut impl Iterator<Item = &'a [u8]>) -> Result<GroupHead, GramsError> {
    let mut fields = Fields(bytes);
    let columns = in_range("columns", u16::from_le_bytes(fields.take()).into(), 1, GROUP_COLUMNS as u64)?;
    let [id_bits, count] = fields.take();
    let id_bits = in_range("id bits", id_bits.into(), ID_BITS_MIN.into(), ID_BITS_MAX.into())?;
    let count = in_range("layers", count.into(), 1, LAYERS_MAX as u64)?;
    let layers = layers.by_ref().take(count as usize).map(layer_of).collect::<Result<Vec<_>, _>>()?;
    in_range("layers of a group", layers.len() as u64, count, count)?;
    Ok(GroupHead { columns: columns as usize, id_bits: id_bits as u32, layers })
}

fn layer_of(bytes: &[u8]) -> Result<Layer, GramsError> {
    let mut fields = Fields(bytes);
    let [kind, zone_bits] = fields.take();
    let keep = in_range("keep", u16::from_le_bytes(fields.take()).into(), 1, KEEP_ALL.into())?;
    let filter = match in_range("kind", kind.into(), 0, 1)? {
        0 => Filter::Bitmap,
        _ => Filter::Fuse,
    };
    let zone_bits = in_range("zone bits", zone_bits.into(), 0, ZONE_BITS_MAX.into())?;
    let rows_min = match filter {
        Filter::Bitmap => 1,
        Filter::Fuse => 3 << zone_bits,
    };
    let rows = in_range("rows", fields.u32().into(), rows_min, ROWS_MAX.into())?;
    Ok(Layer { filter, keep: keep as u32, rows: rows as u32, zone_bits: zone_bits as u32, seed: fields.u32() })
}

fn in_range(field: &'static str, value: u64, min: u64, max: u64) -> Result<u64, GramsError> {
    if (min..=max).contains(&value) { Ok(value) } else { Err(GramsError::Shape { field, value }) }
}

/// Numbers one after the other; whoever makes one has checked that the bytes are there.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const BYTES: usize>(&mut self) -> [u8; BYTES] {
        match self.0.split_first_chunk() {
            Some((field, rest)) => {
                self.0 = rest;
                *field
            }
            None => [0; BYTES],
        }
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }
}
