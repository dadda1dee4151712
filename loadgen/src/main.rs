//! The program: reads the command line, runs, prints. Exit 0 good, 1 a threshold or the conservation
//! check failed, 2 usage, 3 the server cannot be reached.

mod show;

use anyhow::Context;
use clap::Parser;
use loadgen::args::{Arguments, Command, RunArguments, SaturateArguments, Target};
use loadgen::compare::compare;
use loadgen::corpus::{Corpus, Files};
use loadgen::profile::{self, Profile};
use loadgen::questions::QuestionError;
use loadgen::run::{Finished, Order, run};
use loadgen::{environment, folder, saturate};
use show::Progress;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match act(arguments.command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("loadgen: {error:#}");
            ExitCode::from(if is_unreachable(&error) { 3 } else { 2 })
        }
    }
}

fn is_unreachable(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref::<QuestionError>(), Some(QuestionError::Network { .. } | QuestionError::Answer { .. }))
}

fn act(command: Command) -> anyhow::Result<bool> {
    match command {
        Command::List { json } => {
            show::profiles(&profile::built_in()?, json)?;
            Ok(true)
        }
        Command::Run(arguments) => one_run(&arguments),
        Command::Saturate(arguments) => search(&arguments),
        Command::Compare { run_a, run_b, json } => {
            show::compared(&compare(&run_a, &run_b)?, json)?;
            Ok(true)
        }
    }
}

fn one_run(arguments: &RunArguments) -> anyhow::Result<bool> {
    let profile = arguments.profile()?;
    let target = &arguments.target;
    let began = SystemTime::now();
    let out = match &arguments.out {
        Some(out) => out.clone(),
        None => default_folder(&profile, began)?,
    };
    let began_text = OffsetDateTime::from(began).format(&Rfc3339)?;
    let finished = execute(target, profile, target.seed, arguments.verify_all)?;
    let environment = environment::describe(&target.server, &target.intake, &began_text);
    let result = &finished.result;
    finished.work.measure.with(|tally| folder::write(&out, result, tally, &environment, began))?;
    show::result(result, &out, arguments.json)?;
    Ok(result.is_good())
}

fn default_folder(profile: &Profile, began: SystemTime) -> anyhow::Result<PathBuf> {
    let shape = time::macros::format_description!("[year][month][day]T[hour][minute][second]Z");
    let at = OffsetDateTime::from(began).format(&shape)?;
    Ok(PathBuf::from("loadgen-results").join(format!("{}-{at}", profile.name)))
}

fn search(arguments: &SaturateArguments) -> anyhow::Result<bool> {
    let target = &arguments.target;
    let mut profile = target.profile()?;
    profile.last_for(arguments.step);
    let first = arguments.rate.unwrap_or(profile.rate_per_s);
    let mut steps = Vec::new();
    while let Some(rate_per_s) = saturate::next_rate(first, &steps) {
        let tried = Profile { rate_per_s, ..profile.clone() };
        tried.check()?;
        // Each step sends contents of its own, else the second would find only duplicates.
        let finished = execute(target, tried, target.seed.wrapping_add(steps.len() as u64), false)?;
        steps.push(arguments.slo.judge(rate_per_s, arguments.errors, &finished.result));
        show::step(&steps[steps.len() - 1]);
    }
    let best = saturate::best(&steps);
    show::saturation(arguments.slo, best, &steps, arguments.json)?;
    Ok(best.is_some())
}

fn execute(target: &Target, profile: Profile, seed: u64, verify_all: bool) -> anyhow::Result<Finished> {
    let files = target.corpus.as_deref().map(Files::read).transpose()?;
    if let Some(left_out) = files.as_ref().map(Files::left_out).filter(|left_out| *left_out > 0) {
        eprintln!("loadgen: {left_out} files of the corpus did not fit into memory and are left out");
    }
    let progress = Progress::new(&profile);
    let order = Order {
        corpus: Corpus::new(&profile, seed, files),
        profile,
        seed,
        server: target.server.clone(),
        intake: target.intake.clone(),
        token: target.token.clone(),
        verify_all,
        epoch: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no runtime")?;
    let finished = runtime.block_on(run(order, |tally, at| progress.show(tally, at)));
    progress.end();
    Ok(finished?)
}
