//! `items delete`: by number or by filter. Deleting an item that is not resolved loses the only copy of
//! something nobody has understood yet, so that is said first (first seed, "Deleting files").

use super::{FilterArgs, items_of, next_cursor, text};
use crate::cli::client::Client;
use crate::cli::screen::{Tone, escaped, spinner};
use crate::cli::{Failure, Shell, wait};
use crate::config::amount::grouped;
use model::Status;
use reqwest::Method;
use serde_json::{Value, json};

/// Numbers sent at once.
const BATCH: usize = 500;
/// Statuses in which an item needs nothing more.
const RESOLVED: [Status; 2] = [Status::Installed, Status::Unneeded];

/// The flags of [`FilterArgs`] by name. Without any of them nothing is selected: everything is never meant by
/// saying nothing.
pub const FILTER: [&str; 6] = ["status", "client", "digest", "signature", "since", "until"];

/// Flags of `items delete`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Items by number
    #[arg(required_unless_present_any = FILTER, conflicts_with_all = FILTER)]
    ids: Vec<u64>,
    /// Or all that this selects.
    #[command(flatten)]
    filter: FilterArgs,
}

/// Deletes items.
///
/// # Errors
/// The server does not answer or refuses, the person says no, or some items were not there.
pub fn run(shell: &Shell, args: &Args) -> Result<(), Failure> {
    let client = shell.client()?;
    let (count, unresolved) = wait(async { weigh(&client, args).await })?;
    if count == 0 {
        return Err(Failure::No("no item is selected, nothing was deleted".to_owned()));
    }
    let what = if count == 1 { "1 item".to_owned() } else { format!("{} items", grouped(count)) };
    if unresolved > 0 {
        let some = if unresolved == count {
            "none of it is resolved".to_owned()
        } else {
            format!("{} of them are not resolved", grouped(unresolved))
        };
        shell.screen.say(Tone::Warn, &format!("warning: {what}, {some}: the only copy of their samples may go"));
    }
    if shell.common.dry_run {
        if shell.screen.json {
            return shell.screen.value(&json!({"would_delete": count, "unresolved": unresolved}));
        }
        shell.screen.say(Tone::Faint, &format!("would delete {what}"));
        return Ok(());
    }
    shell.confirm(&format!("delete {what}?"))?;
    let (deleted, missing) = wait(async { delete(&client, args).await })?;
    if shell.screen.json {
        shell.screen.value(&json!({"deleted": deleted, "refused": missing}))?;
    } else {
        shell.screen.line(&format!("{} deleted", grouped(deleted)))?;
        for (id, why) in &missing {
            shell.screen.say(Tone::Bad, &format!("item {id}: {}", escaped(why)));
        }
    }
    if missing.is_empty() { Ok(()) } else { Err(Failure::Shown) }
}

/// How many items are selected and how many of them are not resolved.
async fn weigh(client: &Client, args: &Args) -> Result<(u64, u64), Failure> {
    if args.ids.is_empty() {
        let count = async |query: Vec<(&str, String)>| -> Result<u64, Failure> {
            let answer = client.get("/v1/items/count", &query).await?;
            Ok(answer.get("count").and_then(Value::as_u64).unwrap_or(0))
        };
        let query = args.filter.query()?;
        let all = count(query.clone()).await?;
        let asked = |status: &Status| args.filter.status.is_empty() || args.filter.status.contains(status);
        let mut resolved = 0;
        for status in RESOLVED.iter().filter(|status| asked(status)) {
            let mut query: Vec<_> = query.iter().filter(|(name, _)| *name != "status").cloned().collect();
            query.push(("status", status.name().to_owned()));
            resolved += count(query).await?;
        }
        return Ok((all, all.saturating_sub(resolved)));
    }
    let mut unresolved = 0;
    for id in &args.ids {
        match client.get(&format!("/v1/items/{id}"), &[]).await {
            Ok(item) => unresolved += u64::from(!RESOLVED.iter().any(|status| status.name() == text(&item, "/status"))),
            // The answer of the deletion names what is not there.
            Err(Failure::No(_)) => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok((args.ids.len() as u64, unresolved))
}

/// Deletes, and says how many went and which did not and why.
async fn delete(client: &Client, args: &Args) -> Result<(u64, Vec<(u64, String)>), Failure> {
    let (mut deleted, mut missing) = (0, Vec::new());
    if !args.ids.is_empty() {
        for batch in args.ids.chunks(BATCH) {
            deleted += act(client, batch, &mut missing).await?;
        }
        return Ok((deleted, missing));
    }
    // Page by page, each from the start: what is deleted leaves the list. An item that cannot be deleted stays
    // in front, so the cursor steps over those.
    let sign = spinner("delete");
    let mut query = args.filter.query()?;
    query.push(("limit", BATCH.to_string()));
    let mut cursor: Option<String> = None;
    loop {
        let mut page_query = query.clone();
        page_query.extend(cursor.iter().map(|cursor| ("cursor", cursor.clone())));
        let page = client.get("/v1/items", &page_query).await?;
        let ids: Vec<u64> = items_of(&page).iter().filter_map(|item| item.get("id")?.as_u64()).collect();
        if ids.is_empty() {
            sign.finish_and_clear();
            return Ok((deleted, missing));
        }
        deleted += act(client, &ids, &mut missing).await?;
        sign.set_message(format!("{} deleted", grouped(deleted)));
        match next_cursor(&page) {
            Some(next) => cursor = Some(next),
            None => {
                sign.finish_and_clear();
                return Ok((deleted, missing));
            }
        }
    }
}

/// One batch of deletions; gives how many went.
async fn act(client: &Client, ids: &[u64], missing: &mut Vec<(u64, String)>) -> Result<u64, Failure> {
    let answer = client.send(Method::POST, "/v1/items/actions", &json!({"action": "delete", "ids": ids})).await?;
    let results = answer.get("results").or_else(|| answer.get("items")).and_then(Value::as_array);
    let Some(results) = results else {
        return Ok(answer.get("done").and_then(Value::as_u64).unwrap_or(ids.len() as u64));
    };
    let mut done = 0;
    for result in results {
        let id = result.get("id").or_else(|| result.get("item")).and_then(Value::as_u64).unwrap_or(0);
        let well = result.get("done").and_then(Value::as_bool).unwrap_or_else(|| text(result, "/outcome") == "done");
        if well {
            done += 1;
        } else {
            let why = ["/refused", "/detail", "/reason"].iter().map(|at| text(result, at)).find(|why| !why.is_empty());
            missing.push((id, why.unwrap_or("there is no such item").to_owned()));
        }
    }
    Ok(done)
}
