//! Counts what test programs report about themselves.

/// Sums of the closing lines of test programs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed, and checks or programs that failed as a whole.
    pub failed: u64,
}

impl Tally {
    /// Adds a line of output when it is a test program's closing line
    /// (`test result: ok. 3 passed; 0 failed; ...`), and ignores any other.
    pub fn read(&mut self, line: &str) {
        let Some(counts) = line.trim().strip_prefix("test result:") else { return };
        for part in counts.split([';', '.']) {
            let mut words = part.split_whitespace();
            let Some(Ok(count)) = words.next().map(str::parse::<u64>) else { continue };
            match words.next() {
                Some("passed") => self.passed += count,
                Some("failed") => self.failed += count,
                Some(_) | None => {}
            }
        }
    }

    /// A failure that no closing line reported: a check, or a test program that died.
    pub fn note_failure(&mut self) {
        self.failed += 1;
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &str, passed: u64, failed: u64) {
        let mut tally = Tally::default();
        lines.lines().for_each(|line| tally.read(line));
        assert_eq!(tally, Tally { passed, failed });
    }

    #[test]
    fn closing_lines_are_summed_and_other_lines_ignored() {
        check(
            "running 2 tests\ntest a ... ok\n\
             test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
             test result: FAILED. 7 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s\n",
            9,
            3,
        );
        check("5 passed; 1 failed\ntest result of nothing", 0, 0);
    }

    #[test]
    fn the_last_line_of_a_run_is_the_plain_one() {
        assert_eq!(Tally { passed: 12, failed: 0 }.to_string(), "12 passed, 0 failed");
    }
}
