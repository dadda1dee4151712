//! Files through the ruleset, as many at once as there are processors, answered in their order.

use super::paths::{self};
use crate::cli::Failure;
use crate::cli::walk::Found;
use crate::scanning::Detector;
use scanner::cage::{Pool, Settings};
use scanner::file::{Flow, KIND_BYTES_MIN, Limits, Member, TroubleKind};
use scanner::ruleset::Scratch;
use scanner::scan::{Extent, Verdict};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Answers that may wait for one before them; with them the finder of files waits too.
const WAITING_MAX: usize = 256;

/// What came of one path.
pub enum Answer {
    /// It was scanned.
    Scanned {
        /// Which.
        path: PathBuf,
        /// What was found that counts.
        names: Vec<String>,
        /// What kept bytes from the scanner.
        remarks: Vec<String>,
    },
    /// It is no file: a link, a socket, a device.
    Passed {
        /// Which.
        path: PathBuf,
        /// What it is.
        why: String,
    },
    /// It should have been scanned and was not.
    Skipped {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

/// What scanning needs.
pub struct Work {
    detector: Detector,
    cage: Pool,
    limits: Limits,
    extent: Extent,
}

impl Work {
    /// Starts the cage.
    ///
    /// # Errors
    /// No worker can be started.
    pub fn new(detector: Detector, extent: Extent) -> Result<Self, Failure> {
        let program =
            std::env::current_exe().map_err(|error| Failure::No(format!("cannot find this program: {error}")))?;
        let cage = Pool::start(Settings::new(program, vec![crate::cli::CAGE_WORKER.to_owned()]))
            .map_err(|fault| Failure::No(fault.to_string()))?;
        Ok(Self { detector, cage, limits: Limits::default(), extent })
    }

    /// Scans everything and hands the answers over in the order of the files.
    ///
    /// # Errors
    /// Those of `take`, which end it.
    pub fn run(
        &self,
        paths: &[PathBuf],
        recursive: bool,
        take: &mut dyn FnMut(Answer) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            let (send, queue) = crossbeam_channel::bounded::<(u64, Found)>(WAITING_MAX);
            let (answers, answered) = crossbeam_channel::bounded(WAITING_MAX);
            scope.spawn(move || {
                let mut number = 0;
                paths::files(paths, recursive, &mut |found| {
                    number += 1;
                    send.send((number - 1, found)).is_ok()
                });
            });
            for _ in 0..threads {
                let (queue, answers) = (queue.clone(), answers.clone());
                scope.spawn(move || {
                    let mut scratch = Scratch::default();
                    while let Ok((number, found)) = queue.recv() {
                        if answers.send((number, self.answer(found, &mut scratch))).is_err() {
                            return;
                        }
                    }
                });
            }
            drop((queue, answers));
            let (mut waiting, mut next) = (BTreeMap::new(), 0);
            while let Ok((number, answer)) = answered.recv() {
                waiting.insert(number, answer);
                while let Some(answer) = waiting.remove(&next) {
                    next += 1;
                    take(answer)?;
                }
            }
            Ok(())
        })
    }

    fn answer(&self, found: Found, scratch: &mut Scratch) -> Answer {
        let path = match found {
            Found::Skipped(path, why) if paths::is_special(&path) => return Answer::Passed { path, why },
            Found::Skipped(path, why) => return Answer::Skipped { path, why },
            Found::File(path) => path,
        };
        match read(&path, self.limits.file_bytes_max) {
            Err(error) => Answer::Skipped { path, why: error.to_string() },
            Ok(None) => {
                let remark = format!("not scanned: it has more than {} bytes", self.limits.file_bytes_max);
                Answer::Scanned { path, names: Vec::new(), remarks: vec![remark] }
            }
            Ok(Some(bytes)) if bytes.len() < KIND_BYTES_MIN => {
                Answer::Scanned { path, names: Vec::new(), remarks: Vec::new() }
            }
            Ok(Some(bytes)) => {
                let open = |see: &mut dyn FnMut(Member<'_>) -> Flow| self.cage.walk(&bytes, &self.limits, see);
                let mut untried = Vec::new();
                match self.detector.view().scan(scratch, self.extent, &mut untried, open) {
                    Ok(verdict) => self.scanned(path, &verdict, untried),
                    Err(fault) => Answer::Skipped { path, why: fault.to_string() },
                }
            }
        }
    }

    fn scanned(&self, path: PathBuf, verdict: &Verdict, untried: Vec<String>) -> Answer {
        let names = verdict.detections().map(|found| self.detector.name(found.signature).to_owned());
        let mut names: Vec<String> = names.collect();
        if self.extent == Extent::FirstFinding {
            names.truncate(1);
        }
        let troubles = verdict.outcome.troubles.iter();
        let mut remarks: Vec<String> = troubles
            .filter_map(|trouble| {
                let inside =
                    if trouble.path.is_empty() { String::new() } else { format!("{}: ", trouble.path.join("/")) };
                match &trouble.kind {
                    TroubleKind::Limit(limit) => Some(format!("{inside}not wholly scanned: limit {limit:?}")),
                    TroubleKind::Unsupported(what) => Some(format!("{inside}not opened: {what} is not supported")),
                    TroubleKind::Encrypted => Some(format!("{inside}not opened: encrypted")),
                    // Damage is ordinary in what looks like an archive and is none.
                    TroubleKind::Broken(_) => None,
                }
            })
            .collect();
        if verdict.buffers_cut_short > 0 {
            remarks.push("not wholly scanned: its signatures took more work than allowed".to_owned());
        }
        remarks.extend(untried);
        Answer::Scanned { path, names, remarks }
    }
}

/// A file's bytes; `None` when there are more than allowed.
fn read(path: &Path, bytes_max: u64) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        std::io::stdin().lock().take(bytes_max + 1).read_to_end(&mut bytes)?;
    } else {
        let file = std::fs::File::open(path)?;
        bytes.reserve(file.metadata()?.len().min(bytes_max) as usize);
        file.take(bytes_max + 1).read_to_end(&mut bytes)?;
    }
    Ok((bytes.len() as u64 <= bytes_max).then_some(bytes))
}
