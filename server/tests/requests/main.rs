//! What people decide while the server runs: [`items`] one by one or by a filter, [`clients`], [`policies`].

mod clients;
mod items;
mod policies;
#[path = "../support/mod.rs"]
mod support;

use server::daemon::{Role, ServeOptions};
use support::sets::{finds, scanning};
use support::{Server, token};

/// A server whose definitions, certified ones, find a wolf.
fn server() -> Server {
    let server = scanning(|_| {});
    server.install_ndb(1, &finds("Test.Wolf", "with a wolf"));
    server
}

/// Every role has a token of its name; ann and bob are operators.
fn roles(options: &mut ServeOptions) {
    options.tokens = vec![
        token("viewer", Role::Viewer),
        token("ann", Role::Operator),
        token("bob", Role::Operator),
        token("administrator", Role::Administrator),
        token("forwarder", Role::Forwarder),
        token("target", Role::Target),
    ];
}

/// A text in which nothing is found.
fn unknown(number: u64) -> Vec<u8> {
    format!("a text without one, number {number}").into_bytes()
}
