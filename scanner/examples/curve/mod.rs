//! Parts of the curve's program.

pub mod clock;
pub mod corpus;
pub mod quarantine;
