//! What a person found clean, and sets that were in use long enough: signatures that are found where nothing may be found
//! are withdrawn, the others certified.

use super::analyst::Analyst;
use crate::daemon::clock;
use crate::scanning::bytes_of;
use gateway::centre::book::Line;
use model::{Sequence, Timestamp};
use scanner::file::Limits;
use std::collections::BTreeSet;

/// A clock that goes back by less than this hides nothing that a person finds clean.
const CLOCK_SLACK_MS: i64 = 3_600_000;

impl Analyst {
    /// What was found clean since is goodware from now on. Signatures that are found in it all the same wait for
    /// [`Analyst::certify`], which may fail and come again.
    pub(super) fn learn(&mut self) -> anyhow::Result<()> {
        let since = Timestamp(self.clean_until.0.saturating_sub(CLOCK_SLACK_MS));
        let clean = self.centre.book.lock().clean(since)?;
        for (blake3, at) in clean {
            if self.clean.contains(&blake3) {
                continue;
            }
            if let Ok(Some(bytes)) = bytes_of(&self.centre.engine, &blake3, &Limits::default()) {
                self.centre.corpus.write().learn(blake3, &bytes);
                if let Some(active) = &self.active {
                    let names = self.names(active, &bytes)?;
                    self.false_alarms.extend(names);
                }
            }
            self.clean.insert(blake3);
            self.clean_until = self.clean_until.max(at);
        }
        Ok(())
    }

    /// Sets that were in use long enough are tested on the goodware and certified, without what is a false alarm. Where
    /// there is one, nobody waits for a soak: it goes from every set at once.
    pub(super) fn certify(&mut self) -> anyhow::Result<()> {
        let soak = i64::try_from(self.centre.options.soak.as_millis()).unwrap_or(i64::MAX);
        let until = Timestamp(clock::now().0.saturating_sub(soak));
        let (soaked, newest) = {
            let book = self.centre.book.lock();
            (book.soaked(until)?, book.newest()?)
        };
        let is_due = self.lines.iter().any(|line| !line.certified && line.sequence <= soaked);
        if !is_due && self.false_alarms.is_empty() {
            return Ok(());
        }
        let mut failed = self.false_alarms.clone();
        if is_due {
            failed.extend(self.tested(soaked)?);
            if self.centre.is_stopping() {
                return Ok(());
            }
        }
        for name in &failed {
            tracing::error!(name, "a signature is found in what is clean: it is withdrawn");
        }
        let held = |line: &&Line| !failed.contains(&line.name);
        let is_old = |line: &&Line| line.certified || line.sequence <= soaked;
        let old: Vec<Line> = self.lines.iter().filter(held).filter(is_old).cloned().collect();
        let all: Vec<Line> = self.lines.iter().filter(held).cloned().collect();
        if old.is_empty() {
            return Ok(());
        }
        let certified = Sequence(newest.0 + 1);
        self.centre.press(certified, true, &old)?;
        let rest = (all.len() > old.len()).then_some(Sequence(newest.0 + 2));
        if let Some(rest) = rest {
            self.centre.press(rest, false, &all)?;
        }
        let failed: Vec<String> = failed.into_iter().collect();
        self.centre.book.lock().promoted(certified, soaked, &failed, rest, clock::now())?;
        tracing::info!(
            sequence = certified.0,
            lines = old.len(),
            withdrawn = failed.len(),
            "definitions are certified"
        );
        self.false_alarms.clear();
        self.lines = self.centre.book.lock().lines()?;
        self.active = Some(self.centre.compiled(&self.centre.package(rest.unwrap_or(certified))?)?);
        Ok(())
    }

    /// Names of signatures of a set that are found in goodware.
    fn tested(&self, sequence: Sequence) -> anyhow::Result<BTreeSet<String>> {
        let set = self.centre.compiled(&self.centre.package(sequence)?)?;
        let mut found = BTreeSet::new();
        for (path, bytes) in self.centre.corpus.read().each() {
            let names = self.names(&set, &bytes)?;
            if !names.is_empty() {
                tracing::error!(path = %path.display(), ?names, "something is found in goodware");
            }
            found.extend(names);
            if self.centre.is_stopping() {
                break;
            }
        }
        Ok(found)
    }
}
