//! Alerts: raised by what really happens, told by every method, folded, routed, tested.
//!
//! [`methods`] look at how they arrive, [`routes`] at who chooses that, [`causes`] at what raises them, [`timers`] at those
//! that time raises, and [`every`] at none of the 23 being forgotten.

mod causes;
mod every;
mod methods;
mod routes;
#[path = "../support/mod.rs"]
mod support;
mod timers;

use serde_json::{Value, json};
use support::Server;
use support::sets::{finds, scanning};

/// What [`held`] raises.
const HELD: &str = "held_for_submission";

/// A server whose definitions find a wolf, and whose alerts are not folded.
fn server() -> Server {
    let server = scanning(|_| {});
    server.set(&json!({"alerts.fold_s": 0}));
    server.install_ndb(1, &finds("Test.Wolf", "with a wolf"));
    server
}

/// An item that is held, for nothing is found in it and nothing is submitted by itself.
fn held(server: &Server, number: u64) -> Value {
    let item = server.store(format!("a text without one, number {number}").as_bytes());
    server.item_when(item, "Held")
}
