//! `lazaret items submit, deliver, restart, applied, query, priority`: by hand what policies do by themselves.

use super::FilterArgs;
use crate::cli::screen::{Tone, escaped};
use crate::cli::{Failure, Shell, wait};
use crate::config::amount::grouped;
use reqwest::Method;
use serde_json::{Map, Value, json};

/// Refusals that are shown; a script reads all of them with --json.
const SHOWN_MAX: usize = 20;

/// Which items, by number or all that a filter selects.
#[derive(Debug, clap::Args)]
pub struct Which {
    /// Items by number
    #[arg(required_unless_present_any = super::delete::FILTER, conflicts_with_all = super::delete::FILTER)]
    ids: Vec<u64>,
    /// Or all that this selects.
    #[command(flatten)]
    filter: FilterArgs,
}

/// Flags of `items submit`.
#[derive(Debug, clap::Args)]
pub struct Submit {
    /// Which items.
    #[command(flatten)]
    pub which: Which,
    /// Strip user data from these, whatever the policy says
    #[arg(long, conflicts_with = "whole")]
    strip: bool,
    /// Send these whole, whatever the policy says
    #[arg(long)]
    whole: bool,
}

/// Flags of `items priority`.
#[derive(Debug, clap::Args)]
pub struct Priority {
    /// Which items.
    #[command(flatten)]
    pub which: Which,
    /// X-Sample-Priority; above 0 queues what is held
    #[arg(long, value_name = "N", required_unless_present = "delivery")]
    submission: Option<u32>,
    /// X-Signatures-Priority; above 0 queues the delivery of definitions
    #[arg(long, value_name = "N")]
    delivery: Option<u32>,
}

/// Submits.
///
/// # Errors
/// The server does not answer or refuses, or some items are refused.
pub fn submit(shell: &Shell, args: &Submit) -> Result<(), Failure> {
    let mut more = Map::new();
    if args.strip || args.whole {
        more.insert("strip".to_owned(), args.strip.into());
    }
    act(shell, "submit", "queued for submission", &args.which, more)
}

/// Changes priorities.
///
/// # Errors
/// As [`submit`].
pub fn priority(shell: &Shell, args: &Priority) -> Result<(), Failure> {
    let mut more = Map::new();
    for (name, value) in [("submission", args.submission), ("delivery", args.delivery)] {
        if let Some(value) = value {
            more.insert(name.to_owned(), value.into());
        }
    }
    act(shell, "priority", "changed", &args.which, more)
}

/// Takes an action on items and says what became of it.
///
/// # Errors
/// As [`submit`].
pub fn act(shell: &Shell, action: &str, done: &str, which: &Which, more: Map<String, Value>) -> Result<(), Failure> {
    let mut body = more;
    body.insert("action".to_owned(), action.into());
    if which.ids.is_empty() {
        body.insert("filter".to_owned(), filter(&which.filter)?);
    } else {
        body.insert("ids".to_owned(), json!(which.ids));
    }
    if shell.common.dry_run {
        shell.screen.say(Tone::Faint, &format!("would ask for {}", Value::Object(body)));
        return Ok(());
    }
    let client = shell.client()?;
    let answer = wait(async { client.send(Method::POST, "/v1/items/actions", &Value::Object(body)).await })?;
    let number = |name: &str| answer.get(name).and_then(Value::as_u64).unwrap_or(0);
    if shell.screen.json {
        shell.screen.value(&answer)?;
    } else {
        shell.screen.line(&format!("{} {done}", grouped(number("done"))))?;
        let items = answer.get("items").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let refused = items.iter().filter_map(|item| Some((item.get("id")?, item.get("refused")?.as_str()?)));
        for (id, why) in refused.take(SHOWN_MAX) {
            shell.screen.say(Tone::Bad, &format!("item {id}: {}", escaped(why)));
        }
        if number("refused") > SHOWN_MAX as u64 {
            shell.screen.say(Tone::Bad, &format!("{} refused in all", grouped(number("refused"))));
        }
    }
    match (number("done"), number("refused")) {
        (0, 0) => Err(Failure::No("no item is selected".to_owned())),
        (_, 0) => Ok(()),
        _ => Err(Failure::Shown),
    }
}

/// The filter as the API takes it in a body.
fn filter(args: &FilterArgs) -> Result<Value, Failure> {
    let mut filter = Map::new();
    for (name, value) in args.query()? {
        if name == "status" {
            if let Value::Array(statuses) = filter.entry(name).or_insert_with(|| json!([])) {
                statuses.push(value.into());
            }
        } else {
            filter.insert(name.to_owned(), value.into());
        }
    }
    Ok(filter.into())
}
