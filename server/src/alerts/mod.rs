//! What a person may want to know: raised where it happens, folded, written to the log, told to whom the settings name.
//!
//! ```text
//! Event, text -> Raised     raised    never waits, loses no count
//! Raised -> Alert           fold      a storm is one alert and a number
//! Alert -> log              teller    always, before anything else
//! Alert -> method           deliver   each method and recipient by itself, tried again, failures kept to be seen
//!                           mail, webhook, syslog
//! ```
//!
//! 1. Raising never blocks and never fails: what does not fit in the queue is counted and told with the next alert.
//! 2. A disabled event is counted and told nowhere, the log included.

mod deliver;
mod fold;
mod mail;
mod raised;
mod syslog;
mod teller;
mod webhook;

pub use deliver::Failure;
pub use fold::Alert;
pub use raised::{Alerts, ITEMS_MAX, Seen};
pub use teller::{Teller, test};
