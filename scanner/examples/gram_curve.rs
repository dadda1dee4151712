//! How sharp an index of grams is for its size, on the programs of this machine. Prints JSON.
//!
//! ```text
//! cargo run --release -p scanner --example gram_curve -- [MIB of quarantine, default 256]
//! ```
//! Programs and libraries are dealt to four hands by a hash of their path: the quarantine, what signatures are cut
//! from, what the rule is learned from, and the goodware that withdraws a signature found in it, as a maker of
//! definitions would. Times are the thread's own, not the clock's, so that neighbours on the machine do not count.

#![allow(clippy::print_stdout, reason = "the figures are its output")]

mod curve;

use curve::corpus::{Hands, cut_signatures};
use curve::quarantine::Quarantine;
use scanner::grams::{Filter, Policy, Rule};
use serde_json::json;

const SIGNATURES: usize = 1000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mib = std::env::args().nth(1).map_or(Ok(256), |mib| mib.parse())?;
    let hands = Hands::deal(mib << 20)?;
    let signatures = cut_signatures(&hands, SIGNATURES);
    let learn_from: Vec<&[u8]> = hands.learning.chunks_exact(64 << 10).collect();
    let apart = (learn_from.len() / 512).max(1);
    let learn_from: Vec<&[u8]> = learn_from.into_iter().step_by(apart).collect();
    let quarantine = Quarantine::store(hands.quarantine);
    let rules = [
        ("fixed 4", Rule::fixed(4)),
        ("fixed 5", Rule::fixed(5)),
        ("fixed 6", Rule::fixed(6)),
        ("learned 3 to 6, common in 5 %", Rule::learn(&learn_from, 3, 6, 50)),
        ("learned 3 to 8, common in 5 %", Rule::learn(&learn_from, 3, 8, 50)),
        ("learned 4 to 8, common in 10 %", Rule::learn(&learn_from, 4, 8, 100)),
    ];
    let mut points: Vec<_> = [1024, 512].map(|bits| quarantine.plain_bitmap(&signatures, bits)).into();
    for (name, rule) in &rules {
        let fill = quarantine.fill(rule);
        for filter in [Filter::Bitmap, Filter::Fuse] {
            for bits_per_kib in [1024, 768, 640, 532, 512, 384] {
                let point = quarantine.point(rule, &fill, Policy { bits_per_kib, filter }, &signatures);
                points.push(json!({ "rule": name, "point": point }));
                eprintln!("{}", points[points.len() - 1]);
            }
        }
    }
    println!(
        "{}",
        serde_json::to_string_pretty(&json!({
            "quarantine_mib": mib,
            "signatures": { "count": SIGNATURES, "bytes": "16 to 64, evenly", "tried": signatures.tried, "withdrawn": signatures.withdrawn },
            "learned_from_blocks": learn_from.len(),
            "costs": quarantine.costs(),
            "truth": quarantine.truth(&signatures),
            "points": points,
        }))?
    );
    Ok(())
}
