//! Bars: one that stands (how full is it) and those that move (how far is it), which only a terminal sees.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

/// How often a moving bar is drawn: smooth for an eye, nothing for a processor.
const DRAWS_PER_SECOND: u8 = 10;

/// A standing bar of `width` cells for `part` of `whole`; eighths of a cell show small parts.
#[must_use]
pub fn bar(part: u64, whole: u64, width: usize) -> String {
    const EIGHTHS: [char; 8] =
        [' ', '\u{258f}', '\u{258e}', '\u{258d}', '\u{258c}', '\u{258b}', '\u{258a}', '\u{2589}'];
    let cells = width as u128 * 8;
    let filled = if whole == 0 { cells } else { (u128::from(part) * cells / u128::from(whole)).min(cells) };
    // Something is never shown as nothing.
    let filled = if part > 0 && filled == 0 { 1 } else { filled };
    let (full, rest) = ((filled / 8) as usize, (filled % 8) as usize);
    let mut out = "\u{2588}".repeat(full);
    if full < width {
        out.push(EIGHTHS[rest]);
        out.push_str(&" ".repeat(width - full - 1));
    }
    out
}

/// A moving bar over `total` bytes (0: not known yet) on stderr, hidden when that is no terminal.
#[must_use]
pub fn progress(total: u64, what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(
        "{prefix:.bold} {bar:30.cyan/dim} {binary_bytes:>10} of {binary_total_bytes} {binary_bytes_per_sec:>12} {msg}",
    );
    moving(ProgressBar::new(total), style, what)
}

/// A moving bar over things counted on stderr, hidden when that is no terminal.
#[must_use]
pub fn steps(what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:.bold} {bar:30.cyan/dim} {human_pos:>10} of {human_len} {msg}");
    moving(ProgressBar::new(0), style, what)
}

/// A sign of life on stderr where the end is not known, hidden when that is no terminal.
#[must_use]
pub fn spinner(what: &str) -> ProgressBar {
    let spinner =
        moving(ProgressBar::no_length(), ProgressStyle::with_template("{spinner:.cyan} {prefix:.bold} {msg}"), what);
    if !spinner.is_hidden() {
        spinner.enable_steady_tick(Duration::from_millis(100));
    }
    spinner
}

fn moving(bar: ProgressBar, style: Result<ProgressStyle, indicatif::style::TemplateError>, what: &str) -> ProgressBar {
    bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND));
    bar.set_style(style.expect("a test reads every template").progress_chars("\u{2588}\u{2593}\u{2591}"));
    bar.set_prefix(what.to_owned());
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_bar_is_as_wide_as_asked_and_never_shows_something_as_nothing() {
        for (part, whole) in [(0, 10), (1, 1_000_000), (5, 10), (10, 10), (11, 10), (0, 0)] {
            assert_eq!(bar(part, whole, 20).chars().count(), 20, "{part} of {whole}");
        }
        assert_eq!(bar(0, 10, 4), "    ");
        assert_eq!(bar(10, 10, 4), "\u{2588}".repeat(4));
        assert_ne!(bar(1, 1_000_000, 4), "    ");
    }

    #[test]
    fn every_template_of_a_moving_bar_is_valid() {
        progress(10, "put").finish_and_clear();
        steps("test").finish_and_clear();
        spinner("look").finish_and_clear();
    }
}
