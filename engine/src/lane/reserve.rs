//! The lane's reserve of disk space.

use crate::disk::LaneFile;
use crate::segment::segments_dir;
use crate::shared::Shared;
use std::path::PathBuf;

/// Disk space set aside, so that deleting works when others have filled the disk to the last byte.
pub(super) struct Reserve {
    path: PathBuf,
    file: Option<Box<dyn LaneFile>>,
    bytes: u64,
}

impl Reserve {
    pub(super) fn take(shared: &Shared) -> Self {
        let path = segments_dir(&shared.data).join("reserve");
        let mut reserve = Self { path, file: None, bytes: shared.settings.segment_bytes() };
        let _ = shared.disk.unlink(&reserve.path);
        reserve.renew(shared);
        reserve
    }

    /// Takes the space again once there is plenty.
    pub(super) fn renew(&mut self, shared: &Shared) {
        let plenty = shared.disk.free_bytes(&shared.data).is_ok_and(|free| free > 2 * self.bytes);
        if self.file.is_some() || !plenty {
            return;
        }
        let Ok(mut file) = shared.disk.create_lane(&self.path) else { return };
        match file.allocate(0, self.bytes) {
            Ok(()) => self.file = Some(file),
            Err(_) => {
                let _ = shared.disk.unlink(&self.path);
            }
        }
    }

    pub(super) fn release(&mut self, shared: &Shared) {
        if self.file.take().is_some() {
            let _ = shared.disk.unlink(&self.path);
        }
    }
}
