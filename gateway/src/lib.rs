//! The words between a quarantine and the analysis centre, and both of their ends.
//!
//! ```text
//! centre   what the centre does with samples: groups them, extracts a signature, writes a repair recipe
//! ```
//!
//! Nothing here knows where samples lie, how definitions are packaged, or what a status means: whoever joins the
//! crates hands that in.

pub mod centre;
