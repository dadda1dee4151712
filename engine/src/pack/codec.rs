//! How hard to compress, decided by how far intake has outrun the packers.
//!
//! Compression binds long before the disk does (zstd 1 gives 160-330 MB/s a core on binaries, the disk takes over a
//! gigabyte a second), so under a burst samples are stored lightly or not compressed at all, and the finish pass
//! makes up for it afterwards.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use zstd::bulk::Compressor;
use zstd::zstd_safe::CompressionLevel;

use super::BLOCK_BYTES;

/// How a record's blocks were compressed; also its byte on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effort {
    /// Stored as they came: intake is far ahead of compression.
    Raw = 0,
    /// zstd level -5: intake is ahead of compression.
    Light = 1,
    /// zstd level 1.
    Usual = 2,
    /// The finish pass's level, for good.
    Final = 3,
}

impl Effort {
    /// All, lightest first.
    pub const ALL: [Self; 4] = [Self::Raw, Self::Light, Self::Usual, Self::Final];

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|effort| *effort as u8 == code)
    }

    /// The zstd level, `None` for raw.
    #[must_use]
    pub fn level(self) -> Option<CompressionLevel> {
        match self {
            Self::Raw => None,
            Self::Light => Some(-5),
            Self::Usual => Some(1),
            Self::Final => Some(3),
        }
    }

    /// A name for metrics and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Light => "light",
            Self::Usual => "usual",
            Self::Final => "final",
        }
    }

    /// Room to set aside for the result: raw bytes keep their size, binaries come to about half.
    pub(crate) fn expected_bytes(self, raw_bytes: usize) -> usize {
        match self {
            Self::Raw => raw_bytes,
            Self::Light | Self::Usual | Self::Final => raw_bytes / 2 + 64,
        }
    }
}

/// Who decides the effort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CodecPolicy {
    /// The backlog decides.
    #[default]
    Adaptive,
    /// Always the same, for comparisons.
    Fixed(Effort),
}

/// Compression contexts of one thread, made when first needed.
pub(crate) struct Squeezer {
    contexts: [Option<Compressor<'static>>; 4],
    scratch: Vec<u8>,
}

impl Squeezer {
    pub(crate) fn new() -> Self {
        Self { contexts: [const { None }; 4], scratch: Vec::new() }
    }

    /// The compressed block, or `None` when it should be stored as it is: asked for, or less than 1/32 to gain
    /// (decompressing would then cost more than it saves).
    pub(crate) fn squeeze(&mut self, block: &[u8], effort: Effort) -> Option<&[u8]> {
        let level = effort.level()?;
        let context = match &mut self.contexts[effort as usize] {
            Some(context) => context,
            empty => empty.insert(Compressor::new(level).ok()?),
        };
        self.scratch.resize(BLOCK_BYTES, 0);
        let room = block.len() - block.len() / 32;
        // A result that does not fit the room is no gain, so the room is the test.
        let bytes = context.compress_to_buffer(block, &mut self.scratch[..room.min(BLOCK_BYTES)]).ok()?;
        Some(&self.scratch[..bytes])
    }
}

/// Samples waiting for or in a packer, as a multiple of the packers, from which the effort is lowered.
const LIGHT_FROM: u32 = 2;
const RAW_FROM: u32 = 4;

/// The backlog before the packers and what may still be stored lightly.
#[derive(Debug)]
pub(crate) struct Pressure {
    policy: CodecPolicy,
    packers: u32,
    waiting: AtomicU32,
    /// Plain bytes stored at less than the usual effort that the finish pass has not made up for.
    light_bytes: AtomicU64,
    light_bytes_max: u64,
}

impl Pressure {
    pub(crate) fn new(policy: CodecPolicy, packers: usize, light_bytes_max: u64) -> Self {
        Self {
            policy,
            packers: packers.max(1) as u32,
            waiting: AtomicU32::new(0),
            light_bytes: AtomicU64::new(0),
            light_bytes_max,
        }
    }

    /// A sample has come before the packers.
    pub(crate) fn arrive(&self) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
    }

    /// A sample has left them.
    pub(crate) fn leave(&self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }

    /// Samples before or in the packers.
    pub(crate) fn waiting(&self) -> u32 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// The effort for the next sample. `roomy` says that the quota is far from full: a nearly full store cannot
    /// afford bytes that it will only save later.
    pub(crate) fn effort(&self, roomy: bool) -> Effort {
        match self.policy {
            CodecPolicy::Fixed(effort) => effort,
            CodecPolicy::Adaptive if !roomy || self.light_bytes() >= self.light_bytes_max => Effort::Usual,
            CodecPolicy::Adaptive => match self.waiting() / self.packers {
                0..LIGHT_FROM => Effort::Usual,
                LIGHT_FROM..RAW_FROM => Effort::Light,
                RAW_FROM.. => Effort::Raw,
            },
        }
    }

    pub(crate) fn add_light(&self, bytes: u64) {
        self.light_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn remove_light(&self, bytes: u64) {
        let _ =
            self.light_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| Some(now.saturating_sub(bytes)));
    }

    /// Plain bytes that wait for the finish pass.
    pub(crate) fn light_bytes(&self) -> u64 {
        self.light_bytes.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_effort_falls_with_the_backlog_and_rises_again() {
        let pressure = Pressure::new(CodecPolicy::Adaptive, 2, 1000);
        let mut seen = vec![pressure.effort(true)];
        for _ in 0..10 {
            pressure.arrive();
            seen.push(pressure.effort(true));
        }
        use Effort::{Light, Raw, Usual};
        assert_eq!(seen, [Usual, Usual, Usual, Usual, Light, Light, Light, Light, Raw, Raw, Raw]);
        assert_eq!(pressure.effort(false), Usual, "a nearly full store compresses whatever the backlog");
        pressure.add_light(1000);
        assert_eq!(pressure.effort(true), Usual, "the finish pass must catch up first");
        pressure.remove_light(1);
        assert_eq!(pressure.effort(true), Raw);
        for _ in 0..10 {
            pressure.leave();
        }
        assert_eq!(pressure.effort(true), Usual);
    }
}
