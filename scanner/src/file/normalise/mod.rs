//! Text and HTML as writers of signatures see them: one letter case, white space folded, comments gone.
//!
//! What each byte becomes was learned from the temporary files that `clamscan --leave-temps` keeps, byte by byte;
//! `scanner/tests/normalise.rs` compares both on planted signatures. Known differences: scripts inside of HTML are
//! not parsed (variables keep their names, strings are not joined), UTF-16 is not decoded before it is folded.

mod base64;
mod entity;
mod html;
mod text;

pub use base64::decode as decode_base64;
pub use html::{Html, normalise as html};
pub use text::normalise as text;
