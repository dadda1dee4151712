//! A million random causes, one after the other on items that live long, against the tables of `reference`: the status
//! and all six attributes after each.
#![allow(clippy::print_stdout, reason = "a walk that fails is repeated by its seed")]

mod reference;

use model::lifecycle::{Cause, Facts, settle};
use model::{Sequence, Status, Timestamp};
use reference::attributes::{Item, Reference};
use std::num::NonZeroU32;

/// Causes, refused ones included.
const STEPS: u64 = 1_000_000;
/// Causes that one item meets.
const LIFE: u64 = 400;
/// Sets that causes name: few, so that they meet.
const SEQUENCE_MAX: u64 = 6;

/// Numbers that a seed repeats (Vigna's splitmix64).
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn sequence(&mut self) -> Sequence {
        Sequence(1 + self.below(SEQUENCE_MAX))
    }

    /// What is true of the client and of the definitions at one moment.
    fn client(&mut self) -> Facts {
        Facts {
            managed: self.below(4) > 0,
            selected: self.below(2) > 0,
            client_sequence: Sequence(self.below(SEQUENCE_MAX + 1)),
            active_sequence: Sequence(self.below(SEQUENCE_MAX + 1)),
            rejected_sequence: Sequence(self.below(4).saturating_sub(2) * self.below(SEQUENCE_MAX + 1)),
            send_again_count: self.below(5) as u32,
            ..Facts::default()
        }
    }

    /// Half of the causes are any, half are ones that lead somewhere from here.
    fn cause(&mut self, reference: &Reference, status: Status) -> Cause {
        let from = if self.below(2) == 0 { Status::ALL[self.below(14) as usize] } else { status };
        let sequence = self.sequence();
        let causes: Vec<Cause> = reference.causes_from(from, sequence).collect();
        match causes[self.below(causes.len() as u64) as usize] {
            Cause::PriorityRaised(_) => Cause::PriorityRaised(NonZeroU32::MIN.saturating_add(self.below(3) as u32)),
            // Endless restarts would make for short lives.
            Cause::RestartedByHand if self.below(4) > 0 => self.cause(reference, status),
            cause => cause,
        }
    }
}

#[test]
fn a_million_random_causes_lead_where_the_tables_say_and_set_what_they_say() {
    let seed = std::env::var("LAZARET_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(20_260_102);
    println!("LAZARET_SEED={seed}");
    let mut draws = Draws(seed);
    let mut reference = Reference::new(SEQUENCE_MAX);
    let mut item = Reference::received(0);
    let (mut changes, mut refusals) = (0_u64, 0_u64);
    for step in 0..STEPS {
        if step % LIFE == 0 {
            item = Reference::received(draws.below(3) as u32);
        }
        // Every moment has its own time, so that a date shows which moment set it.
        let now = Timestamp(step as i64 + 1);
        let (cause, client) = (draws.cause(&reference, item.status), draws.client());
        let expected = reference.step(item, &cause, &client, now);
        let facts = Facts {
            attributes: item.attributes,
            received_priority: item.received_priority,
            priority_override: item.priority_override,
            basis: item.basis,
            ..client
        };
        match (settle(Some(item.status), &cause, &facts, now), expected) {
            (Ok(settled), Some((to, after))) => {
                let is = Item {
                    status: settled.status(),
                    attributes: settled.attributes,
                    priority_override: settled.priority_override,
                    basis: settled.basis,
                    ..item
                };
                assert_eq!((settled.to, is), (to, after), "seed {seed}, step {step}: {item:?} by {cause:?} {client:?}");
                item = after;
                changes += 1;
            }
            (Err(_), None) => refusals += 1,
            (is, expected) => panic!(
                "seed {seed}, step {step}: {item:?} by {cause:?} with {client:?} is {is:?}, expected {expected:?}"
            ),
        }
    }
    // A walk that met only a part of the table would prove little.
    let unmet = reference.taken.iter().filter(|taken| **taken == 0).count();
    assert_eq!(unmet, 1, "all rows but reception itself are met: {:?}", reference.taken);
    assert!(changes > STEPS / 4 && refusals > STEPS / 20, "{changes} changes, {refusals} refusals");
}
