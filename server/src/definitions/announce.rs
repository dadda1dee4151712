//! Whoever listens is told that another set is in use, and stored samples are tested again.

use super::Installed;
use crate::daemon::clock;
use crate::daemon::context::Context;
use engine::catalogue::Own;
use serde_json::{Value, json};

/// Tells, in the log first; what was told.
pub async fn announce(context: &Context, installed: &Installed, who: &str) -> Value {
    let Installed { sequence, before, signatures, complaints } = installed;
    let told = json!({
        "sequence": sequence, "before": before, "signatures": signatures, "complaints": complaints, "who": who,
    });
    let what = format!("definitions {} are in use, {signatures} signatures", sequence.0);
    let change = Own::Logged { at: clock::now(), who: who.to_owned(), what };
    // The set is in use whatever the log says.
    if let Err(error) = context.read(move |catalogue| catalogue.apply(vec![change])).await {
        tracing::warn!(%error, "the install of definitions is not in the log");
    }
    context.events.told("definitions", &told);
    context.retests.look();
    context.ring();
    told
}
