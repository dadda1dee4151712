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
    /// Large sets of literals, beside other scanners.
    Scan,
}

impl What {
    /// The packages whose programs it starts, beside `perf` itself.
    fn programs(self) -> &'static [&'static str] {
        match self {
            Self::Intake | Self::Peers | Self::Catalogue | Self::Start | Self::Scan => &["benches"],
            Self::Offers | Self::Network => &["sockets", "server"],
            Self::Latency => &["sockets", "server", "loadgen"],
        }
    }
}

/// An hour is what the longest table takes.
const PERF_MINUTES_MAX: u64 = 120;

/// What MWDB's figures are of.
const MWDB: &str = "mwdb-core==2.20.0";
/// Minutes before a package index that does not answer is given up.
const MWDB_MINUTES_MAX: u64 = 10;

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
        install_mwdb(&warden)?;
    }
    if matches!(what, What::Scan) {
        packages::install(&warden, packages::FOR_SCAN)?;
        let peers =
            Step::cargo().args(["build", "--release", "--locked", "--manifest-path", "perf/peers/scan/Cargo.toml"]);
        if !warden.run(peers)?.success {
            return Ok(false);
        }
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

/// MWDB comes from PyPI, into a folder of its own. What keeps it from being installed is told, and the
/// record then names it as absent.
fn install_mwdb(warden: &Warden) -> Result<()> {
    let folder = crate::root().join("target/mwdb");
    if folder.join("bin/mwdb-core").is_file() {
        return Ok(());
    }
    let venv = Step::new("python3").args(["-m", "venv"]).args([&folder]);
    let install = Step::new(folder.join("bin/pip")).args(["install", "--quiet", MWDB]).minutes(MWDB_MINUTES_MAX);
    let made = warden.run(venv).is_ok_and(|made| made.success);
    if !(made && warden.run(install).is_ok_and(|installed| installed.success)) {
        println!("{MWDB} could not be installed from PyPI; it is reported as absent");
    }
    Ok(())
}
