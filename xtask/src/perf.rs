//! Builds what is measured in the release profile and starts the measuring program.

use crate::packages;
use crate::step::{Step, Warden};
use anyhow::Result;
use clap::ValueEnum;

/// What to measure.
#[derive(Clone, Copy, ValueEnum)]
pub enum What {
    /// Durable intake in process: the product, its roof, and every peer, in one run.
    Intake,
    /// The peers alone.
    Peers,
    /// Sustained catalogue feed and a filtered page of many items.
    Catalogue,
    /// Start and recovery with many samples.
    Start,
    /// A burst of offers by digest to a running server.
    Offers,
    /// Durable intake over real sockets.
    Network,
    /// Ack latency at 70 % of saturation.
    Latency,
}

impl What {
    /// The packages whose programs it starts, beside `perf` itself.
    fn programs(self) -> &'static [&'static str] {
        match self {
            Self::Intake | Self::Peers | Self::Catalogue | Self::Start => &["benches"],
            Self::Offers | Self::Network => &["sockets", "server"],
            Self::Latency => &["sockets", "server", "loadgen"],
        }
    }
}

/// An hour is what the longest table takes.
const PERF_MINUTES_MAX: u64 = 120;

/// Builds, measures, writes the record.
///
/// # Errors
/// A program that it needs cannot be started.
pub fn run(what: What, rest: &[String]) -> Result<bool> {
    let warden = Warden::new();
    let name = what.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
    let packages = what.programs().iter().chain(&["perf"]).flat_map(|package| ["--package", package]);
    let own = Step::cargo().args(["build", "--release", "--locked"]).args(packages);
    if !warden.run(own)?.success {
        return Ok(false);
    }
    if matches!(what, What::Network) {
        packages::install(&warden, packages::FOR_NETWORK)?;
    }
    if matches!(what, What::Intake | What::Peers) {
        packages::install(&warden, packages::FOR_PEERS)?;
        let peers = Step::cargo().args(["build", "--release", "--locked", "--manifest-path", "perf/peers/Cargo.toml"]);
        if !warden.run(peers)?.success {
            return Ok(false);
        }
    }
    let measure = Step::cargo().args(["run", "--release", "--locked", "--package", "perf", "--", &name]).args(rest);
    Ok(warden.run(measure.minutes(PERF_MINUTES_MAX))?.success)
}
