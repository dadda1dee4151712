//! Messages between a quarantine and a centre, and what a centre keeps of samples: reading never panics, and what was read
//! is written as it was.
#![no_main]

use gateway::centre::analysis::{ExtractOptions, Features, Goodware, extract};
use gateway::reply::{Answers, Question, Receipt, Sets};
use gateway::{Customer, Submission, names};
use libfuzzer_sys::fuzz_target;
use std::collections::HashMap;

const NAMES: [&str; 19] = [
    names::COMPANY,
    names::ACCOUNT,
    names::CONTACT,
    names::TELEPHONE,
    names::EMAIL,
    names::BLAKE3,
    names::SHA256,
    names::BYTES,
    names::STRIPPED,
    names::SENT_BLAKE3,
    names::SENT_BYTES,
    names::FILE_NAME,
    names::KIND,
    names::CLIENT,
    names::PLATFORM,
    names::REASON,
    names::DEFINITIONS,
    names::PRIORITY,
    names::NONCE,
];

fuzz_target!(|bytes: &[u8]| {
    headers(bytes);
    drop(serde_json::from_slice::<Receipt>(bytes));
    drop(serde_json::from_slice::<Answers>(bytes));
    drop(serde_json::from_slice::<Question>(bytes));
    drop(serde_json::from_slice::<Sets>(bytes));
    if let Ok(features) = Features::decode(bytes) {
        assert_eq!(Features::decode(&features.encode()).map(|again| again.encode()), Ok(features.encode()));
    }
    drop(Goodware::decode(bytes));
    analysis(bytes);
});

/// Each line is a header's value, in the order of the names; the first is the key.
fn headers(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut lines = text.lines();
    let key = lines.next().unwrap_or_default();
    let fields: HashMap<&str, &str> = NAMES.into_iter().zip(lines).collect();
    let look = |name: &str| fields.get(name).copied();
    let customer = Customer::read(&look);
    if let (Ok(submission), Ok(customer)) = (Submission::read(key, &look), customer) {
        let headers = submission.headers(&customer);
        let fields: HashMap<&str, &str> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(Submission::read(key, &|name| fields.get(name).copied()), Ok(submission));
    }
}

/// The bytes cut in three are a group of samples; what is cut from them is in all of them.
fn analysis(bytes: &[u8]) {
    let third = bytes.len() / 3;
    let samples = [&bytes[..third], &bytes[third..2 * third], &bytes[2 * third..]];
    let goodware = Goodware::sized_for(64);
    if let Some(cut) = extract(&samples, &goodware, &[], &ExtractOptions::default()) {
        for needle in cut.needles() {
            assert!(samples.iter().all(|sample| sample.windows(needle.len()).any(|window| window == needle)));
        }
    }
}
