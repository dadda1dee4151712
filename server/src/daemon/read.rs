//! Reads of the catalogue: blocking, so each runs on a blocking thread, and bounded in how long it waits for
//! an item that was acked a moment ago.

use crate::daemon::context::{Context, NotServing};
use engine::catalogue::{Catalogue, CatalogueError};
use model::{Item, ItemId, SampleId};
use std::sync::atomic::Ordering;

/// Why a read has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ReadFailed {
    /// The engine is not there yet.
    #[error(transparent)]
    NotServing(#[from] NotServing),
    /// The catalogue cannot be read.
    #[error("the catalogue cannot be read: {0}")]
    Catalogue(#[from] CatalogueError),
    /// The thread that read ended.
    #[error("the catalogue's reader ended before it answered")]
    Ended,
}

impl Context {
    /// Runs `read` on a blocking thread.
    ///
    /// # Errors
    /// See [`ReadFailed`].
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Catalogue) -> Result<T, CatalogueError> + Send + 'static,
    ) -> Result<T, ReadFailed> {
        let engine = self.engine()?.clone();
        let reading = tokio::task::spawn_blocking(move || read(engine.catalogue()));
        Ok(reading.await.map_err(|_| ReadFailed::Ended)??)
    }

    /// One item; waits for the catalogue to reach its arrival, at most `limits.catalogue_wait`.
    ///
    /// # Errors
    /// See [`ReadFailed`].
    pub async fn item(&self, id: ItemId) -> Result<Option<Item>, ReadFailed> {
        let wait = self.limits.catalogue_wait;
        self.read(move |catalogue| {
            let item = catalogue.item(id)?;
            if item.is_some() || catalogue.watermark() >= id.0 || !catalogue.reach(id.0, wait) {
                return Ok(item);
            }
            catalogue.item(id)
        })
        .await
    }

    /// Waits until the catalogue shows everything that was acked before this call, at most
    /// `limits.catalogue_wait`; a list is then as fresh as the asker's own uploads.
    ///
    /// # Errors
    /// The engine is not there yet.
    pub async fn caught_up(&self) -> Result<(), ReadFailed> {
        let acked = self.acked.load(Ordering::Acquire);
        let wait = self.limits.catalogue_wait;
        if self.engine()?.catalogue().watermark() >= acked {
            return Ok(());
        }
        self.read(move |catalogue| {
            // Late is shown as it is: the figures say how far behind the catalogue is.
            catalogue.reach(acked, wait);
            Ok(())
        })
        .await
    }

    /// The samples with this BLAKE3 or, when none has it, this SHA-256.
    ///
    /// # Errors
    /// See [`ReadFailed`].
    pub async fn samples_named(&self, digest: [u8; 32]) -> Result<Vec<SampleId>, ReadFailed> {
        let engine = self.engine()?.clone();
        let finding = tokio::task::spawn_blocking(move || engine.samples_named(&digest));
        Ok(finding.await.map_err(|_| ReadFailed::Ended)??)
    }
}
