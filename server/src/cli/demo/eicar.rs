//! One sample, three items.

use super::corpus;
use super::stage::{Parcel, Stage};
use crate::cli::Failure;
use crate::cli::items;

/// Who forwards it.
const CLIENTS: [(&str, &str); 3] = [
    ("mail-gateway", "/var/spool/mail/attachment-17/invoice.com"),
    ("desk-0042", "C:\\Users\\anna\\Downloads\\invoice.com"),
    ("desk-1337", "D:\\invoice (1).com"),
];

/// The step.
///
/// # Errors
/// A check does not hold.
pub fn run(stage: &mut Stage) -> Result<(), Failure> {
    let content = bytes::Bytes::from(corpus::eicar());
    let client = stage.client()?;
    let mut outcomes = Vec::new();
    for (at, (name, path)) in CLIENTS.iter().enumerate() {
        let parcel = Parcel {
            client: (*name).to_owned(),
            name: (*path).to_owned(),
            content: content.clone(),
            key: format!("eicar-{at}"),
        };
        let (acks, failure) = stage.forward(&client, vec![parcel], 1);
        if let Some(failure) = failure {
            return Err(failure);
        }
        for ack in acks {
            stage.truth.acked(ack.item, ack.digest, ack.bytes);
            let sent = if ack.sent == 0 { "no body sent".to_owned() } else { format!("{} bytes sent", ack.sent) };
            stage.narrator.tell(&format!("{name:<13} item {:<4} {:<10} {sent}", ack.item, ack.outcome))?;
            outcomes.push(ack.outcome);
        }
    }
    stage.narrator.check(
        outcomes == ["stored", "duplicate", "duplicate"],
        "the first copy is stored, the others are duplicates",
    )?;
    let samples = stage.quota("used_samples")?;
    stage.narrator.check(samples == 1, &format!("{samples} sample holds {} items", outcomes.len()))?;
    stage.narrator.command("lazaret items list")?;
    let page = stage.get("/v1/items", &[])?;
    for line in items::as_table(items::items_of(&page)).lines(stage.width()) {
        stage.narrator.tell(&line)?;
    }
    Ok(())
}
