//! From the text of `lazaret.toml` to settings, or to every problem in it, each with its line.
//! Nothing is guessed: an unknown key or a value that does not fit refuses the whole file.

use super::keys;
use super::settings::{Origin, Settings};
use std::fmt;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};

/// The largest configuration file read: a hundred keys with their comments are 20 KiB.
pub const FILE_BYTES_MAX: u64 = 1 << 20;

/// One thing that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line in the file, from 1; none for what no line says.
    pub line: Option<usize>,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(out, "line {line}: {}", self.message),
            None => out.write_str(&self.message),
        }
    }
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}: {source}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// What it says cannot be used.
    #[error("{} in {place}:{}", count(problems.len()), list(problems))]
    Problems {
        /// The file, or "the command line".
        place: String,
        /// At least one.
        problems: Vec<Problem>,
    },
}

/// Defaults with the file's values over them.
///
/// # Errors
/// The file cannot be read, or has problems; all of them are listed.
pub fn read_file(path: &Path) -> Result<Settings, ConfigError> {
    let file = |source| ConfigError::File { path: path.to_owned(), source };
    let bytes = std::fs::metadata(path).map_err(file)?.len();
    if bytes > FILE_BYTES_MAX {
        let text = format!("has {bytes} bytes, a configuration has at most {FILE_BYTES_MAX}");
        return Err(file(std::io::Error::other(text)));
    }
    let text = std::fs::read_to_string(path).map_err(file)?;
    read_text(&text).map_err(|problems| ConfigError::Problems { place: path.display().to_string(), problems })
}

/// Defaults with the text's values over them.
///
/// # Errors
/// Every problem of the text, in the order of its lines.
pub fn read_text(text: &str) -> Result<Settings, Vec<Problem>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let problems = errors.iter().map(|error| Problem {
            line: error.span().map(|span| line_of(text, span.start)),
            message: format!("not TOML: {}", error.message().trim()),
        });
        return Err(problems.collect());
    }
    let mut reading = Reading { text, settings: Settings::default(), problems: Vec::new() };
    reading.table("", table.get_ref());
    reading.problems.sort_by_key(|problem| problem.line);
    if reading.problems.is_empty() { Ok(reading.settings) } else { Err(reading.problems) }
}

struct Reading<'a> {
    text: &'a str,
    settings: Settings,
    problems: Vec<Problem>,
}

impl Reading<'_> {
    fn table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let name =
                if prefix.is_empty() { key.get_ref().to_string() } else { format!("{prefix}.{}", key.get_ref()) };
            let line = line_of(self.text, key.span().start);
            match (keys::find(&name), value.get_ref()) {
                (Some(known), value) => match known.shape.read(&plain(value)) {
                    Ok(value) => self.settings.put(&name, value, Origin::File(line)),
                    Err(error) => self.problem(line, format!("{name} {error}")),
                },
                (None, DeValue::Table(inner)) if is_table(&name) => self.table(&name, inner),
                (None, value) => self.unknown(&name, matches!(value, DeValue::Table(_)), line),
            }
        }
    }

    fn unknown(&mut self, name: &str, table: bool, line: usize) {
        let shown = crate::cli::screen::escaped(name);
        let (what, near) = if table {
            (format!("unknown table [{shown}]"), nearest_table(name).map(|near| format!("[{near}]")))
        } else {
            (format!("unknown key {shown}"), keys::nearest(name))
        };
        let advice = match near {
            Some(near) => format!("did you mean {near}?"),
            None => "`lazaret config show` lists every key".to_owned(),
        };
        self.problem(line, format!("{what}, {advice}"));
    }

    fn problem(&mut self, line: usize, message: String) {
        self.problems.push(Problem { line: Some(line), message });
    }
}

fn is_table(name: &str) -> bool {
    let prefix = format!("{name}.");
    keys::names().any(|known| known.starts_with(&prefix))
}

fn nearest_table(name: &str) -> Option<String> {
    keys::names()
        .filter_map(|known| known.rsplit_once('.').map(|(table, _)| table.to_owned()))
        .map(|table| (strsim::damerau_levenshtein(name, &table), table))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance * 3 <= name.chars().count())
        .map(|(_, table)| table)
}

/// The value without its place. Numbers that do not fit and dates become texts, which no shape takes for a
/// number, so that they are refused with what was written.
fn plain(value: &DeValue<'_>) -> toml::Value {
    match value {
        DeValue::String(text) => toml::Value::String(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| toml::Value::String(number.as_str().to_owned()), toml::Value::Integer),
        DeValue::Float(number) => {
            number.as_str().parse().map_or_else(|_| toml::Value::String(number.as_str().to_owned()), toml::Value::Float)
        }
        DeValue::Boolean(flag) => toml::Value::Boolean(*flag),
        DeValue::Datetime(at) => toml::Value::Datetime(*at),
        DeValue::Array(values) => toml::Value::Array(values.iter().map(|one| plain(one.get_ref())).collect()),
        DeValue::Table(table) => toml::Value::Table(
            table.iter().map(|(key, value)| (key.get_ref().to_string(), plain(value.get_ref()))).collect(),
        ),
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

fn count(problems: usize) -> String {
    if problems == 1 { "a problem".to_owned() } else { format!("{problems} problems") }
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("\n  {problem}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        read_text(text).expect_err("has problems").iter().map(Problem::to_string).collect()
    }

    #[test]
    fn an_empty_file_is_all_defaults() {
        let settings = read_text("").expect("nothing wrong with nothing");
        assert!(settings.iter().all(|(_, setting)| setting.origin == Origin::Default));
    }

    #[test]
    fn values_of_the_file_win_and_know_their_line() {
        let settings = read_text("# mine\n[general]\nmax_bytes = '2 GiB'\nmax_samples = 5\n").expect("valid");
        assert_eq!(settings.number("general.max_bytes"), 2 << 30);
        assert_eq!(settings.find("general.max_samples").expect("known").origin, Origin::File(4));
    }

    #[test]
    fn dotted_keys_and_inline_tables_are_the_same_as_tables() {
        for text in ["general.full = 'strict'", "general = { full = 'strict' }", "[general]\nfull = 'strict'"] {
            assert_eq!(read_text(text).expect("valid").text("general.full"), "strict", "{text}");
        }
        assert!(read_text("[alerting.quota_low]\nenabled = false").is_ok());
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line_and_the_nearest_known_one() {
        assert_eq!(
            problems("[general]\n\nmax_byte = 1\n"),
            ["line 3: unknown key general.max_byte, did you mean general.max_bytes?"]
        );
        assert_eq!(problems("[genral]\nfull = 'strict'"), ["line 1: unknown table [genral], did you mean [general]?"]);
        assert_eq!(
            problems("[alerting.quota_lo]\nenabled = true"),
            ["line 1: unknown table [alerting.quota_lo], did you mean [alerting.quota_low]?"]
        );
        assert_eq!(problems("colour = 1"), ["line 1: unknown key colour, `lazaret config show` lists every key"]);
    }

    #[test]
    fn every_problem_of_a_file_is_listed_at_once_in_the_order_of_its_lines() {
        let found = problems("[general]\nread = 'mmap'\nlow_percent = 300\n[listen.http]\naddress = 'here'\n");
        assert_eq!(found.len(), 3);
        assert_eq!(found[0], "line 2: general.read expects one of \"map\", \"pread\", found \"mmap\"");
        assert_eq!(found[1], "line 3: general.low_percent expects a whole number from 0 to 100, found 300");
        assert!(found[2].starts_with("line 5: listen.http.address expects an address"), "{}", found[2]);
    }

    #[test]
    fn text_that_is_not_toml_is_refused_with_its_line() {
        let found = problems("[general]\nmax_bytes = \n");
        assert!(found[0].starts_with("line 2: not TOML: "), "{found:?}");
    }

    #[test]
    fn numbers_that_no_integer_holds_are_refused_with_what_was_written() {
        let found = problems("general.max_samples = 99999999999999999999999\n");
        assert!(found[0].contains("99999999999999999999999"), "{found:?}");
    }
}
