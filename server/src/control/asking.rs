//! What a person wants of items: decided and written as one, and answered.

use super::owner::Owner;
use super::request::{self, Ask};
use crate::daemon::clock;
use engine::catalogue::CatalogueError;

impl Owner {
    /// A request: decided and written as one, for whoever asked waits for what became of it.
    pub(super) fn asked(&mut self, ask: Ask) -> Result<(), CatalogueError> {
        let now = clock::now();
        let mut answers = Vec::with_capacity(ask.items.len());
        let (mut changes, mut owners) = (Vec::new(), Vec::new());
        for (at, item) in ask.items.iter().enumerate() {
            let decided = match self.engine.catalogue().standing(*item)? {
                None => Err("no item has this id".to_owned()),
                Some(standing) => request::decide(ask.request, *item, &standing, &self.ground, &ask.who, now),
            };
            answers.push(decided.map(|(own, moved)| {
                owners.extend(std::iter::repeat_n(at, own.len()));
                changes.extend(own);
                self.moved.extend(moved);
            }));
        }
        for (answer, at) in self.engine.catalogue().apply(changes)?.into_iter().zip(owners) {
            if let (Err(error), Some(slot)) = (answer, answers.get_mut(at)) {
                *slot = Err(error.to_string());
                self.moved.retain(|moved| moved.item != ask.items[at]);
            }
        }
        self.look = true;
        self.tell_moved();
        // Whoever asked may have gone away; what was done stands.
        let _ = ask.answers.send(answers);
        Ok(())
    }
}
