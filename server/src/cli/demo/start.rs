//! A server starts on an empty folder.

use super::stage::Stage;
use crate::cli::Failure;
use crate::config::amount::short_span;

/// The step.
///
/// # Errors
/// A check does not hold.
pub fn run(stage: &mut Stage) -> Result<(), Failure> {
    stage.narrator.command(&format!("lazaret serve --data {}", stage.data.display()))?;
    stage.start()?;
    let server = stage.server()?;
    let line = format!("pid {}, HTTP on {}, native intake on {}", server.pid(), server.http, server.intake);
    let ready = format!("ready {} after the process began", short_span(server.ready_after));
    stage.narrator.tell(&line)?;
    let client = stage.client()?;
    let accepts = stage.wait(async { client.open("/readyz").await }).is_ok();
    stage.narrator.check(accepts, &format!("{ready}, and it accepts samples"))
}
