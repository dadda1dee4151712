//! `lazaret man`: the manual, a page for each command, made from the same grammar that reads the command line.

use super::args::Cli;
use super::screen::Tone;
use super::{Failure, Shell};
use clap::CommandFactory;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Flags.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder for the pages; made when it is not there, pages in it are replaced
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
}

/// Writes the pages.
///
/// # Errors
/// The folder or a page cannot be written.
pub fn run(shell: &Shell, args: &Args) -> Result<(), Failure> {
    let mut root = Cli::command().disable_help_subcommand(true);
    root.build();
    let mut pages = Vec::new();
    collect(&root, "lazaret", &mut pages);
    if shell.common.dry_run {
        shell.screen.say(Tone::Faint, &format!("would write {} pages into {}", pages.len(), args.dir.display()));
        return Ok(());
    }
    std::fs::create_dir_all(&args.dir).map_err(|error| failed(&args.dir, &error))?;
    let mut names = Vec::with_capacity(pages.len());
    for (name, page) in pages {
        let path = args.dir.join(&name);
        std::fs::write(&path, page).map_err(|error| failed(&path, &error))?;
        names.push(name);
    }
    if shell.screen.json {
        return shell.screen.value(&json!({"dir": args.dir.to_string_lossy(), "pages": names}));
    }
    shell.screen.line(&format!("{} pages in {}", names.len(), args.dir.display()))?;
    shell.screen.say(Tone::Faint, &format!("read one with: man -l {}", args.dir.join("lazaret.1").display()));
    Ok(())
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Usage(format!("cannot write {}: {error}", path.display()))
}

/// A command's page and those of its subcommands; `name` is the whole of it, joined as man pages are.
fn collect(command: &clap::Command, name: &str, pages: &mut Vec<(String, Vec<u8>)>) {
    let mut page = Vec::new();
    // Writing into memory fails only when memory is gone.
    if clap_mangen::Man::new(command.clone()).render(&mut page).is_ok() {
        pages.push((format!("{name}.1"), page));
    }
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help") {
        collect(sub, &format!("{name}-{}", sub.get_name()), pages);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_that_says_what_it_does_and_takes() {
        let mut root = Cli::command().disable_help_subcommand(true);
        root.build();
        let mut pages = Vec::new();
        collect(&root, "lazaret", &mut pages);
        let page = |name: &str| {
            let found = pages.iter().find(|(other, _)| other == name).unwrap_or_else(|| panic!("no page {name}"));
            String::from_utf8(found.1.clone()).expect("a page is text")
        };
        assert!(page("lazaret.1").contains("Exit codes"));
        assert!(page("lazaret-put.1").contains("recursive"));
        let list = page("lazaret-items-list.1");
        assert!(list.contains("lazaret\\-items\\-list") && list.contains("digest") && list.contains("json"), "{list}");
        for sub in root.get_subcommands().filter(|sub| !sub.is_hide_set()) {
            page(&format!("lazaret-{}.1", sub.get_name()));
        }
    }
}
