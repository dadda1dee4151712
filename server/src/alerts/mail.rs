//! Alerts by mail.

use super::deliver::Failure;
use super::fold::Alert;
use super::teller::sentence;
use crate::daemon::policy::{Mail, MailSecurity};
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use std::time::Duration;

/// How long a mail server may take for each step.
const STEP_MAX: Duration = Duration::from_secs(15);

/// Sends an alert to one address.
pub(super) async fn send(server: &Mail, to: &str, alert: &Alert) -> Result<(), Failure> {
    let message = message(server, to, alert)?;
    match transport(server)?.send(message).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_permanent() => Err(Failure::Final(whole(&error))),
        Err(error) => Err(Failure::Later(whole(&error))),
    }
}

fn message(server: &Mail, to: &str, alert: &Alert) -> Result<Message, Failure> {
    let wrong = |what: String| Failure::Final(what);
    let from = server.from.parse().map_err(|error| wrong(format!("alerts.smtp_from: {error}")))?;
    let to = to.parse().map_err(|error| wrong(format!("{to}: {error}")))?;
    Message::builder()
        .from(lettre::message::Mailbox::new(Some("Lazaret".to_owned()), from))
        .to(lettre::message::Mailbox::new(None, to))
        .message_id(Some(format!("<{}@lazaret>", crate::security::secrets::name().unwrap_or_default())))
        .subject(format!("[Lazaret] {}", alert.event.name()))
        .header(ContentType::TEXT_PLAIN)
        .body(body(alert))
        .map_err(|error| wrong(error.to_string()))
}

fn body(alert: &Alert) -> String {
    format!(
        "{}\n\nQuarantine: {}\nEvent {}: {}\nMeaning: {}\nFirst: {}\nLast: {}\nTimes: {}\n",
        sentence(alert),
        computer(),
        alert.event.number(),
        alert.event.name(),
        alert.event.meaning(),
        alert.first_at,
        alert.last_at,
        alert.count,
    )
}

/// The name of this computer, for whoever gets mail from several.
fn computer() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").map_or_else(|_| "?".to_owned(), |name| name.trim().to_owned())
}

fn transport(server: &Mail) -> Result<AsyncSmtpTransport<Tokio1Executor>, Failure> {
    let (host, port) = host_and_port(&server.server);
    let tls = || TlsParameters::new(host.to_owned()).map_err(|error| Failure::Final(whole(&error)));
    let (tls, usual) = match server.security {
        MailSecurity::None => (Tls::None, 25),
        MailSecurity::Opportunistic => (Tls::Opportunistic(tls()?), 25),
        MailSecurity::Required => (Tls::Required(tls()?), 587),
        MailSecurity::Wrapped => (Tls::Wrapper(tls()?), 465),
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
        .port(port.unwrap_or(usual))
        .tls(tls)
        .timeout(Some(STEP_MAX));
    if !server.user.is_empty() {
        let password = match &server.password_file {
            None => String::new(),
            Some(path) => {
                crate::security::secrets::password(path).map_err(|error| Failure::Later(error.to_string()))?
            }
        };
        builder = builder.credentials(Credentials::new(server.user.clone(), password));
    }
    Ok(builder.build())
}

fn host_and_port(server: &str) -> (&str, Option<u16>) {
    match server.rsplit_once(':') {
        Some((host, port)) if !host.ends_with(':') => match port.parse() {
            Ok(port) => (host.trim_matches(['[', ']']), Some(port)),
            Err(_) => (server, None),
        },
        Some(_) | None => (server.trim_matches(['[', ']']), None),
    }
}

/// An error with its causes.
fn whole(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(&format!(": {cause_text}"));
        }
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_name_with_or_without_its_port() {
        assert_eq!(host_and_port("mail.example"), ("mail.example", None));
        assert_eq!(host_and_port("mail.example:2525"), ("mail.example", Some(2525)));
        assert_eq!(host_and_port("[::1]:25"), ("::1", Some(25)));
        assert_eq!(host_and_port("[::1]"), ("::1", None));
    }
}
