//! The conservation check: nothing that was offered is lost, doubled or changed.
//! 1. offered = accepted + refused + errors.
//! 2. accepted <= newly listed <= accepted + unanswered: an answer that never came may still have
//!    made an item, an answer that came must have.
//! 3. No item is acked for two arrivals, no arrival twice.
//! 4. What is read back has the bytes that were sent.
//! 5. The quota is never seen passed.

use crate::draw::below;
use crate::limits::{PROBLEMS_SHOWN, SETTLE_PAUSE};
use crate::measure::Tally;
use crate::questions::{Questions, Quota};
use crate::work::{Work, digest};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;
use tokio::time::Instant;

const READ_BACK: u64 = 0x31;

/// What the server held before the run.
#[derive(Debug, Clone, Copy)]
pub struct Before {
    /// Items listed.
    pub listed: u64,
    /// Items that intake said it made, where it says so.
    pub counted: Option<u64>,
}

/// The outcome of the check.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Conservation {
    /// Whether everything holds.
    pub ok: bool,
    /// Arrivals that were offered.
    pub offered: u64,
    /// Arrivals acked as items.
    pub accepted: u64,
    /// Arrivals refused.
    pub refused: u64,
    /// Arrivals that ended in an error.
    pub errors: u64,
    /// Refusals and errors that may have become items all the same.
    pub unanswered: u64,
    /// Items listed now that were not before.
    pub listed: u64,
    /// Items that intake counted meanwhile; absent where the server has no such metric, or may have been
    /// started again meanwhile.
    pub counted: Option<u64>,
    /// Items acked for more than one arrival.
    pub shared_items: u64,
    /// Answers to requests that were not open.
    pub unasked: u64,
    /// Items read back.
    pub read_back: u64,
    /// Of those, items that are gone.
    pub missing: u64,
    /// Of those, items whose bytes are not those that were sent.
    pub wrong: u64,
    /// The most bytes on disk that were seen.
    pub peak_used_bytes: u64,
    /// The limit at that time.
    pub max_bytes: u64,
    /// What does not hold, for a person.
    pub problems: Vec<String>,
}

/// Asks the server what it held before the run.
///
/// # Errors
/// It does not answer.
pub async fn before(questions: &Questions) -> Result<Before, crate::questions::QuestionError> {
    Ok(Before { listed: questions.count().await?, counted: questions.intake_samples().await.ok() })
}

/// Asks the server what it holds now and compares. A question without an answer is a problem too.
pub async fn check(
    work: &Work,
    questions: &Questions,
    before: Before,
    quotas: &[Quota],
    verify_all: bool,
) -> Conservation {
    let mut found = work.measure.with(|tally| balance(tally, quotas));
    let items = work.measure.with(|tally| chosen(tally, work, verify_all));
    let patience = Duration::from_secs_f64(work.profile.drain_s);
    found.listed = match listed(questions, before.listed, found.accepted, patience).await {
        Ok(listed) => listed,
        Err(cause) => {
            found.problems.push(cause.to_string());
            0
        }
    };
    let counted = questions.intake_samples().await.ok();
    // After a broken connection the counter may belong to a server that was started again.
    let is_same_server = work.measure.with(|tally| tally.reconnects == 0);
    found.counted = counted.zip(before.counted).filter(|_| is_same_server).map(|(now, then)| now.saturating_sub(then));
    read_back(work, questions, &items, &mut found).await;
    judge(&mut found);
    found
}

/// What the run knows by itself.
fn balance(tally: &Tally, quotas: &[Quota]) -> Conservation {
    let mut seen: HashMap<u64, u64> = HashMap::new();
    for (item, _) in &tally.items {
        *seen.entry(*item).or_default() += 1;
    }
    let peak = quotas.iter().max_by_key(|quota| quota.used_bytes);
    let mut found = Conservation {
        offered: tally.offered,
        accepted: tally.accepted,
        refused: tally.refused_count(),
        errors: tally.error_count(),
        unanswered: tally.unanswered,
        shared_items: seen.values().filter(|arrivals| **arrivals > 1).count() as u64,
        unasked: tally.unasked,
        peak_used_bytes: peak.map_or(0, |quota| quota.used_bytes),
        max_bytes: peak.map_or(0, |quota| quota.max_bytes),
        ..Conservation::default()
    };
    for quota in quotas.iter().filter(|quota| quota.is_passed()).take(1) {
        found.problems.push(format!(
            "the quota was passed: {} of {} bytes, {} of {} samples",
            quota.used_bytes, quota.max_bytes, quota.used_samples, quota.max_samples
        ));
    }
    found
}

/// The items to read back: a seeded choice, or all.
fn chosen(tally: &Tally, work: &Work, verify_all: bool) -> Vec<(u64, u64)> {
    let count = tally.items.len() as u64;
    if verify_all || work.profile.read_back >= count {
        return tally.items.clone();
    }
    let mut places = BTreeSet::new();
    for index in 0..work.profile.read_back {
        places.insert(below(work.seed, READ_BACK, index, count));
    }
    places.into_iter().map(|place| tally.items[place as usize]).collect()
}

/// Items listed since, waiting a bounded time for the list to reach what was acked.
async fn listed(
    questions: &Questions,
    before: u64,
    accepted: u64,
    patience: Duration,
) -> Result<u64, crate::questions::QuestionError> {
    let deadline = Instant::now() + patience;
    loop {
        let listed = questions.count().await?.saturating_sub(before);
        if listed >= accepted || Instant::now() >= deadline {
            return Ok(listed);
        }
        tokio::time::sleep(SETTLE_PAUSE).await;
    }
}

async fn read_back(work: &Work, questions: &Questions, items: &[(u64, u64)], found: &mut Conservation) {
    let mut unread = 0;
    for (item, index) in items {
        let sent = work.corpus.body(work.corpus.content(*index));
        found.read_back += 1;
        match questions.sample(*item, sent.len() as u64).await {
            Ok(Some(body)) if digest(&body) == digest(&sent) => {}
            Ok(Some(body)) => {
                found.wrong += 1;
                note(
                    found,
                    format!("item {item} reads back {} bytes that are not the {} sent", body.len(), sent.len()),
                );
            }
            Ok(None) => {
                found.missing += 1;
                note(found, format!("item {item} was acked and is gone"));
            }
            Err(cause) => {
                unread += 1;
                note(found, cause.to_string());
            }
        }
    }
    found.read_back -= unread;
}

fn note(found: &mut Conservation, problem: String) {
    if found.problems.len() < PROBLEMS_SHOWN {
        found.problems.push(problem);
    }
}

/// Adds what does not add up, and decides.
fn judge(found: &mut Conservation) {
    let Conservation { offered, accepted, refused, errors, unanswered, listed, .. } = *found;
    let mut rules = vec![
        (
            offered == accepted + refused + errors,
            format!("{offered} offered, but {accepted} accepted + {refused} refused + {errors} errors"),
        ),
        (listed >= accepted, format!("{accepted} accepted, but only {listed} more items are listed")),
        (
            listed <= accepted + unanswered,
            format!("{listed} more items are listed, but {accepted} accepted and {unanswered} unanswered"),
        ),
        (found.shared_items == 0, format!("{} items were acked for more than one arrival", found.shared_items)),
        (found.unasked == 0, format!("{} answers came to requests that were not open", found.unasked)),
    ];
    if let Some(counted) = found.counted {
        rules.push((
            counted >= accepted && counted <= accepted + unanswered,
            format!("intake counted {counted} samples, but {accepted} accepted and {unanswered} unanswered"),
        ));
    }
    for (_, problem) in rules.into_iter().filter(|(holds, _)| !holds) {
        found.problems.push(problem);
    }
    found.ok = found.problems.is_empty();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn even() -> Conservation {
        Conservation { offered: 10, accepted: 6, refused: 3, errors: 1, unanswered: 1, listed: 6, ..Default::default() }
    }

    fn judged(mut found: Conservation) -> bool {
        judge(&mut found);
        found.ok
    }

    #[test]
    fn an_even_account_holds() {
        assert!(judged(even()));
    }

    #[test]
    fn an_unanswered_request_may_have_made_an_item() {
        assert!(judged(Conservation { listed: 7, ..even() }));
        assert!(!judged(Conservation { listed: 8, ..even() }));
    }

    #[test]
    fn each_way_to_be_uneven_is_seen() {
        assert!(!judged(Conservation { offered: 11, ..even() }));
        assert!(!judged(Conservation { listed: 5, ..even() }));
        assert!(!judged(Conservation { shared_items: 1, ..even() }));
        assert!(!judged(Conservation { unasked: 1, ..even() }));
        assert!(!judged(Conservation { counted: Some(5), ..even() }));
        assert!(!judged(Conservation { problems: vec!["item 3 is gone".to_owned()], ..even() }));
    }
}
