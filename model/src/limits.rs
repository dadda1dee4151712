//! What a stranger may send at most. Every figure has its unit in its name and its reason beside it.

/// The longest path a Linux host can name.
pub const NAME_BYTES_MAX: usize = 4096;
/// A DNS name has at most 255 bytes, and clients are named after their host.
pub const CLIENT_BYTES_MAX: usize = 255;
/// A sentence or two: why the client could not clean the file.
pub const REASON_BYTES_MAX: usize = 1024;
/// "windows-11-arm64" and the like.
pub const PLATFORM_BYTES_MAX: usize = 64;
/// The longest idempotency key accepted over HTTP; only its hash is kept.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;
/// Payload of one control frame on the wire: the longest arrival (5.8 KB) and its header fit with room,
/// and ten thousand connections that each hold one unfinished frame stay below 160 MB.
pub const WIRE_FRAME_BYTES_MAX: usize = 16 * 1024;
/// A bearer token; ours have 43 characters, foreign ones may be signed and long.
pub const TOKEN_BYTES_MAX: usize = 4096;
/// A sentence in a refusal or a fault.
pub const WIRE_TEXT_BYTES_MAX: usize = 512;
/// An encoded arrival: the fixed part and every text at its longest.
pub const ARRIVAL_BYTES_MAX: usize =
    64 + 2 * 5 + NAME_BYTES_MAX + 2 * CLIENT_BYTES_MAX + REASON_BYTES_MAX + PLATFORM_BYTES_MAX;
