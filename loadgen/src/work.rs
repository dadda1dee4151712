//! What every lane of a run needs to know.

use crate::corpus::Corpus;
use crate::measure::Measure;
use crate::profile::Profile;
use crate::schedule::client;
use model::{Arrival, Blake3};
use tokio::time::Instant;

/// Shared by the lanes of one run; it does not change.
#[derive(Debug)]
pub struct Work {
    /// What the estate does.
    pub profile: Profile,
    /// The seed of everything drawn.
    pub seed: u64,
    /// What is sent.
    pub corpus: Corpus,
    /// What is counted.
    pub measure: Measure,
    /// Names this run: request numbers of two runs are never the same arrival.
    pub epoch: u64,
    /// Sent with every connection; empty where the server asks for none.
    pub token: String,
    /// Requests that have no answer by then are errors.
    pub deadline: Instant,
}

impl Work {
    /// The arrival as its client tells it.
    pub fn arrival(&self, index: u64) -> Arrival {
        let client = client(&self.profile, self.seed, index);
        Arrival {
            client: format!("host-{client:06}"),
            name: format!("C:\\Users\\u{client}\\Downloads\\sample-{:08}.exe", self.corpus.content(index)),
            reason: "could not be cleaned".to_owned(),
            platform: "windows-11".to_owned(),
            ..Arrival::default()
        }
    }
}

/// The digest that the server has to find too.
pub fn digest(body: &[u8]) -> Blake3 {
    Blake3(*blake3::hash(body).as_bytes())
}
