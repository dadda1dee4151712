//! Stored samples through a ruleset, on threads of their own that give way to intake.
//!
//! ```text
//! SampleId -> bytes       sample     read from the store, whole
//! bytes    -> Report      sample     opened in the cage, matched here by a [`Detector`], YARA rules in the cage
//! Job      -> Answer      pool       some at once, each with the set that was in use when it began
//! bytes    -> Stripped    strip      what may leave the house, told apart in the cage
//! bytes    -> Repaired    repair     by the recipes of the set in use, and scanned again
//! ```
//!
//! 1. An answer names the set that gave it; a swap in the middle changes nothing about it.
//! 2. A sample that kills its worker is answered with a fault of its own; a scanner that cannot run at all is down,
//!    and says so, and its samples wait.

mod cage;
mod detector;
mod pool;
mod repair;
mod sample;
mod strip;
mod yara;

pub use cage::Cage;
pub use detector::{Detector, Rules};
pub use pool::{Answer, IN_FLIGHT_MAX, Job, Scanners};
pub use repair::{NotRepaired, Repaired, repair};
pub use sample::{Collector, Failure, Report, bytes_of, failure, scan_bytes, twice};
pub use strip::{NotStripped, Stripped, strip};
pub use yara::{YARA_PREFIX, YaraRules, is_yara};
