//! What is believed: only a signed reply to this request, about this submission of this sample.

use crate::estate::{actions, errors, estate};
use crate::scripted::{Gateway, Turn, digest, reworded};
use crate::support::sets::key;
use crate::wire::{Reply, Request};
use defcast::keys::SigningKey;
use gateway::reply::{Answers, Receipt, Said};
use model::Blake3;
use serde_json::json;
use std::sync::{Arc, Mutex};

const SAMPLE: &[u8] = b"a sample about which much is said";

fn stranger() -> SigningKey {
    SigningKey::from_seed([66; 32], "stranger")
}

/// Submissions meet this; the rest is as it should be.
fn submissions_meet(script: impl Fn() -> Turn + Send + 'static) -> Gateway {
    let gateway = Gateway::start();
    gateway.script(move |request| if request.is_about("submissions") { script() } else { Turn::Good });
    gateway
}

/// A sample is submitted, trouble says this, and then all is well.
fn is_not_believed(script: impl Fn() -> Turn + Send + 'static, says: &str) {
    let gateway = submissions_meet(script);
    let server = estate(&gateway.name(), |_| {});
    let id = server.store(SAMPLE);
    server.is_troubled(id, says);
    server.goes_on(&gateway, id, SAMPLE);
}

fn without_signature(reply: Reply) -> Reply {
    Reply::new(reply.status, reply.body)
}

fn altered_by_a_byte(mut reply: Reply) -> Reply {
    let last = reply.body.len() - 2;
    reply.body[last] ^= 1;
    reply
}

#[test]
fn a_reply_signed_by_a_stranger_changes_nothing() {
    is_not_believed(|| reworded::<Receipt>(stranger(), |_| {}), "signature does not hold");
}

#[test]
fn a_refusal_signed_by_a_stranger_changes_nothing() {
    let refused = |receipt: &mut Receipt| receipt.taken = gateway::reply::Taken::Refused { why: "no".to_owned() };
    is_not_believed(move || reworded(stranger(), refused), "signature does not hold");
}

#[test]
fn an_unsigned_reply_changes_nothing() {
    is_not_believed(|| Turn::Altered(Box::new(without_signature)), "not signed");
}

#[test]
fn a_reply_altered_by_one_byte_changes_nothing() {
    is_not_believed(|| Turn::Altered(Box::new(altered_by_a_byte)), "signature does not hold");
}

#[test]
fn a_signed_reply_without_sense_changes_nothing() {
    is_not_believed(|| reworded::<serde_json::Value>(key(), |value| *value = json!({"taken": 7})), "makes no sense");
}

#[test]
fn a_receipt_for_more_than_there_is_changes_nothing() {
    let more = |receipt: &mut Receipt| receipt.taken = gateway::reply::Taken::Partly { bytes: 1 << 40 };
    is_not_believed(move || reworded(key(), more), "bytes of a submission of");
}

#[test]
fn an_old_reply_is_not_taken_for_a_new_one() {
    let gateway = Gateway::start();
    let first: Arc<Mutex<Option<Reply>>> = Arc::default();
    gateway.script(move |request| {
        if !request.is_about("submissions") {
            return Turn::Good;
        }
        let first = Arc::clone(&first);
        Turn::Altered(Box::new(move |reply| first.lock().expect("held").get_or_insert(reply).clone()))
    });
    let server = estate(&gateway.name(), |_| {});
    let first = server.store(b"a sample before it");
    server.item_when(first, "Released");
    let id = server.store(SAMPLE);
    server.is_troubled(id, "old one");
    server.goes_on(&gateway, id, SAMPLE);
}

#[test]
fn a_receipt_for_another_sample_is_not_taken_for_ours() {
    is_not_believed(|| reworded::<Receipt>(key(), |receipt| receipt.blake3 = Blake3([7; 32])), "another submission");
}

#[test]
fn a_receipt_for_another_submission_is_not_taken_for_ours() {
    let other = |receipt: &mut Receipt| receipt.submission = "0123456789abcdef".to_owned();
    is_not_believed(move || reworded(key(), other), "another submission");
}

/// The item is Released; what comes back about it meets `script`.
fn is_no_answer(script: impl Fn(&Request) -> Turn + Send + 'static, says: &str) {
    let gateway = Gateway::start();
    let server = estate(&gateway.name(), |_| {});
    let id = server.store(SAMPLE);
    server.item_when(id, "Released");
    gateway.script(move |request| if request.is_about("answers") { script(request) } else { Turn::Good });
    gateway.says(SAMPLE, Said::NotInfected, "");
    server.trouble(says);
    server.eventually("the error of the item", || {
        errors(&server.item(id)).iter().any(|line| line.contains(says)).then_some(())
    });
    assert_eq!(server.item(id)["status"], "Released");
    server.alerted(1, 1);
    server.goes_on(&gateway, id, SAMPLE);
}

#[test]
fn an_answer_signed_by_a_stranger_changes_nothing() {
    is_no_answer(|_| reworded::<Answers>(stranger(), |_| {}), "signature does not hold");
}

#[test]
fn an_answer_about_another_sample_changes_nothing() {
    let other = |answers: &mut Answers| answers.answers[0].blake3 = digest(b"another");
    is_no_answer(move |_| reworded(key(), other), "another submission");
}

#[test]
fn an_answer_about_another_submission_changes_nothing() {
    let other = |answers: &mut Answers| answers.answers[0].submission = "0123456789abcdef".to_owned();
    is_no_answer(move |_| reworded(key(), other), "another submission");
}

#[test]
fn two_answers_about_one_submission_change_nothing() {
    let twice = |answers: &mut Answers| answers.answers.push(answers.answers[0].clone());
    is_no_answer(move |_| reworded(key(), twice), "another submission");
}

#[test]
fn an_old_answer_changes_nothing() {
    let old = |answers: &mut Answers| answers.nonce = "0".repeat(32);
    is_no_answer(move |_| reworded(key(), old), "old one");
}

#[test]
fn an_error_that_nobody_signed_is_no_refusal() {
    for status in [400, 403, 404] {
        is_not_believed(move || Turn::Instead(Reply::new(status, "no")), &format!("answered {status}"));
    }
}

#[test]
fn a_signed_refusal_is_one() {
    let gateway = Gateway::start();
    gateway.book(|book| book.refuses.insert(digest(SAMPLE), "not a\u{1b}[2J customer".to_owned()));
    let server = estate(&gateway.name(), |_| {});
    let id = server.store(SAMPLE);
    let item = server.item_when(id, "Error");
    let said = errors(&item).join("\n");
    assert!(said.contains("refused it for good: not a[2J customer"), "a terminal is not commanded: {said}");
    for name in [
        "X-Sample-Priority",
        "X-Date-Submitted",
        "X-Date-Analysis-Finished",
        "X-Signatures-Priority",
        "X-Signatures-Sequence",
    ] {
        assert!(item["attributes"][name] == 0 || item["attributes"][name].is_null(), "{name}: {item}");
    }
    server.alerted(14, 1);
    assert_eq!(server.alerts(1), 0, "a refusal is an answer");
    // The refusal was about that submission; a person may try another.
    gateway.book(|book| book.refuses.clear());
    assert_eq!(server.act_on(id, "submit", &json!({}))["done"], true);
    server.goes_on(&gateway, id, SAMPLE);
    assert!(actions(&server.item(id)).iter().any(|line| line.contains("not infected")), "{}", server.item(id));
}
