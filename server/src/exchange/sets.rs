//! Definitions come in: those that are needed at once, certified ones at their interval.

use super::task::{Ended, Work};
use crate::definitions::{NotInstalled, announce};
use gateway::{Client, Trouble};
use model::{Event, Sequence};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Who installs what the gateway brought.
const WHO: &str = "gateway";
/// How long a set that cannot be used is not fetched again.
const USELESS_FOR: Duration = Duration::from_secs(3600);
/// How long one that was told of and is not there is not: it may be on its way to where it is fetched from.
const NOT_THERE_FOR: Duration = Duration::from_secs(60);

impl Work {
    /// Asks what there is and fetches what is needed, or certified and newer, or all that is newer when somebody asked.
    pub(super) async fn fetch_sets(&mut self, client: &Client, needed: Sequence, asked: bool) -> Result<(), Ended> {
        let sets = self.shared().counted("sets", client.sets().await)?;
        self.context().exchange.sets(sets.certified, sets.newest);
        let active = self.newest_here();
        // Whoever has a set that was made for him would lose what is in no certified one yet.
        let ours = self.context().definitions.active().is_some_and(|active| !active.certified);
        let wanted = if needed > active || asked || ours { sets.newest } else { sets.certified };
        if wanted > active && wanted > self.useless {
            self.fetch(client, wanted).await?;
        }
        if needed > self.newest_here() {
            let text = format!(
                "definitions {} are needed, the newest that the gateway has for us are {}",
                needed.0, sets.newest.0
            );
            self.waiting(needed, text);
        }
        Ok(())
    }

    async fn fetch(&mut self, client: &Client, sequence: Sequence) -> Result<(), Ended> {
        let file = self.coming(sequence)?;
        let limit = self.context().limits.package_bytes_max;
        let fetched = match self.shared().counted("fetch", client.fetch(sequence, &file, limit).await) {
            // What it offers is not to be had: asking over and over would not change that, and an endless one costs a
            // gigabyte each time.
            Err(Ended::Trouble(trouble @ (Trouble::NoSet(_) | Trouble::Oversized { .. }))) => {
                let wait = if matches!(trouble, Trouble::NoSet(_)) { NOT_THERE_FOR } else { USELESS_FOR };
                return Err(self.not_used(sequence, &trouble.to_string(), wait));
            }
            fetched => fetched?,
        };
        tracing::info!(sequence = sequence.0, bytes = fetched.bytes, "definitions came from the gateway");
        let (context, path) = (Arc::clone(self.context()), file.clone());
        let installed = tokio::task::spawn_blocking(move || -> std::io::Result<_> {
            let bytes = std::fs::read(&path)?;
            Ok(context.definitions.install_asked(&bytes, sequence))
        });
        let installed = installed.await.map_err(|error| Ended::Here(error.to_string()))?;
        let installed = installed.map_err(|error| self.no_directory(&error))?;
        match installed {
            Ok(installed) => {
                // What is in use needs it no more, and another download begins with nothing.
                drop(std::fs::remove_file(&file));
                let certified = self.context().definitions.active().is_some_and(|active| active.certified);
                let event =
                    if certified { Event::CertifiedDefinitionsArrived } else { Event::NoncertifiedDefinitionsArrived };
                let text =
                    format!("definitions {} are in use, {} signatures", installed.sequence.0, installed.signatures);
                self.context().alerts.raise(event, text);
                announce(self.context(), &installed, WHO).await;
                Ok(())
            }
            // Somebody installs by hand: the next look finds what came of it.
            Err(NotInstalled::Busy) => Ok(()),
            Err(NotInstalled::NotNewer { .. }) => {
                drop(std::fs::remove_file(&file));
                Ok(())
            }
            Err(NotInstalled::Disk { error, .. }) => Err(self.no_directory(&error)),
            // Parts of two packages, or one that a power cut left holes in: from the first byte on it may be another matter.
            Err(NotInstalled::NotUsable(error)) if fetched.came < fetched.bytes => {
                drop(std::fs::remove_file(&file));
                let text = format!("definitions {} that came in parts are fetched anew: {error}", sequence.0);
                Err(Ended::Trouble(Trouble::Nonsense(text)))
            }
            Err(error @ (NotInstalled::NotUsable(_) | NotInstalled::OtherNumber { .. })) => {
                // Forged, damaged on the way, or made wrongly: what is in use stays. The same bytes are not fetched over
                // and over: a newer number is, and this one once more after an hour.
                drop(std::fs::remove_file(&file));
                Err(self.not_used(sequence, &error.to_string(), USELESS_FOR))
            }
        }
    }

    /// A set is left alone for a while; what is in use stays.
    fn not_used(&mut self, sequence: Sequence, why: &str, wait: Duration) -> Ended {
        self.not_useful(sequence, wait);
        let text = format!("definitions {} from the gateway are not used: {why}", sequence.0);
        tracing::error!("{text}");
        self.context().alerts.raise(Event::DefcastError, text.clone());
        Ended::Trouble(Trouble::Nonsense(text))
    }

    /// Where a set lies while it comes. One of another number has no further use.
    fn coming(&self, sequence: Sequence) -> Result<PathBuf, Ended> {
        let dir = self.context().data.join("definitions");
        let name = format!("coming-{}.lzd", sequence.0);
        let made = std::fs::create_dir_all(&dir).and_then(|()| std::fs::read_dir(&dir)).and_then(|entries| {
            for entry in entries {
                let entry = entry?;
                let other = entry.file_name().to_string_lossy().into_owned();
                if other.starts_with("coming-") && other.ends_with(".lzd") && other != name {
                    std::fs::remove_file(entry.path())?;
                }
            }
            Ok(())
        });
        made.map_err(|error| self.no_directory(&error))?;
        Ok(dir.join(name))
    }

    fn no_directory(&self, error: &std::io::Error) -> Ended {
        let text = format!("{}: {error}", self.context().data.join("definitions").display());
        self.context().alerts.raise(Event::DefinitionDirectoryUnreachable, text.clone());
        Ended::Here(text)
    }
}
