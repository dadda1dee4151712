//! Content comes in piece by piece, and goes on from where it broke off, also after a kill of either side.

use super::Centre;
use crate::daemon::clock;
use engine::{Ask, Submission as Stored};
use gateway::Submission;
use model::{Arrival, Blake3};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write as _};
use std::path::PathBuf;
use std::sync::mpsc;

/// Pieces in which a finished part is read.
const READ_BYTES: usize = 1 << 20;

/// Why content cannot be taken now.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// The disk here said no.
    #[error("cannot keep it: {0}")]
    Disk(#[from] std::io::Error),
    /// The store of samples takes nothing now.
    #[error("cannot store it: {0}")]
    Store(String),
    /// The book cannot be written.
    #[error("cannot note it: {0}")]
    Book(#[from] rusqlite::Error),
}

impl Centre {
    fn part(&self, key: &str) -> PathBuf {
        // A key is letters and digits, which its reading has checked.
        self.options.data.join("parts").join(key)
    }

    /// How many bytes of a submission are here.
    pub(super) fn part_bytes(&self, key: &str) -> u64 {
        std::fs::metadata(self.part(key)).map_or(0, |metadata| metadata.len())
    }

    /// Takes a piece that begins at `offset`; how many bytes are here then. A piece that does not fit is left aside: its
    /// sender learns from the number where to go on.
    pub(super) fn take_piece(&self, submission: &Submission, offset: u64, piece: &[u8]) -> Result<u64, NotTaken> {
        let path = self.part(&submission.key);
        let here = self.part_bytes(&submission.key);
        if offset != here || offset + piece.len() as u64 > submission.sent_bytes {
            return Ok(here);
        }
        let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
        file.write_all(piece)?;
        file.sync_data()?;
        Ok(here + piece.len() as u64)
    }

    /// All bytes came in one piece, which needs no file. False when they are not what was announced.
    pub(super) fn take_whole(&self, submission: &Submission, bytes: &[u8]) -> Result<bool, NotTaken> {
        if Blake3(*blake3::hash(bytes).as_bytes()) != submission.sent_blake3 {
            return Ok(false);
        }
        self.store(submission, bytes)?;
        self.noted(submission)?;
        Ok(true)
    }

    /// All bytes are here: they are stored and noted. False when they are not what was announced; then none is here any
    /// more.
    pub(super) fn complete(&self, submission: &Submission) -> Result<bool, NotTaken> {
        let path = self.part(&submission.key);
        if self.digest_of(&path)? != submission.sent_blake3 {
            self.discard(&submission.key);
            return Ok(false);
        }
        match File::open(&path) {
            Ok(file) => self.store(submission, file)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => self.store(submission, &[][..])?,
            Err(error) => return Err(error.into()),
        }
        self.noted(submission)?;
        Ok(true)
    }

    /// Its content is durable.
    fn noted(&self, submission: &Submission) -> Result<(), NotTaken> {
        self.book.lock().taken(submission, clock::now())?;
        self.discard(&submission.key);
        self.ring();
        Ok(())
    }

    /// The content is here already, from another submission.
    pub(super) fn known(&self, submission: &Submission) -> Result<bool, NotTaken> {
        let mut book = self.book.lock();
        if !book.has_content(&submission.sent_blake3)? {
            return Ok(false);
        }
        book.taken(submission, clock::now())?;
        drop(book);
        self.ring();
        Ok(true)
    }

    fn discard(&self, key: &str) {
        // What cannot be removed is found to be complete again, or overwritten.
        drop(std::fs::remove_file(self.part(key)));
    }

    fn digest_of(&self, path: &PathBuf) -> std::io::Result<Blake3> {
        let mut hasher = blake3::Hasher::new();
        match File::open(path) {
            Ok(file) => hasher.update_reader(file)?,
            // An empty sample has no part.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => &mut hasher,
            Err(error) => return Err(error),
        };
        Ok(Blake3(*hasher.finalize().as_bytes()))
    }

    fn store(&self, submission: &Submission, mut content: impl Read) -> Result<(), NotTaken> {
        let refused = |error: &dyn std::fmt::Display| NotTaken::Store(error.to_string());
        let arrival = Arrival {
            received_at_ms: clock::now().0,
            kind: submission.kind,
            client: cut(&submission.client),
            name: cut(&submission.file_name),
            reason: cut(&submission.reason),
            platform: cut(&submission.platform),
            ..Arrival::default()
        };
        let ask = Ask { raw_bytes: submission.sent_bytes, known: false, client: &arrival.client };
        let permit = self.engine.admit(&ask).map_err(|error| refused(&error))?;
        let (done, outcome) = mpsc::channel();
        let done = Box::new(move |ended| drop(done.send(ended)));
        if submission.sent_bytes <= self.engine.settings().large_bytes_min {
            let mut body = self.engine.buffer(usize::try_from(submission.sent_bytes).unwrap_or(0));
            content.read_to_end(&mut body)?;
            let expected = Some(submission.sent_blake3);
            self.engine.submit(Stored { permit, body, arrival, expected }, done);
        } else {
            let mut writer = self.engine.large(permit, arrival).map_err(|error| refused(&error))?;
            let mut piece = vec![0; READ_BYTES];
            loop {
                match content.read(&mut piece)? {
                    0 => break,
                    read => writer.write(&piece[..read]).map_err(|error| refused(&error))?,
                }
            }
            writer.finish(Some(submission.sent_blake3), done);
        }
        let ended = outcome.recv().map_err(|_| NotTaken::Store("the store is closing".to_owned()))?;
        ended.map(drop).map_err(|error| refused(&error))
    }
}

/// A text as an arrival can hold it.
fn cut(text: &str) -> String {
    let mut end = text.len().min(255);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}
