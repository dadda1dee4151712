//! A sample's submission came to a stage: what each of its items makes of it.

use super::settle::{Ground, Moved, Said, action, by_cause, error};
use engine::catalogue::{Own, Standing, SubmissionRow};
use model::lifecycle::{Answer, Cause};
use model::submission::Stage;
use model::{ItemId, Status, Timestamp};

/// Who speaks for the centre.
pub const GATEWAY: &str = "gateway";

/// What a stage changes about one item. Pure; the status table has the last word.
pub fn decide(
    row: &SubmissionRow,
    item: ItemId,
    standing: &Standing,
    ground: &Ground,
    now: Timestamp,
) -> (Vec<Own>, Option<Moved>) {
    let mut decided = Decided { item, standing: *standing, now, changes: Vec::new(), moved: None };
    match row.stage {
        Stage::Sending => {}
        Stage::Accepted => {
            let joins = decided.take_or_leave(&Cause::GatewayAccepted, row, ground);
            // A person looks at the sample already: an item that joins waits for him too.
            if joins && !row.what.is_empty() {
                decided.answered(Answer::NeedsPerson, row, ground);
            }
        }
        Stage::Refused => {
            if decided.take_or_leave(&Cause::GatewayRefused, row, ground) {
                decided.changes.push(error(item, now, &format!("the gateway refused it for good: {}", row.what)));
            }
        }
        Stage::Answered(answer) => decided.answered(answer, row, ground),
    }
    (decided.changes, decided.moved)
}

struct Decided {
    item: ItemId,
    standing: Standing,
    now: Timestamp,
    changes: Vec<Own>,
    moved: Option<Moved>,
}

impl Decided {
    fn answered(&mut self, answer: Answer, row: &SubmissionRow, ground: &Ground) {
        // It came while the others of its sample were at the centre already.
        self.take(&Cause::GatewayAccepted, row, ground);
        let waits = matches!(self.standing.status, Status::Released | Status::Attention);
        // What a person looks at is asked about further; the same word again is no news.
        if answer == Answer::NeedsPerson && self.standing.status == Status::Attention {
            return;
        }
        let cause = Cause::Answered(answer);
        if !self.take_or_leave(&cause, row, ground) && moved_on_since(&self.standing, row) {
            let why = if waits { "it is with a person" } else { "the item has moved on" };
            let what = format!("late {}, which changes nothing: {why}", cause.words());
            self.changes.push(action(self.item, self.now, GATEWAY, &what));
        } else if answer == Answer::Failed && self.moved.is_some() {
            let what = format!("the analysis failed: {}", row.what);
            self.changes.push(error(self.item, self.now, &what));
        }
    }

    /// Takes the cause where the table has it.
    fn take(&mut self, cause: &Cause, row: &SubmissionRow, ground: &Ground) {
        self.take_or_leave(cause, row, ground);
    }

    fn take_or_leave(&mut self, cause: &Cause, row: &SubmissionRow, ground: &Ground) -> bool {
        let said = Said { who: GATEWAY.to_owned(), what: words(cause, row), verdict: None };
        let Ok((changes, moved)) = by_cause(self.item, &self.standing, cause, ground, said, self.now) else {
            return false;
        };
        if let Some(Own::Status(last)) = changes.iter().rev().find(|change| matches!(change, Own::Status(_))) {
            (self.standing.status, self.standing.attributes) = (last.to, last.attributes);
            self.standing.send_again_count = last.send_again_count;
        }
        self.changes.extend(changes);
        let from = self.moved.map_or(moved.from, |before| before.from);
        self.moved = Some(Moved { from, ..moved });
        true
    }
}

/// Whether an item that waited for this submission got its answer elsewhere; one that was done with before is not
/// bothered.
fn moved_on_since(standing: &Standing, row: &SubmissionRow) -> bool {
    let attributes = &standing.attributes;
    !attributes.date_submitted.is_never()
        && (attributes.date_analysis_finished >= row.at || attributes.date_sample_finished >= row.at)
}

fn words(cause: &Cause, row: &SubmissionRow) -> String {
    let mut text = cause.words().to_owned();
    match cause {
        Cause::Answered(Answer::Definitions(sequence)) => text.push_str(&format!(" {}", sequence.0)),
        Cause::GatewayAccepted if !row.stripped.is_empty() => text.push_str(&format!(", stripped to {}", row.stripped)),
        _ => {}
    }
    text.push_str(&format!(" (submission {})", row.key));
    if !row.what.is_empty() && !matches!(cause, Cause::GatewayAccepted) {
        text.push_str(&format!(": {}", row.what));
    }
    text
}
