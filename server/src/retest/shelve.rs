//! Loose samples put on a shelf: what later deltas ask instead of them.

use super::shelves::Shelves;
use super::stock::Loose;
use crate::daemon::context::Context;
use crate::scanning::{Collector, Failure, bytes_of, failure, twice};
use engine::Engine;
use engine::catalogue::{CatalogueError, Own};
use model::{SampleId, Sequence};
use parking_lot::Mutex;
use scanner::cage::Pool;
use scanner::file::{KIND_BYTES_MIN, Limits};
use scanner::grams::{BLOCK_BYTES, Filter, Policy, Rule};
use scanner::retest::{Facts, ShelfBuilder};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Samples of a shelf, however small they are.
pub const SHELF_SAMPLES_MAX: usize = 16_384;
/// Blocks that a rule is learned from: 32 MiB.
const LEARNED_BLOCKS_MAX: usize = 512;
/// The rule (`docs/grams.md`): grams of 4 to 8 bytes, common where in more than a tenth of the blocks.
const RULE: (usize, usize, u32) = (4, 8, 100);

/// What came of an attempt.
pub enum Shelved {
    /// A shelf has these samples.
    Done {
        /// Its number.
        number: u64,
        /// The set that its samples were answered with.
        sequence: Sequence,
        /// What is on it.
        samples: Vec<SampleId>,
        /// Samples that are not in the store any more.
        gone: Vec<SampleId>,
        /// Samples that could not be opened: they stay loose.
        faulty: Vec<SampleId>,
    },
    /// Not now: the quota has no room for it, or nothing can be opened.
    NotNow,
}

/// Puts samples on one shelf, made of the facts that the larder has of them; the others are read again. `samples` ascend.
/// Blocks.
///
/// # Errors
/// The catalogue cannot be written.
pub fn shelve(
    context: &Context,
    engine: &Engine,
    shelves: &mut Shelves,
    samples: &[(SampleId, Loose)],
) -> Result<Shelved, CatalogueError> {
    let Ok(pool) = context.cage.pool() else { return Ok(Shelved::NotNow) };
    let known = shelves.rule().cloned();
    let rule = match known {
        Some(rule) => rule,
        None => match shelves.set_rule(learned(engine, samples)) {
            Ok(rule) => {
                context.retests.larder().set_rule(&rule);
                rule
            }
            Err(error) => {
                tracing::warn!(%error, "the rule of the shelves cannot be written");
                return Ok(Shelved::NotNow);
            }
        },
    };
    let facts = facts(context, engine, &pool, &rule, samples);
    let policy = Policy { bits_per_kib: context.shelf_options.index_bits_per_kib, filter: Filter::Bitmap };
    let mut builder = ShelfBuilder::new(&rule, policy);
    let (mut on_it, mut gone, mut faulty) = (Vec::new(), Vec::new(), Vec::new());
    for ((sample, loose), facts) in samples.iter().zip(facts) {
        match facts {
            Ok(facts) => match builder.add(sample.0, loose.blake3.0, facts) {
                Ok(()) => on_it.push(*sample),
                Err(_) => faulty.push(*sample),
            },
            Err(Failure::Gone) => gone.push(*sample),
            Err(Failure::Sample(_)) => faulty.push(*sample),
            Err(Failure::Down(_)) => return Ok(Shelved::NotNow),
        }
    }
    let plain_bytes = builder.plain_bytes();
    let number = match shelves.put(engine, &builder.finish(), plain_bytes) {
        Ok(Some(number)) => number,
        Ok(None) => return Ok(Shelved::NotNow),
        Err(error) => {
            tracing::warn!(%error, "a shelf cannot be written");
            return Ok(Shelved::NotNow);
        }
    };
    // The oldest: what was found in the others holds for it too once it has been answered from there.
    let sequence = samples.iter().map(|(_, loose)| loose.sequence).min().unwrap_or_default();
    engine.catalogue().apply(vec![Own::Shelf { number, sequence }])?.into_iter().collect::<Result<Vec<()>, _>>()?;
    Ok(Shelved::Done { number, sequence, samples: on_it, gone, faulty })
}

/// A rule from the first blocks of these samples.
fn learned(engine: &Engine, samples: &[(SampleId, Loose)]) -> Rule {
    let limits = Limits::default();
    let mut read = Vec::new();
    let mut blocks = 0;
    for (_, loose) in samples {
        if blocks >= LEARNED_BLOCKS_MAX {
            break;
        }
        if let Ok(Some(bytes)) = bytes_of(engine, &loose.blake3, &limits) {
            blocks += bytes.len().div_ceil(BLOCK_BYTES);
            read.push(bytes);
        }
    }
    let blocks: Vec<&[u8]> = read.iter().flat_map(|bytes| bytes.chunks(BLOCK_BYTES)).take(LEARNED_BLOCKS_MAX).collect();
    let (shortest, longest, common_per_mille) = RULE;
    Rule::learn(&blocks, shortest, longest, common_per_mille)
}

/// The facts of each sample, in their order; those that nobody has are collected on every processor.
fn facts(
    context: &Context,
    engine: &Engine,
    pool: &Pool,
    rule: &Arc<Rule>,
    samples: &[(SampleId, Loose)],
) -> Vec<Result<Facts, Failure>> {
    let larder = context.retests.larder();
    let next = AtomicUsize::new(0);
    let found = Mutex::new(BTreeMap::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(samples.len());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                engine::run_in_background();
                let (limits, mut builder) = (Limits::default(), Collector::new(Arc::clone(rule)));
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some((sample, loose)) = samples.get(number) else { return };
                    let facts = match larder.take(*sample) {
                        Some(facts) => Ok(facts),
                        None => one(engine, pool, loose, &limits, &mut builder),
                    };
                    found.lock().insert(number, facts);
                }
            });
        }
    });
    found.into_inner().into_values().collect()
}

fn one(
    engine: &Engine,
    pool: &Pool,
    loose: &Loose,
    limits: &Limits,
    builder: &mut Collector,
) -> Result<Facts, Failure> {
    // What is too large, or too small for a kind, is not scanned either.
    let Some(bytes) = bytes_of(engine, &loose.blake3, limits)?.filter(|bytes| bytes.len() >= KIND_BYTES_MIN) else {
        return Ok(Facts::default());
    };
    let facts = twice(|| {
        let walked = pool.walk_wholly(&bytes, limits, &mut |member| builder.take(&member));
        let facts = builder.finish();
        walked.map(|_| facts)
    });
    facts.map_err(failure)
}
