//! The permit of one arrival, for both protocols. A store that is busy for a moment is asked again for a moment: while
//! that lasts the sender is not read, which is what slows it, and a client without a retry of its own is spared one.

use crate::daemon::context::Context;
use engine::{Ask, Engine, Permit, Refusal, SlowReason};
use std::time::Duration;

/// How often a busy store is asked again before the client is told to slow down: 200 ms in all.
const BUSY_TRIES: u32 = 100;
/// How long between two times: a batch takes about this long.
const BUSY_PAUSE: Duration = Duration::from_millis(2);

/// Admits `ask`, or says what stands against it.
///
/// # Errors
/// As [`Engine::admit`] says; slow down only after the store stayed busy.
pub async fn admit(context: &Context, engine: &Engine, ask: Ask<'_>) -> Result<Permit, Refusal> {
    let mut tries = BUSY_TRIES;
    loop {
        let decided = match ask.known {
            false if ask.raw_bytes > context.large_bytes_min => admit_stream(engine, ask),
            true | false => engine.admit(&ask),
        };
        match decided {
            Err(Refusal::SlowDown { .. }) if tries > 0 => {
                tries -= 1;
                tokio::time::sleep(BUSY_PAUSE).await;
            }
            decided => return decided,
        }
    }
}

/// A stream is refused when it could not fit now, and else granted a permit without bytes: its reservation grows ahead
/// of what is written, and it holds no more than a part in memory.
fn admit_stream(engine: &Engine, ask: Ask<'_>) -> Result<Permit, Refusal> {
    match engine.admit(&ask) {
        Ok(whole) => drop(whole),
        // Its length alone may be more than all bodies in memory may be together.
        Err(Refusal::SlowDown { reason: SlowReason::InFlight, .. }) => {}
        Err(refusal) => return Err(refusal),
    }
    engine.admit(&Ask { raw_bytes: 0, ..ask })
}
