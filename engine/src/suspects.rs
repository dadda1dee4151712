//! Samples whose stored copy was found damaged, by a read, the scrub, recovery or `verify`.
//!
//! 1. To arrivals a suspect counts as unknown: the next one that brings the bytes stores them anew.
//! 2. Suspects are only ever added. A sample's number never repeats, and a copy once found damaged is not trusted again.
//! 3. The list on disk is a hint, so that a restart and `verify` need not find the same damage twice. Losing it costs
//!    that; a name too many in it costs one more copy.

use crate::disk::{Disk, ReadMode};
use model::SampleId;
use parking_lot::{Mutex, RwLock};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// Suspects that are remembered. A store with more of them is to be restored from a copy, not healed one by one.
const SUSPECTS_MAX: usize = 65_536;
const FILE_NAME: &str = "damaged.list";
const FIRST_LINE: &str = "lazaret damaged samples, version 1";

/// The suspects of one store.
#[derive(Debug, Default)]
pub(crate) struct Suspects {
    samples: RwLock<BTreeSet<u64>>,
    /// Looked at before the lock is: nearly always there is none.
    any: AtomicBool,
    unsaved: Mutex<bool>,
}

impl Suspects {
    /// Reads the list; one that does not read counts as none.
    pub(crate) fn load(disk: &dyn Disk, data: &Path) -> Self {
        let path = path(data);
        let samples = match read(disk, &path) {
            Ok(text) => parse(&text).unwrap_or_else(|| {
                tracing::warn!(path = %path.display(), "the list of damaged samples does not read and is begun anew");
                BTreeSet::new()
            }),
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::warn!(%error, path = %path.display(), "the list of damaged samples was not read");
                }
                BTreeSet::new()
            }
        };
        let any = AtomicBool::new(!samples.is_empty());
        Self { samples: RwLock::new(samples), any, unsaved: Mutex::new(false) }
    }

    /// Remembers a sample; `true` when it is new.
    pub(crate) fn add(&self, sample: SampleId) -> bool {
        let mut samples = self.samples.write();
        if samples.len() >= SUSPECTS_MAX || !samples.insert(sample.0) {
            return false;
        }
        drop(samples);
        self.any.store(true, Ordering::Release);
        *self.unsaved.lock() = true;
        true
    }

    pub(crate) fn any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    pub(crate) fn contains(&self, sample: SampleId) -> bool {
        self.any() && self.samples.read().contains(&sample.0)
    }

    /// Writes the list when it has grown. Blocks; a failure is tried again with the next name.
    pub(crate) fn save(&self, disk: &dyn Disk, data: &Path) {
        let mut unsaved = self.unsaved.lock();
        if !std::mem::take(&mut *unsaved) {
            return;
        }
        let text = render(&self.samples.read());
        if let Err(error) = disk.write_small(&path(data), text.as_bytes()) {
            tracing::warn!(%error, "the list of damaged samples was not saved");
        }
    }
}

fn path(data: &Path) -> PathBuf {
    data.join(FILE_NAME)
}

fn read(disk: &dyn Disk, path: &Path) -> io::Result<String> {
    /// No list is longer: a line takes at most 21 bytes.
    const BYTES_MAX: u64 = 21 * SUSPECTS_MAX as u64 + 128;
    let file = disk.open(path, ReadMode::Pread)?;
    let mut bytes = vec![0; file.bytes().min(BYTES_MAX) as usize];
    file.read_at(0, &mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn render(samples: &BTreeSet<u64>) -> String {
    let mut body = format!("{FIRST_LINE}\n");
    samples.iter().for_each(|sample| body.push_str(&format!("{sample}\n")));
    format!("{body}check {:08x}\n", crc32c::crc32c(body.as_bytes()))
}

fn parse(text: &str) -> Option<BTreeSet<u64>> {
    let (body, check) = text.rsplit_once("check ")?;
    if u32::from_str_radix(check.trim(), 16) != Ok(crc32c::crc32c(body.as_bytes())) {
        return None;
    }
    let lines = body.strip_prefix(FIRST_LINE)?.lines().skip(1);
    lines.map(|line| line.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_reads_back_and_no_changed_byte_passes() {
        let samples = BTreeSet::from([1, 7, u64::MAX]);
        let text = render(&samples);
        assert_eq!(parse(&text), Some(samples));
        assert_eq!(parse(&render(&BTreeSet::new())), Some(BTreeSet::new()));
        for at in 0..text.len() - 1 {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            assert_eq!(parse(&String::from_utf8(bytes).unwrap()), None, "byte {at}");
        }
    }

    #[test]
    fn the_number_of_suspects_is_bounded() {
        let suspects = Suspects::default();
        for sample in 0..SUSPECTS_MAX as u64 + 10 {
            suspects.add(SampleId(sample));
        }
        assert!(suspects.contains(SampleId(0)) && !suspects.contains(SampleId(SUSPECTS_MAX as u64)));
    }
}
