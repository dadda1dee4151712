//! `lazaret cheat`: what is needed every day, on one screen.

use super::screen::Tone;
use super::{Failure, Shell};
use serde_json::{Value, json};

/// Headings, and under each the calls with what they do.
const SHEET: [(&str, &[(&str, &str)]); 6] = [
    (
        "Run",
        &[
            ("lazaret serve --data DIR", "start a quarantine; Ctrl-C drains it"),
            ("lazaret status", "is it well"),
            ("lazaret log --follow", "who did what"),
        ],
    ),
    (
        "Forward",
        &[
            ("lazaret put --recursive DIR", "every file below a folder"),
            ("lazaret scan --defs DIR -r PATH", "test files with definitions, offline"),
        ],
    ),
    (
        "Look",
        &[
            ("lazaret items list --status held --since 2h", "the newest that match"),
            ("lazaret items show 17", "everything about one item"),
        ],
    ),
    (
        "Act",
        &[
            ("lazaret items restore 17 --to FILE", "the bytes, as they came (may be live!)"),
            ("lazaret items delete --status unneeded --until 30d", "asks first; --dry-run only counts"),
            ("lazaret items submit 17 --whole", "to the centre; also deliver, restart"),
            ("lazaret alerts route 10 --methods console", "who is told; `alerts test 10` tries it"),
            ("lazaret settings set general.max_bytes 400GiB", "no restart"),
        ],
    ),
    (
        "Definitions",
        &[
            ("lazaret defs build DIR --sequence 1 --key K --out P", "a signed set; `defs keygen` makes the key"),
            ("lazaret defs install P", "use it; stored samples are tested again"),
            ("lazaret retest status", "how that goes; pause, resume, start"),
            ("lazaret defs rollback 1 --key K", "an earlier set, under a new number"),
        ],
    ),
    (
        "Repair, with the server stopped",
        &[("lazaret verify --data DIR", "every stored byte"), ("lazaret rebuild --data DIR", "the catalogue anew")],
    ),
];

/// Shows it.
///
/// # Errors
/// Stdout is gone.
pub fn run(shell: &Shell) -> Result<(), Failure> {
    if shell.screen.json {
        let group = |(heading, calls): &(&str, &[(&str, &str)])| -> Value {
            let calls: Vec<_> = calls.iter().map(|(call, does)| json!({"call": call, "does": does})).collect();
            json!({"heading": heading, "calls": calls})
        };
        return shell.screen.value(&json!({"sheet": SHEET.iter().map(group).collect::<Vec<_>>()}));
    }
    for line in lines() {
        shell.screen.line(&line)?;
    }
    Ok(())
}

fn lines() -> Vec<String> {
    let mut lines = Vec::new();
    for (heading, calls) in SHEET {
        lines.push(Tone::Good.paint(heading));
        lines.extend(calls.iter().map(|(call, does)| format!("  {call:<52}{}", Tone::Faint.paint(does))));
    }
    lines.push("Everywhere: --json, --server URL, --token T, --help".to_owned());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::Cli;
    use clap::Parser;

    #[test]
    fn every_call_on_the_sheet_is_understood() {
        for (call, _) in SHEET.iter().flat_map(|(_, calls)| *calls) {
            Cli::try_parse_from(call.split(' ')).unwrap_or_else(|error| panic!("{call}: {error}"));
        }
    }

    #[test]
    fn the_sheet_fits_on_one_screen() {
        assert!(lines().len() <= 25);
        for (call, does) in SHEET.iter().flat_map(|(_, calls)| *calls) {
            assert!(call.len() <= 51 && 54 + does.len() <= 95, "{call}");
        }
    }
}
