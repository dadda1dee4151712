//! The catalogue: items, statuses, attributes, actions, errors, settings and the log, in one SQLite file.
//!
//! 1. The log of segments is the truth for arrivals and deletions; the catalogue follows it and can be made anew.
//! 2. Whatever is committed is complete up to the watermark and holds nothing beyond it.
//! 3. Telling the catalogue a change of the log again changes nothing.
//! 4. One thread writes; readers see one consistent state and never wait for it.
//! 5. The catalogue is never on the path of an acknowledgement; its lag is bounded by whoever feeds it.
//!
//! Reading order: `handle` is what callers hold, [`change`] what comes in; `queue` and `owner` bring it to `writer`, which
//! uses `own`, `verdict`, `schema`, `names`, `totals`, `span` and [`audit`]; [`filter`], [`page`] and `count` read it back, `sha256` finds
//! samples by that digest, `submission` knows which are at the centre, `client` who forwards, `row` is an item's row, `check`
//! counts all of it again. `bounds` holds every limit, [`error`] every failure.

pub mod audit;
mod bounds;
pub mod change;
mod check;
mod client;
mod count;
pub mod error;
pub mod filter;
mod handle;
mod names;
mod own;
mod owner;
pub mod page;
mod queue;
mod readers;
mod row;
mod schema;
mod sha256;
mod span;
mod submission;
mod totals;
mod verdict;
mod writer;

pub use audit::{LogEntry, LogPage};
pub use bounds::CatalogueSettings;
pub use change::{
    Change, ClientEdit, ClientNumber, ClientRow, Entry, Found, Note, NoteKind, Own, Queued, SampleRow, SampleVerdict,
    Setting, Standing, StatusChange, SubmissionRow, Unsettled,
};
pub use error::CatalogueError;
pub use filter::Filter;
pub use handle::{Catalogue, remove};
pub use page::{Cursor, Page};
pub use queue::CatalogueHealth;
pub use row::Clients;

#[cfg(test)]
mod tests;
