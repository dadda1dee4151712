//! Alerts as a POST of JSON: to a pager, a chat, a ticket system.

use super::deliver::Failure;
use serde_json::Value;
use std::sync::OnceLock;
use std::time::Duration;

/// How long a webhook may take.
const REQUEST_MAX: Duration = Duration::from_secs(15);

/// Posts an alert.
pub(super) async fn post(url: &str, alert: &Value) -> Result<(), Failure> {
    let response = client()?.post(url).json(alert).send().await.map_err(|error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        Failure::Later(if error.is_timeout() {
            "it did not answer in time".to_owned()
        } else {
            format!("{}: {cause}", error.without_url())
        })
    })?;
    let status = response.status();
    // What is wrong with us will be wrong with us again, but for "too many requests" and "time out".
    match status.as_u16() {
        200..=299 => Ok(()),
        408 | 425 | 429 | 500..=599 => Err(Failure::Later(format!("it answered {status}"))),
        _ => Err(Failure::Final(format!("it answered {status}"))),
    }
}

fn client() -> Result<&'static reqwest::Client, Failure> {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    if let Some(client) = CLIENT.get() {
        return Ok(client);
    }
    let _ = crate::security::tls::provider();
    let built = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(REQUEST_MAX)
        .no_proxy()
        .build()
        .map_err(|error| Failure::Later(error.to_string()))?;
    Ok(CLIENT.get_or_init(|| built))
}
