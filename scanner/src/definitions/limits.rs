//! What a definitions file may ask for at most. A bound marked (language) is the language's own, observed in ClamAV
//! 1.4; the others are ours.

/// The functionality level of the engine whose signature languages these are: ClamAV 1.4.6 reports 216.
pub const FUNCTIONALITY_LEVEL: u32 = 216;

/// (language) The longest line of every kind but logical ones, without its end: a line of 8,191 bytes is refused.
pub const LINE_BYTES_MAX: usize = 8190;
/// (language) The longest line of a logical signature, without its end.
pub const LOGICAL_LINE_BYTES_MAX: usize = 32_766;
/// Lines of all sources together: four times the largest public database (4 M lines in its heaviest years).
pub const LINES_MAX: u64 = 16_000_000;
/// Bytes of all sources together, after decompression: 16 M lines of 128 bytes.
pub const SOURCE_BYTES_MAX: u64 = 2 << 30;
/// Rejected lines that are kept with their reason; the rest are counted. A file of nothing but errors then costs
/// 4 MB, not the size of its lines times forty.
pub const REJECTED_MAX: usize = 65_536;

/// (language) Sub-signatures of a logical signature.
pub const SUBSIGNATURES_MAX: usize = 64;
/// (language) Macro groups, numbered from 0.
pub const MACRO_GROUPS_MAX: u32 = 32;
/// Members of one macro group. Each use of a group copies it, so that uses times members is bounded by
/// [`LINES_MAX`] only through this.
pub const MACRO_MEMBERS_MAX: usize = 256;
/// Macro uses whose group is copied, over a whole load: with 256 members of 8 KB at worst 1 GB, ordinarily kilobytes.
pub const MACRO_COPY_BYTES_MAX: u64 = 64 << 20;
/// (language) Containers named by `Intermediates`.
pub const INTERMEDIATES_MAX: usize = 16;
/// (language) Nested parentheses of alternates.
pub const ALTERNATES_DEPTH_MAX: usize = 16;
/// Nested parentheses of a logical expression: one around each of 64 sub-signatures, and the recursion that reads
/// them stays below 64 KB of stack.
pub const EXPRESSION_DEPTH_MAX: usize = 64;
/// (language) `{n}` below this is `n` times `??`; from here on it separates two segments.
pub const FIXED_GAP_MAX: u32 = 128;
/// (language) The most bytes between a single byte and its neighbour, `[x-y]`.
pub const ANCHORED_GAP_MAX: u32 = 32;
/// (language) The lowest functionality level that may be named with a size of `*`.
pub const ANY_SIZE_LEVEL_MIN: u32 = 73;
/// (language) The lowest functionality level that may be named with a condition other than `Target`.
pub const ATTRIBUTE_LEVEL_MIN: u32 = 51;
/// (language) Hexadecimal digits that a byte comparison may read: `0x` and 16 of them.
pub const COMPARED_HEXADECIMAL_BYTES_MAX: u32 = 18;
/// Decimal digits that a byte comparison may read. No number of 64 bits has more than 20; the rest is padding.
pub const COMPARED_DECIMAL_BYTES_MAX: u32 = 255;

/// Members of one container: ClamAV's own have under 40.
pub const CONTAINER_MEMBERS_MAX: usize = 1024;
/// Bytes of one container after decompression: five times the largest public one (`main.cvd`, 0.4 GB unpacked).
pub const CONTAINER_BYTES_MAX: u64 = 2 << 30;
/// Decompressed bytes per compressed byte beyond [`CONTAINER_RATIO_FREE_BYTES`]. Databases of digests shrink to a
/// half, of hexadecimal text to a fifth; deflate's own limit is 1,032.
pub const CONTAINER_RATIO_MAX: u64 = 64;
/// Bytes that are decompressed whatever the ratio.
pub const CONTAINER_RATIO_FREE_BYTES: u64 = 16 << 20;

/// Steps of one repair recipe.
pub const REPAIR_STEPS_MAX: usize = 64;
/// Bytes that one step writes: a line's worth.
pub const REPAIR_WRITE_BYTES_MAX: usize = LINE_BYTES_MAX / 2;

// Each is what another relies on.
const _: () = assert!(LINE_BYTES_MAX < LOGICAL_LINE_BYTES_MAX);
const _: () = assert!(SUBSIGNATURES_MAX <= u8::MAX as usize && MACRO_GROUPS_MAX <= u8::MAX as u32);
