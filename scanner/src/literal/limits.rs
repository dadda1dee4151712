//! How large a set may become, and why one was refused.

use super::LiteralId;
use thiserror::Error;

/// Bounds on a compiled set. They are checked before anything large is allocated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompileLimits {
    /// Memory that the compiled set and its making may hold at once, by prediction; the caller's own copy of
    /// the literals is not counted.
    pub memory_bytes_max: u64,
}

impl Default for CompileLimits {
    /// 1 GiB: a set of about five million literals of ordinary lengths.
    fn default() -> Self {
        Self { memory_bytes_max: 1 << 30 }
    }
}

/// Why a set of literals cannot be compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CompileError {
    /// An empty string occurs everywhere, which is of no use to anyone.
    #[error("literal {} is empty", id.0)]
    Empty {
        /// Which.
        id: LiteralId,
    },
    /// The prediction passes the caller's bound.
    #[error("{count} literals need about {predicted_bytes} bytes, more than the {memory_bytes_max} allowed")]
    TooLarge {
        /// Literals offered.
        count: usize,
        /// What they would need.
        predicted_bytes: u64,
        /// What is allowed.
        memory_bytes_max: u64,
    },
    /// Places of literals and of their bytes are 32 bits wide.
    #[error("{count} literals of {bytes} bytes together pass the format's bound of 2^32 - 1 of either")]
    TooMany {
        /// Literals offered.
        count: usize,
        /// Their bytes.
        bytes: u64,
    },
}
