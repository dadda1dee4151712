//! Making room: past the high watermark finished items are deleted, oldest first, under the `reclaim` policy.
//!
//! 1. An unresolved item is never among them.
//! 2. Under `strict` nothing is: only new definitions or an administrator free a place.

use engine::catalogue::Clients;
use engine::{Engine, FullPolicy, Level};
use model::{ItemId, Status};

/// Items of one round: few enough that a round takes milliseconds, so that it stops soon after there is room.
const ROUND_ITEMS: usize = 256;
/// What is finished: definitions installed or not needed, and what cannot finish by itself because the client takes none.
const FINISHED: [(Status, Clients); 4] = [
    (Status::Installed, Clients::All),
    (Status::Unneeded, Clients::All),
    (Status::Available, Clients::Nonmanaged),
    (Status::NotInstalled, Clients::Nonmanaged),
];

/// Whether the store is so full that finished items must go.
pub fn wanted(engine: &Engine) -> bool {
    engine.settings().full == FullPolicy::Reclaim && engine.quota().level >= Level::High
}

/// Deletes the oldest finished items; gives how many. Blocks. The engine's compaction then frees the space.
pub fn round(engine: &Engine) -> usize {
    let mut oldest: Vec<ItemId> = Vec::new();
    for (status, clients) in FINISHED {
        match engine.catalogue().oldest(status, clients, ROUND_ITEMS) {
            Ok(items) => oldest.extend(items),
            Err(error) => tracing::warn!(%error, "finished items cannot be looked up"),
        }
    }
    oldest.sort_unstable();
    oldest.truncate(ROUND_ITEMS);
    if oldest.is_empty() {
        return 0;
    }
    match engine.delete(&oldest, "reclaim") {
        Ok(gone) => {
            tracing::info!(items = gone.len(), "finished items made room");
            gone.len()
        }
        Err(error) => {
            tracing::warn!(%error, "finished items could not be deleted");
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::catalogue::StatusChange;
    use engine::{Ask, Settings, Submission, SubmitError};
    use model::{Arrival, Attributes, Timestamp};
    use std::time::Duration;

    fn put(engine: &Engine, seed: u64) -> Result<ItemId, SubmitError> {
        let mut body = engine.buffer(20_000);
        let mut state = seed | 1;
        body.extend((0..20_000).map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        }));
        let permit = engine.admit(&Ask { raw_bytes: 20_000, known: false, client: "c" })?;
        let arrival = Arrival { client: "c".to_owned(), ..Arrival::default() };
        engine.put(Submission { permit, body, arrival, expected: None }).map(|stored| stored.item)
    }

    fn finish(engine: &Engine, item: ItemId) {
        let change = StatusChange {
            item,
            from: Status::Quarantined,
            to: Status::Unneeded,
            attributes: Attributes::default(),
            priority_override: None,
            basis: model::lifecycle::Basis::Detection,
            send_again_count: 0,
            verdict: None,
            at: Timestamp(1),
            who: "test".to_owned(),
            what: "not needed".to_owned(),
        };
        engine.catalogue().change_status(change).unwrap();
    }

    fn full_store(dir: &std::path::Path, full: FullPolicy) -> (Engine, Vec<ItemId>) {
        let settings = Settings {
            max_bytes: 6 << 20,
            full,
            segment_bytes: Some(256 << 10),
            prepare_bytes: 0,
            scrub: false,
            ..Settings::default()
        };
        let (engine, _) = Engine::open(dir, settings, engine::disk(engine::IoMode::Plain).unwrap()).unwrap();
        let items: Vec<_> = (0..10_000).map_while(|seed| put(&engine, seed).ok()).collect();
        assert!(engine.catalogue().reach(items[items.len() - 1].0, Duration::from_secs(20)));
        (engine, items)
    }

    #[test]
    fn finished_items_make_room_oldest_first_and_unresolved_ones_stay() {
        let dir = tempfile::tempdir().unwrap();
        let (engine, items) = full_store(dir.path(), FullPolicy::Reclaim);
        assert!(wanted(&engine));
        assert_eq!(round(&engine), 0, "nothing is finished yet, so nothing goes");
        let finished: Vec<_> = items.iter().step_by(2).copied().collect();
        finished.iter().for_each(|item| finish(&engine, *item));
        while round(&engine) > 0 {}
        engine.tidy();
        assert!(!wanted(&engine), "{:?}", engine.quota());
        put(&engine, 1 << 40).unwrap();
        for item in items.iter().skip(1).step_by(2) {
            assert!(engine.catalogue().item(*item).unwrap().is_some(), "unresolved item {item} is gone");
        }
    }

    #[test]
    fn under_strict_nothing_goes_by_itself() {
        let dir = tempfile::tempdir().unwrap();
        let (engine, items) = full_store(dir.path(), FullPolicy::Strict);
        items.iter().for_each(|item| finish(&engine, *item));
        assert!(!wanted(&engine));
    }
}
