//! One alert by one method to one recipient.

use super::fold::Alert;
use super::teller::sentence;
use super::{mail, syslog, webhook};
use crate::config::policy::{is_address, is_url};
use crate::daemon::context::Context;
use crate::daemon::policy::{Method, Policy, Route};
use serde_json::json;
use std::fmt;

/// A method with a recipient; empty where the method needs none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Delivery {
    pub method: Method,
    pub recipient: String,
}

impl fmt::Display for Delivery {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.recipient.as_str() {
            "" => out.write_str(self.method.word()),
            recipient => write!(out, "{} to {recipient}", self.method.word()),
        }
    }
}

/// Why an alert did not arrive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It may arrive later.
    #[error("{0}")]
    Later(String),
    /// It never will: the settings do not allow it, or the other side said no for good.
    #[error("{0}")]
    Final(String),
}

impl Failure {
    /// Whether trying again is of no use.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Final(_))
    }
}

/// What a route comes to.
pub(super) fn deliveries(route: &Route) -> Vec<Delivery> {
    let mut methods = route.methods.clone();
    methods.sort_unstable();
    methods.dedup();
    let mut deliveries = Vec::new();
    for method in methods {
        let takes: fn(&str) -> bool = match method {
            Method::Email => is_address,
            Method::Webhook => is_url,
            Method::Console | Method::Broadcast | Method::Eventlog => {
                deliveries.push(Delivery { method, recipient: String::new() });
                continue;
            }
        };
        let recipients = route.recipients.iter().filter(|recipient| takes(recipient));
        deliveries.extend(recipients.map(|recipient| Delivery { method, recipient: recipient.clone() }));
    }
    deliveries
}

/// One attempt.
pub(super) async fn try_once(
    context: &Context,
    policy: &Policy,
    delivery: &Delivery,
    alert: &Alert,
) -> Result<(), Failure> {
    match delivery.method {
        Method::Console => {
            tracing::warn!(target: "lazaret::alert", number = alert.event.number(), "{}: {}", alert.event.name(), sentence(alert));
            Ok(())
        }
        Method::Broadcast => {
            context.events.told("alert", &told(alert));
            Ok(())
        }
        Method::Email => match &policy.alerts.mail {
            Some(server) => mail::send(server, &delivery.recipient, alert).await,
            None => {
                Err(Failure::Final("there is no mail server: set alerts.smtp_server and alerts.smtp_from".to_owned()))
            }
        },
        Method::Webhook => webhook::post(&delivery.recipient, &told(alert)).await,
        Method::Eventlog => syslog::write(&policy.alerts.syslog, alert),
    }
}

/// An alert for programs.
fn told(alert: &Alert) -> serde_json::Value {
    json!({
        "event": alert.event.id(),
        "number": alert.event.number(),
        "name": alert.event.name(),
        "text": alert.text,
        "items": alert.items,
        "count": alert.count,
        "first_at": alert.first_at,
        "at": alert.last_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_recipient_gets_what_it_can_take_once() {
        let route = Route {
            enabled: true,
            recipients: ["ann@example.org", "http://hook/1", "bob@example.org"].map(str::to_owned).to_vec(),
            methods: vec![Method::Webhook, Method::Console, Method::Email, Method::Email],
        };
        let told: Vec<String> = deliveries(&route).iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            ["console", "email to ann@example.org", "email to bob@example.org", "webhook to http://hook/1"]
        );
    }
}
