//! `lazaret demo`: the product in front of your eyes, on loopback, with a real server that is really killed.
//! 1. Every figure shown was measured in this run.
//! 2. A step that claims something checks it; the first check that does not hold ends the demo with exit 1.
//! 3. One step is one function in a file of its own: later versions add steps until the whole loop is shown.

mod answer;
mod child;
mod corpus;
mod crash;
mod duplicates;
mod eicar;
mod estate;
mod hidden;
mod narrator;
mod native;
mod quota;
mod restore;
mod stage;
mod start;
mod unknown;
mod verify;

use super::screen::Tone;
use super::{Failure, Shell};
use stage::Stage;
use std::path::{Path, PathBuf};

/// Flags of `demo`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder to work in; must be empty [default: a fresh one under the system's folder for temporary files]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Leave the data behind, to look at with other commands
    #[arg(long)]
    keep: bool,
}

/// A step: what it is called and what it does.
type Step = (&'static str, fn(&mut Stage) -> Result<(), Failure>);

/// The steps in their order; each finds the stage as the one before left it.
const STEPS: &[Step] = &[
    ("Start a quarantine", start::run),
    ("Three computers forward the same infected file", eicar::run),
    ("An estate forwards its suspects, over HTTP and the native protocol", estate::run),
    ("The same files again cost no bytes", duplicates::run),
    ("A full quarantine refuses before the body is read", quota::run),
    ("kill -9 in the middle of it, and nothing acked is lost", crash::run),
    ("Restore is byte-identical, and asks before it replaces", restore::run),
    ("Nothing in the store can be recognised or run", hidden::run),
    ("A worm that nobody knows is held, then new definitions find and repair it", answer::run),
    ("Files that nobody knows go to an analysis centre and come back as definitions", unknown::run),
    ("Drain, then check every stored byte", verify::run),
];

/// Runs every step.
///
/// # Errors
/// A step's check does not hold, or the folder cannot be used.
pub fn run(shell: &Shell, args: &Args) -> Result<(), Failure> {
    let root = folder(args.data.as_deref())?;
    let (data, scratch) = (root.join("quarantine"), root.join("scratch"));
    let unusable = |error: std::io::Error| Failure::No(format!("cannot use {}: {error}", root.display()));
    std::fs::create_dir_all(&scratch).map_err(unusable)?;
    let mut stage = Stage::new(shell.screen, data, scratch)?;
    let shown = play(&mut stage);
    drop(stage);
    if args.keep {
        shell.screen.say(Tone::Faint, &format!("data left in {}", root.display()));
    } else if let Err(error) = std::fs::remove_dir_all(&root) {
        shell.screen.say(Tone::Warn, &format!("warning: cannot remove {}: {error}", root.display()));
    }
    shown
}

fn play(stage: &mut Stage) -> Result<(), Failure> {
    if !stage.json() {
        let title = Tone::Strong.paint("Lazaret: the central quarantine of a large estate of computers");
        stage.narrator.tell(&title)?;
        stage
            .narrator
            .tell("EICAR test file and synthetic bytes only, loopback only; every figure is from this run.")?;
    }
    for (title, step) in STEPS {
        stage.narrator.step(title)?;
        step(stage)?;
    }
    stage.narrator.end()
}

/// The folder to work in: the given one when it is empty or new, else a fresh one.
fn folder(given: Option<&Path>) -> Result<PathBuf, Failure> {
    let Some(path) = given else {
        return Ok(std::env::temp_dir().join(format!("lazaret-demo-{}", std::process::id())));
    };
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    match std::fs::read_dir(&path).map(|mut entries| entries.next().is_some()) {
        Ok(true) => Err(Failure::Usage(format!("{} is not empty: name a new folder", path.display()))),
        Ok(false) => Ok(path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(path),
        Err(error) => Err(Failure::Usage(format!("cannot use {}: {error}", path.display()))),
    }
}
