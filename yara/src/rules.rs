//! Compiled rules, and what holds in a buffer.

use std::collections::HashMap;
use std::time::Duration;

use boreal::Scanner;
use boreal::scanner::{ScanError, ScanParams};

use crate::limits::MATCHES_MAX;
use crate::report::Report;

/// Compiled rules. Memory is some 6 KB a rule of three strings.
#[derive(Debug)]
pub struct Rules {
    pub(crate) scanner: Scanner,
    pub(crate) report: Report,
    /// For each source its rules by name.
    pub(crate) numbers: Vec<HashMap<String, u32>>,
}

/// What holds in a buffer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Numbers of rules, ascending, without private ones.
    pub rules: Vec<u32>,
    /// All rules were tried: time was not up before.
    pub is_whole: bool,
}

impl Rules {
    /// What came of the sources.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The rules that hold in `bytes`.
    ///
    /// Time is looked at between candidates of strings and parts of conditions, so one that takes long by itself passes
    /// it by that much: who needs a bound runs rules in the cage. A string's matches count up to [`MATCHES_MAX`].
    #[must_use]
    pub fn scan(&self, bytes: &[u8], time: Duration) -> Found {
        let mut scanner = self.scanner.clone();
        let parameters = ScanParams::default().timeout_duration(Some(time)).string_max_nb_matches(MATCHES_MAX);
        scanner.set_scan_params(parameters);
        let (result, is_whole) = match scanner.scan_mem(bytes) {
            Ok(result) => (result, true),
            Err((ScanError::Timeout, result)) => (result, false),
            // Nothing else can happen to bytes in memory; and if it can, they were not wholly scanned.
            Err((_, result)) => (result, false),
        };
        let number = |source: &str, name: &str| self.numbers.get(source.parse::<usize>().ok()?)?.get(name).copied();
        let mut rules: Vec<u32> = result.rules.iter().filter_map(|rule| number(rule.namespace, rule.name)).collect();
        rules.sort_unstable();
        Found { rules, is_whole }
    }
}
