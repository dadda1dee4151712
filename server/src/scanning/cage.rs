//! The cage, started when the first sample needs it: a server without definitions runs no worker.

use parking_lot::Mutex;
use scanner::cage::{Fault, Pool, Settings};
use std::path::PathBuf;
use std::sync::Arc;

/// Workers that open samples.
pub struct Cage {
    program: PathBuf,
    pool: Mutex<Option<Arc<Pool>>>,
}

impl Cage {
    /// Workers that are made by starting `program`, which must be a `lazaret`.
    pub fn new(program: PathBuf) -> Self {
        Self { program, pool: Mutex::default() }
    }

    /// The workers, started now if they are not.
    ///
    /// # Errors
    /// None can be started.
    pub fn pool(&self) -> Result<Arc<Pool>, Fault> {
        let mut pool = self.pool.lock();
        if let Some(pool) = &*pool {
            return Ok(Arc::clone(pool));
        }
        let settings = Settings::new(self.program.clone(), vec![crate::cli::CAGE_WORKER.to_owned()]);
        let started = Arc::new(Pool::start(settings)?);
        if let Some(missing) =
            started.confinement().map(|confinement| confinement.missing()).filter(|it| !it.is_empty())
        {
            tracing::warn!(missing = missing.join("; "), "workers that open samples are not wholly confined here");
        }
        *pool = Some(Arc::clone(&started));
        Ok(started)
    }
}
