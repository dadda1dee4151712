//! The thread that finds out what content is: known, goodware, like other content, or something for a person.
//!
//! 1. A batch is analysed as a whole and becomes one set at most: a thousand samples that come together are one set.
//! 2. What was found out is written in one transaction with the set that it names.

use super::Centre;
use crate::daemon::clock;
use crate::definitions::Active;
use crate::scanning::{Failure, bytes_of, scan_bytes};
use gateway::centre::analysis::{
    ClusterId, Clusters, ExtractOptions, Extracted, Features, Lines, Pair, SignatureName, derive, extract, prove,
};
use gateway::centre::book::{Line, Verdict, Waiting};
use gateway::reply::Said;
use model::{Blake3, Sequence, Timestamp};
use scanner::file::Limits;
use scanner::ruleset::Scratch;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Contents analysed together.
const BATCH: usize = 512;
/// How long a batch waits for more: a burst becomes one set, and nobody notices the wait.
const GATHER: Duration = Duration::from_millis(300);
/// How often certification is thought of.
const CERTIFY_EVERY: Duration = Duration::from_secs(5);
/// Members of a group that a signature is cut from.
const MEMBERS_MAX: usize = 16;
/// Bytes of all members that are held at once.
const HELD_BYTES_MAX: usize = 128 << 20;
/// How long the thread waits after the book or the disk said no.
const TROUBLE_WAIT: Duration = Duration::from_secs(2);

/// Starts it. A centre that cannot analyse what it takes does not start at all.
pub(super) fn start(centre: &Arc<Centre>) -> anyhow::Result<JoinHandle<()>> {
    let analyst = Analyst::new(Arc::clone(centre))?;
    let thread = std::thread::Builder::new().name("analyst".to_owned()).spawn(move || {
        engine::run_in_background();
        analyst.run();
    })?;
    Ok(thread)
}

pub(super) struct Analyst {
    pub(super) centre: Arc<Centre>,
    clusters: Clusters,
    members: HashMap<ClusterId, Vec<Blake3>>,
    /// What is looked for now.
    pub(super) active: Option<Active>,
    pub(super) lines: Vec<Line>,
    /// Contents that were found clean, and are known to be.
    pub(super) clean: BTreeSet<Blake3>,
    /// When the newest of them was.
    pub(super) clean_until: Timestamp,
    /// Signatures that were found in them, and are still in use.
    pub(super) false_alarms: BTreeSet<String>,
    certified_at: Option<Instant>,
}

/// What a batch came to.
#[derive(Default)]
struct Found {
    verdicts: Vec<Verdict>,
    /// Groups with new members.
    groups: BTreeMap<u32, Vec<Waiting>>,
    features: Vec<(Blake3, Vec<u8>)>,
}

impl Analyst {
    fn new(centre: Arc<Centre>) -> anyhow::Result<Self> {
        let (kept, lines, newest) = {
            let book = centre.book.lock();
            (book.features()?, book.lines()?, book.newest()?)
        };
        let mut clusters = Clusters::new();
        let mut members: HashMap<ClusterId, Vec<Blake3>> = HashMap::new();
        for (blake3, bytes) in kept {
            // Features of another version are made again when the content comes again.
            if let Some(id) = Features::decode(&bytes).ok().and_then(|features| clusters.place(features)) {
                members.entry(id).or_default().push(blake3);
            }
        }
        let active = match newest {
            Sequence(0) => None,
            newest => Some(centre.compiled(&centre.package(newest)?)?),
        };
        Ok(Self {
            centre,
            clusters,
            members,
            active,
            lines,
            clean: BTreeSet::new(),
            clean_until: Timestamp::NEVER,
            false_alarms: BTreeSet::new(),
            certified_at: None,
        })
    }

    fn run(mut self) {
        // What waited when the last process ended comes first.
        self.centre.ring();
        while self.centre.wait(CERTIFY_EVERY) {
            std::thread::sleep(GATHER);
            if let Err(error) = self.round() {
                tracing::error!(error = format!("{error:#}"), "the analysis waits");
                std::thread::sleep(TROUBLE_WAIT);
                self.centre.ring();
            }
        }
    }

    fn round(&mut self) -> anyhow::Result<()> {
        self.learn()?;
        if !self.false_alarms.is_empty() {
            self.certify()?;
        }
        while !self.centre.is_stopping() {
            let waiting = self.centre.book.lock().waiting(BATCH)?;
            if waiting.is_empty() {
                break;
            }
            let began = Instant::now();
            let count = waiting.len();
            self.batch(waiting)?;
            tracing::info!(contents = count, took = ?began.elapsed(), lines = self.lines.len(), "a batch was analysed");
        }
        if self.certified_at.is_none_or(|at| at.elapsed() >= CERTIFY_EVERY) {
            self.certified_at = Some(Instant::now());
            self.certify()?;
        }
        Ok(())
    }

    fn batch(&mut self, waiting: Vec<Waiting>) -> anyhow::Result<()> {
        let mut found = Found::default();
        for one in waiting {
            self.look(one, &mut found)?;
        }
        let groups = std::mem::take(&mut found.groups);
        let sequence = Sequence(self.centre.book.lock().newest()?.0 + 1);
        let mut new = Vec::new();
        for (id, fresh) in &groups {
            new.extend(self.signatures(ClusterId(*id), fresh, sequence)?);
        }
        self.centre.book.lock().keep_features(&found.features)?;
        let fresh: Vec<Waiting> = groups.into_values().flatten().collect();
        if new.is_empty() {
            found.verdicts.extend(
                fresh.iter().map(|one| person(one, "no signature could be made that is not found in goodware")),
            );
            self.centre.book.lock().answered(&found.verdicts, None, clock::now())?;
            return Ok(());
        }
        let mut lines = self.lines.clone();
        lines.extend(new.iter().cloned());
        let package = self.centre.press(sequence, false, &lines)?;
        let active = self.centre.compiled(&package)?;
        let sound = self.tried(&active, &fresh, sequence, &mut found);
        self.centre.book.lock().answered(&found.verdicts, Some((sequence, false, &new)), clock::now())?;
        tracing::info!(sequence = sequence.0, lines = lines.len(), sound, "definitions were made");
        (self.lines, self.active) = (lines, Some(active));
        Ok(())
    }

    /// What content is by itself; what has to be compared goes to its group.
    fn look(&mut self, one: Waiting, found: &mut Found) -> anyhow::Result<()> {
        if one.bytes == 0 {
            found.verdicts.push(clean(&one, "it is empty"));
            return Ok(());
        }
        if self.centre.corpus.read().holds(&one.blake3) {
            found.verdicts.push(clean(&one, "it is known goodware"));
            return Ok(());
        }
        let bytes = match bytes_of(&self.centre.engine, &one.blake3, &Limits::default()) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                found.verdicts.push(person(&one, "it is larger than what is analysed by itself"));
                return Ok(());
            }
            Err(Failure::Gone) => {
                let why = "it is not here any more".to_owned();
                found.verdicts.push(Verdict { content: one.blake3, said: Said::SendAgain, why });
                return Ok(());
            }
            Err(Failure::Down(why)) => anyhow::bail!(why),
            Err(Failure::Sample(why)) => {
                found.verdicts.push(Verdict { content: one.blake3, said: Said::Failed, why });
                return Ok(());
            }
        };
        if let Some(active) = &self.active
            && let Some(sequence) = self.known(active, &bytes)?
        {
            found.verdicts.push(Verdict {
                content: one.blake3,
                said: Said::Definitions { sequence },
                why: String::new(),
            });
            return Ok(());
        }
        let features = Features::beyond(&bytes, self.centre.corpus.read().grams());
        if features.is_blank() {
            found.verdicts.push(person(&one, "there is nothing in it that is unlike goodware"));
            return Ok(());
        }
        found.features.push((one.blake3, features.encode()));
        match self.clusters.place(features) {
            Some(id) => {
                let members = self.members.entry(id).or_default();
                if !members.contains(&one.blake3) {
                    members.push(one.blake3);
                }
                found.groups.entry(id.0).or_default().push(one);
            }
            None => found.verdicts.push(person(&one, "more samples are kept than can be compared")),
        }
        Ok(())
    }

    /// The set that deals with bytes in which something is found already.
    fn known(&self, active: &Active, bytes: &[u8]) -> anyhow::Result<Option<Sequence>> {
        let names = self.names(active, bytes)?;
        let Some(line) = self.lines.iter().find(|line| names.contains(&line.name)) else { return Ok(None) };
        let certified = self.centre.book.lock().certified()?;
        Ok(Some(if line.certified { certified } else { line.sequence }))
    }

    /// What is found in bytes.
    pub(super) fn names(&self, active: &Active, bytes: &[u8]) -> anyhow::Result<BTreeSet<String>> {
        let pool = self.centre.cage.pool()?;
        let mut scratch = Scratch::default();
        match scan_bytes(&pool, active.detector.view(), &mut scratch, bytes, &Limits::default(), None) {
            Ok(report) => {
                Ok(report.findings.into_iter().filter(|(_, allowed)| !allowed).map(|(name, _)| name).collect())
            }
            Err(Failure::Down(why)) => anyhow::bail!(why),
            // What cannot be opened is told apart by its bytes alone.
            Err(Failure::Sample(_) | Failure::Gone) => Ok(BTreeSet::new()),
        }
    }

    /// Lines for a group with new members.
    fn signatures(&self, id: ClusterId, fresh: &[Waiting], sequence: Sequence) -> anyhow::Result<Vec<Line>> {
        let members = self.members.get(&id).map_or(&[][..], Vec::as_slice);
        let first = members.first().copied().unwrap_or(fresh[0].blake3);
        let samples = self.held(members, fresh);
        let slices: Vec<&[u8]> = samples.iter().map(Vec::as_slice).collect();
        let name = self.name(&first);
        let cut = extract(&slices, self.centre.corpus.read().grams(), &[], &ExtractOptions::default());
        let mut lines = match cut.filter(|cut| self.is_proved(cut, &slices)) {
            Some(cut) => self.of_group(&cut, &slices, &name),
            None => Lines::default(),
        };
        if lines.files().iter().all(|(_, lines)| lines.is_empty()) {
            let digests: Vec<_> =
                fresh.iter().flat_map(|one| &one.samples).map(|(sha256, bytes)| (sha256.0, *bytes)).collect();
            lines = Lines::of_digests(&name, &digests);
        }
        let mut all = Vec::new();
        for (file, texts) in lines.files() {
            all.extend(texts.iter().map(|text| Line {
                name: name.to_string(),
                file: file.to_owned(),
                text: text.clone(),
                content: first,
                sequence,
                certified: false,
            }));
        }
        Ok(all)
    }

    fn of_group(&self, cut: &Extracted, samples: &[&[u8]], name: &SignatureName) -> Lines {
        let mut lines = cut.lines(name);
        let originals: Vec<Option<Vec<u8>>> = {
            let corpus = self.centre.corpus.read();
            samples.iter().map(|sample| corpus.original(sample)).collect()
        };
        let pairs: Vec<Pair<'_>> = samples
            .iter()
            .zip(&originals)
            .filter_map(|(sample, original)| Some(Pair { sample, original: original.as_deref()? }))
            .collect();
        if let Some(recipe) = derive(samples, &pairs, &cut.needles()) {
            lines.add_recipe(name, &recipe);
        }
        lines
    }

    /// Members of a group, the new ones first; as many as can be held.
    fn held(&self, members: &[Blake3], fresh: &[Waiting]) -> Vec<Vec<u8>> {
        let fresh_digests: BTreeSet<Blake3> = fresh.iter().map(|one| one.blake3).collect();
        let older = members.iter().rev().filter(|member| !fresh_digests.contains(member));
        let mut held = Vec::new();
        let mut bytes = 0;
        for member in fresh.iter().map(|one| &one.blake3).chain(older).take(MEMBERS_MAX) {
            if let Ok(Some(sample)) = bytes_of(&self.centre.engine, member, &Limits::default())
                && bytes + sample.len() <= HELD_BYTES_MAX
            {
                bytes += sample.len();
                held.push(sample);
            }
        }
        held
    }

    /// Exact bytes: in every sample, in no file of the goodware.
    fn is_proved(&self, cut: &Extracted, samples: &[&[u8]]) -> bool {
        let needles = cut.needles();
        if let Err(refuted) = prove(&needles, samples, &[]) {
            tracing::warn!(%refuted, "a signature was not proved");
            return false;
        }
        for (path, bytes) in self.centre.corpus.read().each() {
            if let Err(refuted) = prove(&needles, &[], &[&bytes]) {
                tracing::warn!(path = %path.display(), %refuted, "a signature is in goodware");
                return false;
            }
        }
        for blake3 in &self.clean {
            if let Ok(Some(bytes)) = bytes_of(&self.centre.engine, blake3, &Limits::default())
                && let Err(refuted) = prove(&needles, &[], &[&bytes])
            {
                tracing::warn!(%blake3, %refuted, "a signature is in a sample that was found clean");
                return false;
            }
        }
        true
    }

    /// A name that no line has yet.
    fn name(&self, first: &Blake3) -> SignatureName {
        let mut number = 1;
        loop {
            let name = SignatureName::automatic(&first.0, number);
            let text = name.to_string();
            if !self.lines.iter().any(|line| line.name == text) {
                return name;
            }
            number += 1;
        }
    }

    /// What was made is tried on what it was made for, as a quarantine will. What it does not find is for a person.
    fn tried(&self, active: &Active, fresh: &[Waiting], sequence: Sequence, found: &mut Found) -> usize {
        let mut sound = 0;
        for one in fresh {
            let said = Said::Definitions { sequence };
            let detects = match bytes_of(&self.centre.engine, &one.blake3, &Limits::default()) {
                // A digest of a whole sample of which only a part was sent can be tried nowhere but there.
                Ok(Some(_)) if one.samples.iter().all(|(_, bytes)| *bytes != one.bytes) => true,
                Ok(Some(bytes)) => self.names(active, &bytes).is_ok_and(|names| !names.is_empty()),
                Ok(None) | Err(_) => false,
            };
            if detects {
                sound += 1;
                found.verdicts.push(Verdict { content: one.blake3, said, why: String::new() });
            } else {
                found.verdicts.push(person(one, "the signature that was made for it does not find it"));
            }
        }
        sound
    }
}

fn clean(one: &Waiting, why: &str) -> Verdict {
    Verdict { content: one.blake3, said: Said::NotInfected, why: why.to_owned() }
}

fn person(one: &Waiting, why: &str) -> Verdict {
    Verdict { content: one.blake3, said: Said::NeedsPerson, why: why.to_owned() }
}
