//! The bytes that leave the house: stripped of user data, or the whole sample where that is allowed.

use crate::daemon::context::Context;
use crate::scanning::{Failure, NotStripped, bytes_of, strip};
use engine::catalogue::CatalogueError;
use engine::{Engine, Sample};
use model::{Blake3, Item, ItemId, SampleId, Status};
use scanner::file::Limits;
use std::sync::Arc;

/// Bytes sent in one request; what a break costs.
pub const PART_BYTES: usize = 4 << 20;
/// Items of a sample that are looked at for a choice of their own.
const ITEMS: usize = 256;

/// What is sent.
pub struct Parcel {
    /// Digest of what is sent.
    pub blake3: Blake3,
    /// How many bytes that is.
    pub bytes: u64,
    /// What was kept; empty when it is the whole sample.
    pub stripped: String,
    content: Content,
}

enum Content {
    Held(Vec<u8>),
    Stored(Box<Sample>),
}

/// Why there is no parcel.
#[derive(Debug, thiserror::Error)]
pub enum NoParcel {
    /// The sample is not here any more.
    #[error("the sample is gone")]
    Gone,
    /// It cannot be read.
    #[error("the sample cannot be read: {0}")]
    Unreadable(String),
    /// User data is to be stripped and cannot be.
    #[error("{0}")]
    NotStripped(String),
    /// Samples cannot be opened now, so nothing can be stripped.
    #[error("samples cannot be opened now: {0}")]
    Down(String),
    /// The catalogue cannot be read now.
    #[error("the catalogue cannot be read: {0}")]
    Catalogue(#[from] CatalogueError),
}

impl Parcel {
    /// Makes the parcel of an item's sample. Blocks.
    ///
    /// # Errors
    /// See [`NoParcel`].
    pub fn make(context: &Arc<Context>, engine: &Engine, sample: SampleId, item: &Item) -> Result<Self, NoParcel> {
        let stored = match engine.sample(&item.sample.blake3) {
            Ok(Some(stored)) => stored,
            Ok(None) => return Err(NoParcel::Gone),
            Err(error) => return Err(NoParcel::Unreadable(error.to_string())),
        };
        if !strips(context, engine, sample)? {
            return Ok(Self {
                blake3: item.sample.blake3,
                bytes: stored.raw_bytes(),
                stripped: String::new(),
                content: Content::Stored(Box::new(stored)),
            });
        }
        let limits = Limits::default();
        let bytes = match bytes_of(engine, &item.sample.blake3, &limits) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                let why = format!("it has more than {} bytes", limits.file_bytes_max);
                return Err(NoParcel::NotStripped(why));
            }
            Err(Failure::Gone) => return Err(NoParcel::Gone),
            Err(Failure::Down(why)) => return Err(NoParcel::Down(why)),
            Err(Failure::Sample(why)) => return Err(NoParcel::Unreadable(why)),
        };
        let stripped = strip(&context.cage, &bytes, None).map_err(|error| match error {
            NotStripped::Cannot(why) => NoParcel::NotStripped(why),
            NotStripped::Down(why) => NoParcel::Down(why),
        })?;
        Ok(Self {
            blake3: Blake3(*blake3::hash(&stripped.bytes).as_bytes()),
            bytes: stripped.bytes.len() as u64,
            stripped: stripped.kept,
            content: Content::Held(stripped.bytes),
        })
    }

    /// The next part, from `offset` on. Blocks.
    ///
    /// # Errors
    /// The sample cannot be read.
    pub fn part(&self, offset: u64) -> Result<Vec<u8>, String> {
        let left = usize::try_from(self.bytes.saturating_sub(offset)).unwrap_or(usize::MAX).min(PART_BYTES);
        match &self.content {
            Content::Held(bytes) => {
                let from = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
                Ok(bytes[from..(from + left).min(bytes.len())].to_vec())
            }
            Content::Stored(sample) => sample.read(offset, left).map_err(|error| error.to_string()),
        }
    }
}

/// Whether user data is stripped from a sample: as somebody chose for one of its items that wait, else as the policy says.
/// Where choices differ, the whole was allowed.
fn strips(context: &Context, engine: &Engine, sample: SampleId) -> Result<bool, CatalogueError> {
    let mut chosen = None;
    for item in engine.catalogue().items_of(sample, ItemId(0), ITEMS)? {
        let Some(standing) = engine.catalogue().standing(item)? else { continue };
        if standing.status != Status::Submitted {
            continue;
        }
        match standing.strip_override {
            Some(false) => return Ok(false),
            Some(true) => chosen = Some(true),
            None => {}
        }
    }
    Ok(chosen.unwrap_or(context.policy().strip_user_data))
}
