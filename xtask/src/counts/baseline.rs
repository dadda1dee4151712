//! Committed counts, each kept by what it depends on, and the judgement of new ones by them.

use super::{callgrind, first_line};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Growth that is mentioned, in percent (bench.md's gate, as rustls has one).
pub const WARN_PERCENT: u128 = 2;
/// Growth that fails.
pub const FAIL_PERCENT: u128 = 5;

/// Processor features that the tool passes on and libraries choose code by.
const FEATURES: &[&str] = &["aes", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "pclmulqdq", "sse4_2"];

/// Everything besides our own code that a count depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key(BTreeMap<&'static str, String>);

impl Key {
    /// Of this compiler, lock file, tool, libc and processor.
    ///
    /// # Errors
    /// One of the programs that know cannot be asked.
    pub fn of_here() -> Result<Self> {
        let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
        let here = [
            ("compiler", first_line(&rustc, &["--version"])?),
            ("dependencies", dependencies()?),
            ("tool", callgrind::version()?),
            ("libc", first_line("getconf", &["GNU_LIBC_VERSION"])?),
            ("processor", processor()?),
        ];
        Ok(Self(here.into()))
    }

    fn read(value: &Value) -> Option<Self> {
        let field = |name| Some((name, value.get(name)?.as_str()?.to_owned()));
        ["compiler", "dependencies", "tool", "libc", "processor"]
            .into_iter()
            .map(field)
            .collect::<Option<_>>()
            .map(Self)
    }

    /// Fields in which another key differs.
    fn differences(&self, other: &Self) -> Vec<&'static str> {
        self.0.iter().filter(|(name, value)| other.0.get(*name) != Some(value)).map(|(name, _)| *name).collect()
    }
}

/// Counts and what they depend on.
pub struct Baseline {
    pub key: Key,
    /// Instructions of one operation, by case.
    pub counts: BTreeMap<String, u64>,
}

/// What a count is against its baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Good,
    /// So much less that the baseline no longer guards it.
    Less,
    Warns,
    Fails,
    /// The baseline has no such case.
    NotCompared,
}

impl Verdict {
    /// Of a count against an earlier one.
    pub fn of(count: u64, before: Option<u64>) -> Self {
        let Some(before) = before else { return Self::NotCompared };
        // Whole numbers: exactly two percent must not depend on a rounding.
        let (count, before) = (u128::from(count) * 100, u128::from(before));
        if count > before * (100 + FAIL_PERCENT) {
            Self::Fails
        } else if count > before * (100 + WARN_PERCENT) {
            Self::Warns
        } else if count < before * (100 - WARN_PERCENT) {
            Self::Less
        } else {
            Self::Good
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Good => "ok",
            Self::Less => "less: record it, so that the gain is guarded",
            Self::Warns => "WARNING",
            Self::Fails => "FAILED",
            Self::NotCompared => "NOT COMPARED: no such row in the baseline",
        })
    }
}

/// Growth of `count` over `before`.
pub fn percent(count: u64, before: u64) -> f64 {
    (count as f64 / before.max(1) as f64 - 1.0) * 100.0
}

/// The baseline kept by `key`, or why there is none.
///
/// # Errors
/// The file cannot be read.
pub fn of(key: &Key) -> Result<std::result::Result<Baseline, String>> {
    Ok(choose(read()?, key))
}

fn choose(all: Vec<Baseline>, key: &Key) -> std::result::Result<Baseline, String> {
    let nearest = all.iter().map(|baseline| key.differences(&baseline.key)).min_by_key(Vec::len);
    match all.into_iter().find(|baseline| baseline.key == *key) {
        Some(baseline) => Ok(baseline),
        None => Err(match nearest {
            Some(differs) => format!("the nearest baseline differs in {}", differs.join(", ")),
            None => "there is no baseline yet".to_owned(),
        }),
    }
}

/// Keeps a baseline in place of the one with its key.
///
/// # Errors
/// The file cannot be read or written.
pub fn record(new: &Baseline) -> Result<()> {
    let mut all = read()?;
    all.retain(|baseline| baseline.key != new.key);
    let shown = |baseline: &Baseline| json!({ "key": baseline.key.0, "counts": baseline.counts });
    let values: Vec<Value> = all.iter().chain([new]).map(shown).collect();
    let text = serde_json::to_string_pretty(&Value::Array(values))?;
    std::fs::write(path(), text + "\n").with_context(|| format!("cannot write {}", path().display()))
}

fn read() -> Result<Vec<Baseline>> {
    let path = path();
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    parse(&text).with_context(|| format!("{} is no list of baselines", path.display()))
}

fn parse(text: &str) -> Option<Vec<Baseline>> {
    let value: Value = serde_json::from_str(text).ok()?;
    let baseline = |value: &Value| {
        let counts = value.get("counts")?.as_object()?;
        let counts = counts.iter().map(|(name, count)| Some((name.clone(), count.as_u64()?))).collect::<Option<_>>()?;
        Some(Baseline { key: Key::read(value.get("key")?)?, counts })
    };
    value.as_array()?.iter().map(baseline).collect()
}

fn path() -> PathBuf {
    crate::root().join("perf/counts.json")
}

/// A digest of the locked packages that the counted program links: a package that only others need changes nothing.
fn dependencies() -> Result<String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let tree = ["tree", "--locked", "--package", "benches", "--edges", "normal", "--prefix", "none", "--format", "{p}"];
    let output = std::process::Command::new(cargo).args(tree).current_dir(crate::root()).output()?;
    anyhow::ensure!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    // Our own packages are what is compared; they alone are shown with their path.
    let mut packages: Vec<&str> =
        text.lines().filter(|line| !line.contains('/')).map(|line| line.trim_end_matches(" (*)")).collect();
    packages.sort_unstable();
    packages.dedup();
    Ok(format!("{:016x}", fnv(packages.join("\n").as_bytes())))
}

/// FNV-1a, 64 bits: enough to tell two lists apart.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

fn processor() -> Result<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").context("cannot read /proc/cpuinfo")?;
    let flags = text.lines().find(|line| line.starts_with("flags")).unwrap_or_default();
    let has = |feature: &&&str| flags.split_whitespace().any(|flag| flag == **feature);
    Ok(FEATURES.iter().filter(has).copied().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(compiler: &str) -> Key {
        let fields = ["compiler", "dependencies", "tool", "libc", "processor"];
        Key(fields
            .into_iter()
            .map(|name| (name, if name == "compiler" { compiler } else { "same" }.to_owned()))
            .collect())
    }

    #[test]
    fn growth_over_two_percent_warns_and_over_five_fails() {
        let check = |count, verdict| assert_eq!(Verdict::of(count, Some(10_000)), verdict, "{count} of 10000");
        check(9_799, Verdict::Less);
        check(9_800, Verdict::Good);
        check(10_200, Verdict::Good);
        check(10_201, Verdict::Warns);
        check(10_500, Verdict::Warns);
        check(10_501, Verdict::Fails);
        assert_eq!(Verdict::of(5, None), Verdict::NotCompared);
    }

    #[test]
    fn a_baseline_of_another_compiler_is_not_compared_and_the_reason_is_named() {
        let all = || vec![Baseline { key: key("old"), counts: BTreeMap::from([("pack".to_owned(), 7)]) }];
        assert_eq!(choose(all(), &key("old")).map(|found| found.counts["pack"]), Ok(7));
        let why = choose(all(), &key("new")).map(|found| found.counts);
        assert_eq!(why, Err("the nearest baseline differs in compiler".to_owned()));
    }

    #[test]
    fn the_committed_baselines_can_be_read() {
        assert!(read().is_ok_and(|all| all.iter().all(|baseline| !baseline.counts.is_empty())));
    }
}
