//! The daemon's options turned into the engine's settings, and the engine opened with them.

use crate::daemon::context::Context;
use crate::daemon::options::{self, ServeOptions, StoreOptions};
use anyhow::Context as _;
use engine::disk::{Disk, NullDisk};
use engine::{Engine, Settings};
use std::sync::Arc;

/// The engine's settings; what the options do not name stays at the engine's default.
pub fn settings(options: &StoreOptions) -> Settings {
    Settings {
        max_bytes: options.max_bytes,
        max_samples: options.max_samples,
        low_percent: options.low_percent,
        full: match options.full {
            options::FullPolicy::Reclaim => engine::FullPolicy::Reclaim,
            options::FullPolicy::Strict => engine::FullPolicy::Strict,
        },
        sample_bytes_max: options.sample_bytes_max,
        read: match options.read {
            options::ReadMode::Map => engine::ReadMode::Map,
            options::ReadMode::Pread => engine::ReadMode::Pread,
        },
        high_percent: options.high_percent,
        large_bytes_min: options.large_bytes_min,
        pack_threads: match options.pack_threads {
            0 => Settings::default().pack_threads,
            threads => threads,
        },
        finish: options.finish,
        scrub: options.scrub,
        scrub_bytes_per_s: options.scrub_bytes_per_s,
        client_share_percent: options.client_share_percent,
        catalogue_lag_max: options.catalogue_lag_max,
        ..Settings::default()
    }
}

/// Opens the data directory. Blocking: recovery reads what was written last.
///
/// # Errors
/// The disk cannot be used this way, or the directory does not open.
pub fn open(options: &ServeOptions, settings: Settings) -> anyhow::Result<Engine> {
    let disk = match options.store.io {
        options::IoMode::Auto => engine::disk(engine::IoMode::Auto),
        options::IoMode::Plain => engine::disk(engine::IoMode::Plain),
        options::IoMode::Uring => engine::disk(engine::IoMode::Uring),
        options::IoMode::Null => Ok(Arc::new(NullDisk) as Arc<dyn Disk>),
    };
    let disk = disk.context("cannot use the disk as configured")?;
    let data = &options.data;
    let (engine, recovery) = Engine::open(data, settings, disk)
        .with_context(|| format!("cannot open the data directory {}", data.display()))?;
    // There from the first start on, so that a key of definitions can just be put there.
    let keys = data.join("keys");
    std::fs::create_dir_all(&keys).with_context(|| format!("cannot make {}", keys.display()))?;
    tracing::info!(?recovery, data = %data.display(), "store opened");
    Ok(engine)
}

/// Lays what earlier runs stored over the configuration.
///
/// # Errors
/// The catalogue cannot be read.
pub fn restore_settings(context: &Context, engine: &Engine) -> anyhow::Result<()> {
    let stored = engine.catalogue().settings().context("cannot read the stored settings")?;
    let mut settings = context.settings.lock();
    for setting in stored {
        settings.restore(&setting.key, &setting.json, &setting.who);
    }
    settings.apply(engine);
    context.policy_changed(settings.policy()?);
    Ok(())
}
