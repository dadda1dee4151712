//! Every bound of the analysis, with its reason.

/// Bytes of a sample that its features are taken from, besides its end. TLSH counts in 32 bits and needs six counts a
/// byte; this is a tenth of where it would overflow.
pub const FEATURE_BYTES_MAX: usize = 64 << 20;
/// Hashes of a sketch of a whole sample: a resemblance of 15 % is then known within 2 %.
pub const WHOLE_SKETCH_MAX: usize = 256;
/// Hashes of a sketch of a head or a tail: of a body of 512 bytes there, 16 are among them on average.
pub const EDGE_SKETCH_MAX: usize = 128;
/// Bytes of a head or a tail. Most bodies that viruses append are shorter.
pub const EDGE_BYTES: usize = 4096;
/// Fewest varied bytes that TLSH is taken of. It accepts 50, but its buckets are nearly empty then.
pub const TLSH_BYTES_MIN: usize = 512;

/// Samples of all groups together whose features are kept to compare others with, and so the most groups: 1.1 GB of
/// features and 0.6 GB of index.
pub const KEPT_SAMPLES_MAX: usize = 1 << 18;
/// Samples of a group that a new one is compared with.
pub const REPRESENTATIVES_MAX: usize = 8;
/// Groups that one index key leads to, lowest first. A key of more is common code and tells little.
pub const POSTINGS_MAX: usize = 64;
/// Groups that a new sample is compared with, those with the most index keys in common.
pub const CANDIDATES_MAX: usize = 32;

/// Bytes of a filter for goodware: room for a corpus of a gigabyte at the documented rate.
pub const GRAM_SET_BYTES_MAX: u64 = 1 << 30;

/// The longest sample that a signature is extracted from. Longer ones are found by their digest.
pub const SAMPLE_BYTES_MAX: usize = 8 << 20;
/// Samples of a group that extraction looks at. What the rest lacks, the proof tells.
pub const EXTRACT_SAMPLES_MAX: usize = 32;
/// The shortest literal: 16 bytes of which one window is unknown to goodware are no accident.
pub const LITERAL_BYTES_MIN: usize = 16;
/// The longest literal; the index of grams asks with at most as much (`docs/grams.md`).
pub const LITERAL_BYTES_MAX: usize = 64;
/// Literals of one signature.
pub const LITERALS_MAX: usize = 3;
/// Bytes between two literals of one signature, where the group has as much in common.
pub const LITERAL_DISTANCE_MIN: usize = 64;
/// Candidates that are searched for in all samples. Nearly all are found; those that are not were hash collisions.
pub const EXTRACT_TRIES_MAX: usize = 48;

/// The longest signature name.
pub const NAME_BYTES_MAX: usize = 128;
/// Steps of a recipe (the scanner's limit).
pub const REPAIR_STEPS_MAX: usize = 64;
/// Bytes that one step writes (the scanner's limit).
pub const REPAIR_WRITE_BYTES_MAX: usize = 4095;
/// The longest file that a recipe is made for: the scanner reads distances of 32 bits.
pub const REPAIR_SAMPLE_BYTES_MAX: usize = u32::MAX as usize;
/// The longest appended block that a recipe is looked for in.
pub const BLOCK_BYTES_MAX: usize = 1 << 20;

const _: () = assert!(LITERAL_BYTES_MIN <= LITERAL_BYTES_MAX && EDGE_SKETCH_MAX <= WHOLE_SKETCH_MAX);
