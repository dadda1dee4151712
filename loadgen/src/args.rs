//! The command line.

use crate::profile::{Profile, ProfileError, Protocol};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// Simulates whole estates and measures what they would feel.
#[derive(Debug, Parser)]
#[command(name = "loadgen", version, arg_required_else_help = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the profiles.
    List {
        /// Print one JSON array.
        #[arg(long)]
        json: bool,
    },
    /// Run a profile against a server and check that nothing was lost.
    Run(RunArguments),
    /// Find the highest rate at which a profile keeps a promise.
    Saturate(SaturateArguments),
    /// Compare two result directories: ratio and noise.
    Compare {
        /// The run that ratios are relative to.
        run_a: PathBuf,
        /// The other run.
        run_b: PathBuf,
        /// Print one JSON array.
        #[arg(long)]
        json: bool,
    },
}

/// `loadgen run`.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// What to run, and against which server.
    #[command(flatten)]
    pub target: Target,
    /// Arrivals in a second, over all clients.
    #[arg(long, value_name = "R")]
    pub rate: Option<f64>,
    /// Time of arrivals, as 500ms, 30s, 2m or 1h; the warm-up shrinks or grows with it.
    #[arg(long, value_name = "D", value_parser = parse_duration)]
    pub duration: Option<Duration>,
    /// Result directory [default: loadgen-results/PROFILE-TIME].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Read every accepted item back and compare it, not only some.
    #[arg(long)]
    pub verify_all: bool,
    /// Print result.json instead of the table.
    #[arg(long)]
    pub json: bool,
}

/// `loadgen saturate`.
#[derive(Debug, Args)]
pub struct SaturateArguments {
    /// What to run, and against which server.
    #[command(flatten)]
    pub target: Target,
    /// The promise: a percentile of the response time and its limit, as p99<20ms.
    #[arg(long, value_name = "SLO", value_parser = crate::saturate::Slo::parse)]
    pub slo: crate::saturate::Slo,
    /// Arrivals that may be refused or fail.
    #[arg(long, value_name = "SHARE", default_value = "0.1%", value_parser = parse_percent)]
    pub errors: f64,
    /// The rate of the first step [default: the profile's].
    #[arg(long, value_name = "R")]
    pub rate: Option<f64>,
    /// Time of each step.
    #[arg(long, value_name = "D", default_value = "10s", value_parser = parse_duration)]
    pub step: Duration,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// What to run, and against which server.
#[derive(Debug, Args)]
pub struct Target {
    /// A profile's name (see `loadgen list`), or the path of a .toml file.
    pub profile: String,
    /// The server's HTTP side, which is asked what it holds.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8740")]
    pub server: String,
    /// The server's native intake.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8741")]
    pub intake: String,
    /// Token for both.
    #[arg(long, value_name = "T", env = "LAZARET_TOKEN", hide_env_values = true, default_value = "")]
    pub token: String,
    /// The door to knock at [default: the profile's].
    #[arg(long)]
    pub protocol: Option<Door>,
    /// Simulated clients.
    #[arg(long, value_name = "N")]
    pub clients: Option<u64>,
    /// Connections that they share.
    #[arg(long, value_name = "N")]
    pub connections: Option<usize>,
    /// The seed of everything drawn: the same seed sends the same.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Send the files under this directory instead of made ones.
    #[arg(long, value_name = "DIR")]
    pub corpus: Option<PathBuf>,
}

/// [`Protocol`] as an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Door {
    /// The native protocol.
    Native,
    /// HTTP.
    Http,
}

impl Target {
    /// The profile with the options of the target applied.
    ///
    /// # Errors
    /// No such profile, or values that make no sense.
    pub fn profile(&self) -> Result<Profile, ProfileError> {
        let mut profile = match self.profile.ends_with(".toml") {
            true => read(&self.profile)?,
            false => Profile::named(&self.profile)?,
        };
        match self.protocol {
            Some(Door::Native) => profile.protocol = Protocol::Native,
            Some(Door::Http) => profile.protocol = Protocol::Http,
            None => {}
        }
        profile.clients = self.clients.unwrap_or(profile.clients);
        profile.connections = self.connections.unwrap_or(profile.connections);
        profile.check()?;
        Ok(profile)
    }
}

impl RunArguments {
    /// The profile with every option applied.
    ///
    /// # Errors
    /// No such profile, or values that make no sense.
    pub fn profile(&self) -> Result<Profile, ProfileError> {
        let mut profile = self.target.profile()?;
        profile.rate_per_s = self.rate.unwrap_or(profile.rate_per_s);
        if let Some(duration) = self.duration {
            profile.last_for(duration);
        }
        profile.check()?;
        Ok(profile)
    }
}

fn read(path: &str) -> Result<Profile, ProfileError> {
    match fs::read_to_string(path) {
        Ok(text) => Profile::parse(path, &text),
        Err(cause) => Err(ProfileError::Value { name: path.to_owned(), what: format!("cannot be read: {cause}") }),
    }
}

/// A number and one of ms, s, m, h; a number alone is seconds.
///
/// # Errors
/// Anything else, as a sentence.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit_s = match &text[digits.len()..] {
        "ms" => 0.001,
        "s" | "" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        unit => return Err(format!("'{unit}' is not one of ms, s, m, h")),
    };
    let number: f64 = digits.parse().map_err(|_| format!("'{digits}' is not a number"))?;
    Duration::try_from_secs_f64(number * unit_s).map_err(|cause| cause.to_string())
}

/// A percentage as a share: `0.1%` is 0.001.
fn parse_percent(text: &str) -> Result<f64, String> {
    let digits = text.strip_suffix('%').ok_or_else(|| format!("'{text}' does not end in %"))?;
    let percent: f64 = digits.parse().map_err(|_| format!("'{digits}' is not a number"))?;
    match (0.0..=100.0).contains(&percent) {
        true => Ok(percent / 100.0),
        false => Err(format!("{percent}% is not between 0% and 100%")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_duration("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(parse_duration("1.5"), Ok(Duration::from_millis(1500)));
        assert!(parse_duration("5 parsecs").is_err());
        assert!(parse_duration("-5s").is_err());
    }

    #[test]
    fn options_change_the_profile_and_the_warm_up_keeps_its_share() {
        let line = ["loadgen", "run", "steady", "--rate", "50", "--duration", "6s", "--protocol", "http"];
        let Command::Run(arguments) = Arguments::parse_from(line).command else { panic!("this is a run") };
        let profile = arguments.profile().unwrap();
        assert_eq!((profile.rate_per_s, profile.duration_s, profile.warm_up_s), (50.0, 6.0, 1.0));
        assert_eq!(profile.protocol, Protocol::Http);
    }

    #[test]
    fn a_rate_that_makes_no_sense_is_refused() {
        let line = ["loadgen", "run", "steady", "--rate", "0"];
        let Command::Run(arguments) = Arguments::parse_from(line).command else { panic!("this is a run") };
        assert!(arguments.profile().unwrap_err().to_string().contains("rate_per_s is 0"));
    }
}
