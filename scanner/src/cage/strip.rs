//! Both ends of stripping a sample in the cage.
//!
//! The worker strips wholly before it sends the first part: a sample that it dies of has no parts here.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use super::wire::{self, Ending, FrameKind, PartHead, StripJob};
use crate::strip::{NotStripped, PARTS_MAX, Part, Stripped, strip};

/// The caller's end. A worker that was taken over can send what it likes, so parts are bounded here too.
pub(super) fn ask(
    line: &mut (impl Read + Write),
    sample: &[u8],
    job: &StripJob,
) -> io::Result<Result<Stripped, NotStripped>> {
    wire::send(line, job, sample)?;
    let mut parts: Vec<Part> = Vec::new();
    let mut room = job.limits.file_bytes_max;
    loop {
        let frame = wire::receive(line, room)?;
        match frame.kind {
            FrameKind::Part if parts.len() < PARTS_MAX => {
                let PartHead { path, what } = frame.head()?;
                room -= frame.body().len() as u64;
                parts.push(Part { path, what, bytes: frame.body().to_vec() });
            }
            FrameKind::Ending => {
                let Ending(ending) = frame.head()?;
                if ending.is_ok() == parts.is_empty() {
                    return Err(wire::invalid("parts and their ending do not fit"));
                }
                return Ok(ending.map(|()| Stripped { parts, sample_bytes: sample.len() as u64 }));
            }
            FrameKind::Sample
            | FrameKind::Member
            | FrameKind::Outcome
            | FrameKind::On
            | FrameKind::Stop
            | FrameKind::Strip
            | FrameKind::Part => return Err(wire::invalid("a frame out of order")),
        }
    }
}

/// The worker's end.
pub(super) fn answer(stream: &mut impl Write, sample: &[u8], job: StripJob) -> io::Result<()> {
    let start = Instant::now();
    let allowed = Duration::from_millis(job.limits.time_ms_max);
    let ending = match strip(sample, job.found, &job.limits, &|| start.elapsed() >= allowed) {
        Ok(stripped) => {
            for part in stripped.parts {
                wire::send(stream, &PartHead { path: part.path, what: part.what }, &part.bytes)?;
            }
            Ok(())
        }
        Err(reason) => Err(reason),
    };
    wire::send(stream, &Ending(ending), &[])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::Limits;
    use crate::strip::Kept;

    /// A worker that was asked already: what it answers, whatever it hears.
    struct Answers(io::Cursor<Vec<u8>>);

    impl Read for Answers {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.0.read(into)
        }
    }

    impl Write for Answers {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn heard(answers: &[u8]) -> io::Result<Result<Stripped, NotStripped>> {
        let job = StripJob { limits: Limits { file_bytes_max: 8, ..Limits::default() }, found: None };
        ask(&mut Answers(io::Cursor::new(answers.to_vec())), b"a sample", &job)
    }

    fn part(bytes: &[u8]) -> Vec<u8> {
        let mut frame = Vec::new();
        wire::send(&mut frame, &PartHead { path: Vec::new(), what: Kept::Macros }, bytes).expect("a vector takes all");
        frame
    }

    fn ending(ending: Result<(), NotStripped>) -> Vec<u8> {
        let mut frame = Vec::new();
        wire::send(&mut frame, &Ending(ending), &[]).expect("a vector takes all");
        frame
    }

    #[test]
    fn parts_and_their_ending_are_an_answer_and_any_less_is_none() {
        let whole = [part(b"four"), part(b"more"), ending(Ok(()))].concat();
        let stripped = heard(&whole).expect("in order").expect("parts");
        assert_eq!(stripped.parts.iter().map(|part| &part.bytes[..]).collect::<Vec<_>>(), [b"four", b"more"]);
        for end in 0..whole.len() {
            assert!(heard(&whole[..end]).is_err(), "cut at {end}");
        }
        assert_eq!(heard(&ending(Err(NotStripped::Text))).expect("in order"), Err(NotStripped::Text));
    }

    #[test]
    fn a_worker_that_sends_more_than_it_may_is_not_believed() {
        assert!(heard(&[part(b"four"), part(b"and 5"), ending(Ok(()))].concat()).is_err(), "bytes");
        let many = part(b"").repeat(PARTS_MAX);
        assert!(heard(&[many.clone(), ending(Ok(()))].concat()).is_ok());
        assert!(heard(&[many, part(b""), ending(Ok(()))].concat()).is_err(), "parts");
    }

    #[test]
    fn a_worker_that_contradicts_itself_is_not_believed() {
        assert!(heard(&ending(Ok(()))).is_err(), "nothing, and no reason");
        assert!(heard(&[part(b"four"), ending(Err(NotStripped::Text))].concat()).is_err(), "parts, and a reason");
        let mut sign = Vec::new();
        wire::send_sign(&mut sign, FrameKind::On).expect("a vector takes all");
        assert!(heard(&sign).is_err(), "a frame of another job");
    }
}
