//! Opening: sealed blocks become plain bytes again.

use super::seal::{Identity, Salt, StoreKey, Unsealer};
use super::{BLOCK_BYTES, BlockLen, TAG_BYTES};
use std::cell::RefCell;
use zstd::bulk::Decompressor;

/// Why a block did not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OpenFailure {
    #[error("the block's seal does not fit its content")]
    Seal,
    #[error("the block does not decompress")]
    Codec,
    #[error("the block's length is impossible")]
    Length,
}

/// Opens the blocks of one record.
pub(crate) struct Opener {
    unsealer: Unsealer,
    raw_bytes: u64,
}

impl Opener {
    pub(crate) fn new(key: &StoreKey, salt: &Salt, identity: Identity, blocks: u32) -> Self {
        Self { unsealer: Unsealer::new(key, salt, identity, blocks), raw_bytes: identity.raw_bytes }
    }

    /// Plain bytes of block `number`.
    pub(crate) fn plain_bytes(&self, number: u32) -> usize {
        let from = u64::from(number) * BLOCK_BYTES as u64;
        self.raw_bytes.saturating_sub(from).min(BLOCK_BYTES as u64) as usize
    }
}

thread_local! {
    static CONTEXT: RefCell<(Option<Decompressor<'static>>, Vec<u8>)> = const { RefCell::new((None, Vec::new())) };
}

/// Appends the plain bytes of one block to `out`; on failure `out` is as it was.
pub(crate) fn open_block(
    opener: &Opener,
    number: u32,
    block: BlockLen,
    sealed: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), OpenFailure> {
    if sealed.len() != block.stored_bytes() || sealed.len() < TAG_BYTES || sealed.len() > BLOCK_BYTES + TAG_BYTES {
        return Err(OpenFailure::Length);
    }
    let expected = opener.plain_bytes(number);
    CONTEXT.with_borrow_mut(|(context, scratch)| {
        scratch.clear();
        scratch.extend_from_slice(sealed);
        let squeezed = opener.unsealer.unseal(number, block.is_raw(), scratch).ok_or(OpenFailure::Seal)?;
        if block.is_raw() {
            if squeezed.len() != expected {
                return Err(OpenFailure::Length);
            }
            out.extend_from_slice(squeezed);
            return Ok(());
        }
        let context = match context {
            Some(context) => context,
            empty => empty.insert(Decompressor::new().map_err(|_| OpenFailure::Codec)?),
        };
        let start = out.len();
        out.resize(start + expected, 0);
        match context.decompress_to_buffer(squeezed, &mut out[start..]) {
            Ok(bytes) if bytes == expected => Ok(()),
            other => {
                out.truncate(start);
                Err(if other.is_ok() { OpenFailure::Length } else { OpenFailure::Codec })
            }
        }
    })
}
