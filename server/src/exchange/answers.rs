//! The centre is asked about what it has.

use super::lane::Lane;
use super::task::{Ended, Work};
use crate::control::Event;
use engine::catalogue::SubmissionRow;
use gateway::Client;
use gateway::reply::{ASKED_MAX, Answered, Asked};
use model::SampleId;
use model::lifecycle::Answer;
use model::submission::Stage;
use std::collections::{BTreeSet, HashMap};

impl Work {
    /// Asks about every submission that waits for an answer.
    pub(super) async fn ask_all(&mut self, client: &Client) -> Result<(), Ended> {
        let mut after = SampleId(0);
        loop {
            let rows = self.read(move |catalogue| catalogue.submissions(after, ASKED_MAX)).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.sample;
            self.ask(client, rows).await?;
            if self.is_stopping() {
                return Ok(());
            }
        }
    }

    /// Asks about these samples.
    pub(super) async fn ask_wanted(&mut self, client: &Client, samples: BTreeSet<SampleId>) -> Result<(), Ended> {
        let mut rows = Vec::new();
        for sample in samples {
            rows.extend(self.read(move |catalogue| catalogue.submission(sample)).await?);
        }
        while !rows.is_empty() {
            let rest = rows.split_off(rows.len().min(ASKED_MAX));
            self.ask(client, std::mem::replace(&mut rows, rest)).await?;
        }
        Ok(())
    }

    async fn ask(&mut self, client: &Client, rows: Vec<SubmissionRow>) -> Result<(), Ended> {
        let mut waiting: HashMap<String, SubmissionRow> = HashMap::new();
        let mut asked = Vec::new();
        for row in rows.into_iter().filter(|row| row.stage == Stage::Accepted) {
            let Some(blake3) = self.digest_of(row.sample).await? else { continue };
            asked.push(Asked { submission: row.key.clone(), blake3 });
            waiting.insert(row.key.clone(), row);
        }
        if asked.is_empty() {
            return Ok(());
        }
        let first = waiting.values().next().map(|row| row.sample);
        let answers = match self.shared().counted("ask", client.ask(asked).await) {
            Ok(answers) => answers,
            Err(ended) => {
                if let (Ended::Trouble(trouble), Some(sample)) = (&ended, first) {
                    self.note_trouble(Lane::Answers, sample, trouble).await;
                }
                return Err(ended);
            }
        };
        for answer in answers {
            if let Some(row) = waiting.remove(&answer.submission)
                && let Some(row) = news(row, &answer)
            {
                self.shared().tell(Event::Staged(Box::new(row))).await?;
            }
        }
        Ok(())
    }
}

/// What an answer makes of a submission; nothing where it says what is known.
fn news(row: SubmissionRow, answer: &Answered) -> Option<SubmissionRow> {
    let said = answer.said.answer()?;
    if said == Answer::NeedsPerson && row.what == answer.why && !row.what.is_empty() {
        return None;
    }
    let what = match (said, answer.why.as_str()) {
        (Answer::NeedsPerson, "") => "the centre says no more".to_owned(),
        (_, why) => why.to_owned(),
    };
    (said != Answer::NeedsPerson || row.what != what).then_some(SubmissionRow {
        stage: Stage::Answered(said),
        what,
        ..row
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway::reply::Said;
    use model::{Blake3, Timestamp};

    fn row() -> SubmissionRow {
        SubmissionRow {
            sample: SampleId(1),
            key: "0123456789abcdef".to_owned(),
            stage: Stage::Accepted,
            sent_blake3: Blake3([0; 32]),
            sent_bytes: 1,
            stripped: String::new(),
            what: String::new(),
            at: Timestamp(1),
        }
    }

    fn answered(said: Said, why: &str) -> Answered {
        Answered { submission: row().key, blake3: Blake3([0; 32]), said, why: why.to_owned() }
    }

    #[test]
    fn the_same_word_of_a_person_is_no_news() {
        for why in ["", "looks packed"] {
            let first = news(row(), &answered(Said::NeedsPerson, why)).expect("it is news");
            let waiting = SubmissionRow { stage: Stage::Accepted, ..first };
            assert_eq!(news(waiting.clone(), &answered(Said::NeedsPerson, why)), None);
            assert!(news(waiting, &answered(Said::NotInfected, "")).is_some());
        }
        assert_eq!(news(row(), &answered(Said::Pending, "")), None);
    }
}
