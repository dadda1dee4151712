//! One stored sample through one ruleset.

use super::detector::Rules;
use super::yara::YARA_PREFIX;
use engine::catalogue::SampleVerdict;
use engine::{Engine, READ_BYTES_MAX, ReadError};
use model::Blake3;
use scanner::cage::{Fault, Pool};
use scanner::file::{Flow, KIND_BYTES_MIN, Limits, Member, TroubleKind};
use scanner::grams::Rule;
use scanner::retest::{Facts, FactsBuilder};
use scanner::ruleset::Scratch;
use scanner::scan::{Extent, Verdict};
use std::sync::Arc;

/// Remarks kept of one sample.
const REMARKS_MAX: usize = 8;

/// What a scan found.
#[derive(Debug, Default)]
pub struct Report {
    /// Every match by name, each once; `true` where an allowance keeps it from counting.
    pub findings: Vec<(String, bool)>,
    /// What kept bytes from the scanner, as sentences.
    pub remarks: Vec<String>,
    /// Some buffer could not be tried with YARA rules: what they found before may still be there.
    pub untried: bool,
    /// Plain bytes of the sample.
    pub bytes: u64,
    /// What later definitions ask of it, where it was collected.
    pub facts: Option<Box<Facts>>,
}

impl Report {
    /// The findings of a new scan of a sample that had some before: those of YARA rules stay where they could not be tried.
    pub fn kept(self, before: &SampleVerdict) -> Vec<(String, bool)> {
        let mut findings = self.findings;
        if self.untried {
            let rules = before.findings.iter().filter(|found| found.signature.starts_with(YARA_PREFIX));
            findings.extend(rules.map(|found| (found.signature.clone(), found.allowed)));
            each_once(&mut findings);
        }
        findings
    }
}

/// Collects facts of samples by the rule of the shelves.
pub type Collector = FactsBuilder<Arc<Rule>>;

/// Why a sample has no report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It is not here any more.
    Gone,
    /// No sample can be scanned now; this one waits.
    Down(String),
    /// This sample cannot be scanned: it is damaged, or kills what opens it.
    Sample(String),
}

/// A sample's plain bytes; `None` when it has more than the scanner takes.
///
/// # Errors
/// See [`Failure`].
pub fn bytes_of(engine: &Engine, blake3: &Blake3, limits: &Limits) -> Result<Option<Vec<u8>>, Failure> {
    let failed = |error: ReadError| match error {
        ReadError::Damaged(damage) => Failure::Sample(format!("it is damaged in the store: {damage}")),
        error @ ReadError::Io { .. } => Failure::Down(format!("the store cannot be read: {error}")),
    };
    let Some(sample) = engine.sample(blake3).map_err(failed)? else { return Err(Failure::Gone) };
    if sample.raw_bytes() > limits.file_bytes_max {
        return Ok(None);
    }
    let mut bytes = Vec::with_capacity(sample.raw_bytes() as usize);
    while (bytes.len() as u64) < sample.raw_bytes() {
        let more = sample.read(bytes.len() as u64, READ_BYTES_MAX).map_err(failed)?;
        if more.is_empty() {
            return Err(Failure::Sample("it is shorter in the store than its record says".to_owned()));
        }
        bytes.extend_from_slice(&more);
    }
    Ok(Some(bytes))
}

/// Scans a sample's bytes wholly, and collects facts of it where there is a builder. A worker that dies may have been ended by
/// somebody else, so the sample has a second.
///
/// # Errors
/// See [`Failure`]; the sample is never gone here.
pub fn scan_bytes(
    pool: &Pool,
    rules: Rules<'_>,
    scratch: &mut Scratch,
    bytes: &[u8],
    limits: &Limits,
    mut builder: Option<&mut Collector>,
) -> Result<Report, Failure> {
    if bytes.len() < KIND_BYTES_MIN {
        let facts = builder.map(|_| Box::default());
        return Ok(Report { bytes: bytes.len() as u64, facts, ..Report::default() });
    }
    let mut untried = Vec::new();
    let verdict = twice(|| {
        untried.clear();
        // What a first attempt has left is dropped.
        builder.as_mut().map(|builder| builder.finish());
        rules.scan(scratch, Extent::Whole, &mut untried, |see: &mut dyn FnMut(Member<'_>) -> Flow| {
            pool.walk_wholly(bytes, limits, &mut |member| {
                if let Some(builder) = &mut builder {
                    builder.take(&member);
                }
                // A whole scan always goes on.
                let _flow = see(member);
            })
        })
    })
    .map_err(failure)?;
    let facts = builder.map(|builder| Box::new(builder.finish()));
    let mut remarks = remarks(&verdict);
    let is_untried = !untried.is_empty();
    remarks.extend(untried.into_iter().take(REMARKS_MAX));
    Ok(Report { findings: findings(rules, &verdict), remarks, untried: is_untried, bytes: bytes.len() as u64, facts })
}

/// Does something with a worker, and again with another when the first dies of it.
///
/// # Errors
/// Those of the second attempt, or of a first that no second would mend.
pub fn twice<T>(mut attempt: impl FnMut() -> Result<T, Fault>) -> Result<T, Fault> {
    match attempt() {
        Err(Fault::Died { .. }) => attempt(),
        answer => answer,
    }
}

/// What a fault of the cage means for the sample at hand.
pub fn failure(fault: Fault) -> Failure {
    match fault {
        Fault::Died { .. } | Fault::Overtime { .. } => Failure::Sample(fault.to_string()),
        Fault::Busy { .. } | Fault::Start { .. } | Fault::Unconfined { .. } => Failure::Down(fault.to_string()),
    }
}

/// Names, each once: signatures may share one, and it counts when one of them does.
fn findings(rules: Rules<'_>, verdict: &Verdict) -> Vec<(String, bool)> {
    let mut findings: Vec<(String, bool)> =
        verdict.matches.iter().map(|found| (rules.name(found.signature).to_owned(), found.allowed)).collect();
    each_once(&mut findings);
    findings
}

/// Names ascend, and one that counts once counts.
fn each_once(findings: &mut Vec<(String, bool)>) {
    // A match that counts sorts before one of the same name that does not.
    findings.sort_unstable();
    findings.dedup_by(|next, kept| next.0 == kept.0);
}

fn remarks(verdict: &Verdict) -> Vec<String> {
    let troubles = verdict.outcome.troubles.iter();
    let mut remarks: Vec<String> = troubles
        .filter_map(|trouble| {
            let inside = if trouble.path.is_empty() { String::new() } else { format!("{}: ", trouble.path.join("/")) };
            match &trouble.kind {
                TroubleKind::Limit(limit) => Some(format!("{inside}not wholly scanned: limit {limit:?}")),
                TroubleKind::Unsupported(what) => Some(format!("{inside}not opened: {what} is not supported")),
                TroubleKind::Encrypted => Some(format!("{inside}not opened: encrypted")),
                // Damage is ordinary in what looks like an archive and is none.
                TroubleKind::Broken(_) => None,
            }
        })
        .take(REMARKS_MAX)
        .collect();
    if verdict.buffers_cut_short > 0 {
        remarks.push("not wholly scanned: its signatures took more work than allowed".to_owned());
    }
    remarks
}
