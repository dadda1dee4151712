//! `lazaret items`: what is in quarantine.

mod act;
mod delete;
mod filter;
mod list;
mod repair;
mod restore;
mod show;

pub use filter::FilterArgs;
pub use list::as_table;

use super::{Failure, Shell};
use serde_json::{Map, Value};
use std::path::PathBuf;

/// Commands on items.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List items, the newest first
    List(list::Args),
    /// Everything known of one item
    Show {
        /// The item
        id: u64,
    },
    /// Count items
    Count(FilterArgs),
    /// Write an item's sample to this computer, as it came in, without repair
    Restore {
        /// The item
        id: u64,
        /// Where to
        #[arg(long, value_name = "PATH")]
        to: PathBuf,
    },
    /// Repair items' samples with the definitions in use, and write the results to this computer
    Repair {
        /// The items
        #[arg(required = true, value_name = "ID")]
        ids: Vec<u64>,
        /// The folder to put them into
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
    /// Delete items, by number or all that a filter selects
    Delete(delete::Args),
    /// Queue items for the analysis centre
    Submit(act::Submit),
    /// Queue the delivery of definitions to the clients of items
    Deliver(act::Which),
    /// Begin again with items, as if they had just come in
    Restart(act::Which),
    /// Say that the definitions were applied on the clients of items by other means
    Applied(act::Which),
    /// Ask the analysis centre about items, and for their definitions, now
    Query(act::Which),
    /// Change the place of items in the queues for submission and delivery
    Priority(act::Priority),
}

/// Runs a command.
///
/// # Errors
/// The server does not answer or refuses, or the answer is no.
pub fn run(shell: &Shell, command: Command) -> Result<(), Failure> {
    match command {
        Command::List(args) => list::run(shell, &args),
        Command::Show { id } => show::run(shell, id),
        Command::Count(filter) => list::count(shell, &filter),
        Command::Restore { id, to } => restore::run(shell, id, &to),
        Command::Repair { ids, to } => repair::run(shell, &ids, &to),
        Command::Delete(args) => delete::run(shell, &args),
        Command::Submit(args) => act::submit(shell, &args),
        Command::Deliver(which) => act::act(shell, "deliver", "queued for delivery", &which, Map::new()),
        Command::Restart(which) => act::act(shell, "restart", "restarted", &which, Map::new()),
        Command::Applied(which) => act::act(shell, "applied", "declared applied", &which, Map::new()),
        Command::Query(which) => act::act(shell, "query", "queried", &which, Map::new()),
        Command::Priority(args) => act::priority(shell, &args),
    }
}

/// Where the next page begins.
#[must_use]
pub fn next_cursor(page: &Value) -> Option<String> {
    ["next_cursor", "cursor", "next"].iter().find_map(|name| page.get(name)?.as_str()).map(str::to_owned)
}

/// The items of a page.
#[must_use]
pub fn items_of(page: &Value) -> &[Value] {
    page.get("items").unwrap_or(page).as_array().map_or(&[], Vec::as_slice)
}

/// A text of an item, by the names on the way to it.
#[must_use]
pub fn text<'a>(item: &'a Value, pointer: &str) -> &'a str {
    item.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
