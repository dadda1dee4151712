//! From settings to the policy that holds while the server runs. What does not fit is named by its key.

use super::settings::Settings;
use crate::daemon::policy::{Alerts, Gateway, Install, Mail, MailSecurity, Method, Policy, Proxy, Route, TooLong};
use gateway::Customer;
use model::Event;
use std::path::PathBuf;
use std::time::Duration;

/// A key whose value cannot be used, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The key.
    pub key: String,
    /// A sentence with the key in it.
    pub message: String,
}

/// The policy that these settings are.
///
/// # Errors
/// Every key that does not fit.
pub fn policy(settings: &Settings) -> Result<Policy, Vec<Misfit>> {
    let mut misfits = Vec::new();
    limits(settings, &mut misfits);
    customer(settings, &mut misfits);
    let policy = Policy {
        automatic: settings.flag("sample_policy.automatic"),
        queue_check_interval: interval(settings, "sample_policy.queue_check_interval_s", &mut misfits),
        status_query_interval: interval(settings, "sample_policy.status_query_interval_s", &mut misfits),
        unrepairable_is_unknown: settings.flag("sample_policy.unrepairable_is_unknown"),
        strip_user_data: settings.flag("sample_policy.strip_user_data"),
        gateway: gateway(settings, &mut misfits),
        customer: customer(settings, &mut Vec::new()),
        certified_interval: interval(settings, "definition_policy.certified_interval_min", &mut misfits),
        receive_only: settings.flag("definition_policy.receive_only"),
        certified: install(settings, "install.certified"),
        noncertified: install(settings, "install.noncertified"),
        too_long: TooLong {
            available: settings.span("too_long.available"),
            distributed: settings.span("too_long.distributed"),
            needed: settings.span("too_long.needed"),
            released: settings.span("too_long.released"),
            submitted: settings.span("too_long.submitted"),
            quarantined: settings.span("too_long.quarantined"),
        },
        alerts: Alerts {
            routes: Event::ALL.into_iter().map(|event| route(settings, event, &mut misfits)).collect(),
            fold: settings.span("alerts.fold_s"),
            mail: mail(settings, &mut misfits),
            syslog: settings.path("alerts.syslog").unwrap_or_default(),
            download_locations: settings.list("alerts.download_locations").to_vec(),
        },
    };
    if misfits.is_empty() { Ok(policy) } else { Err(misfits) }
}

/// The least that works: a store of a few megabytes cannot hold a segment.
const MAX_BYTES_MIN: u64 = 1 << 20;

fn limits(settings: &Settings, misfits: &mut Vec<Misfit>) {
    let bytes = settings.number("general.max_bytes");
    if bytes < MAX_BYTES_MIN {
        misfit(misfits, "general.max_bytes", format!("is {bytes}: at least {MAX_BYTES_MIN} bytes are needed"));
    }
    let (low, high) = (settings.number("general.low_percent"), settings.number("general.high_percent"));
    if low > high {
        misfit(misfits, "general.low_percent", format!("is {low}, above general.high_percent, which is {high}"));
    }
}

fn interval(settings: &Settings, key: &str, misfits: &mut Vec<Misfit>) -> Duration {
    let span = settings.span(key);
    if span.is_zero() {
        misfit(misfits, key, "is 0: the least is a second".to_owned());
    }
    span
}

fn gateway(settings: &Settings, misfits: &mut Vec<Misfit>) -> Option<Gateway> {
    let key = "web_communication.gateway";
    let name = settings.text(key);
    let proxy = proxy(settings, misfits);
    if name.is_empty() {
        return None;
    }
    if !is_host(name) {
        misfit(misfits, key, format!("is \"{name}\": a computer's name or address, or NAME:PORT, is expected"));
    }
    let key = "web_communication.download_gateway";
    let download = settings.text(key);
    if !download.is_empty() && !is_host(download) {
        misfit(misfits, key, format!("is \"{download}\": a computer's name or address, or NAME:PORT, is expected"));
    }
    Some(Gateway {
        name: name.to_owned(),
        download: if download.is_empty() { name.to_owned() } else { download.to_owned() },
        secure_submission: settings.flag("web_communication.secure_submission"),
        secure_download: settings.flag("web_communication.secure_download"),
        ca_file: settings.path("web_communication.ca_file"),
        request_max: interval(settings, "web_communication.request_max_s", misfits),
        proxy,
    })
}

fn proxy(settings: &Settings, misfits: &mut Vec<Misfit>) -> Option<Proxy> {
    let name = settings.text("firewall.name");
    if name.is_empty() {
        return None;
    }
    if !is_host(name) || name.contains(':') && !name.starts_with('[') {
        misfit(
            misfits,
            "firewall.name",
            format!("is \"{name}\": a computer's name or address without its port is expected"),
        );
    }
    Some(Proxy {
        name: name.to_owned(),
        // Bounded by its shape.
        port: u16::try_from(settings.number("firewall.port")).unwrap_or(u16::MAX),
        user: settings.text("firewall.user").to_owned(),
        password_file: settings.path("firewall.password_file"),
    })
}

/// Whether a text can stand between `http://` and a path.
fn is_host(text: &str) -> bool {
    reqwest::Url::parse(&format!("http://{text}/")).is_ok_and(|url| {
        url.path() == "/"
            && url.username().is_empty()
            && url.host_str().is_some()
            && !text.contains(['/', '?', '#', '@'])
    })
}

fn customer(settings: &Settings, misfits: &mut Vec<Misfit>) -> Customer {
    let mut text = |key: &str| {
        let text = settings.text(key);
        if text.len() > gateway::CUSTOMER_BYTES_MAX {
            misfit(misfits, key, format!("is longer than {} bytes", gateway::CUSTOMER_BYTES_MAX));
        }
        text.to_owned()
    };
    Customer {
        company: text("customer.company"),
        account: text("customer.account"),
        contact: text("customer.contact"),
        telephone: text("customer.telephone"),
        email: text("customer.email"),
    }
}

fn install(settings: &Settings, table: &str) -> Install {
    Install {
        selected_targets: settings.list(&format!("{table}.selected_targets")).to_vec(),
        on_clients: settings.flag(&format!("{table}.on_clients")),
        on_parent_servers: settings.flag(&format!("{table}.on_parent_servers")),
    }
}

fn route(settings: &Settings, event: Event, misfits: &mut Vec<Misfit>) -> Route {
    let key = |last: &str| format!("alerting.{}.{last}", event.id());
    let mut methods = Vec::new();
    for word in settings.list(&key("methods")) {
        match Method::named(word) {
            Some(method) => methods.push(method),
            None => {
                let known = Method::ALL.map(Method::word).join(", ");
                misfit(misfits, &key("methods"), format!("names \"{word}\": the methods are {known}"));
            }
        }
    }
    let recipients = settings.list(&key("recipients")).to_vec();
    for recipient in recipients.iter().filter(|text| !is_address(text) && !is_url(text)) {
        let message = format!("names \"{recipient}\": a mail address, or a URL of a webhook, is expected");
        misfit(misfits, &key("recipients"), message);
    }
    Route { enabled: settings.flag(&key("enabled")), recipients, methods }
}

/// Whether a recipient gets mail.
pub fn is_address(text: &str) -> bool {
    !is_url(text) && text.parse::<lettre::Address>().is_ok()
}

/// Whether a recipient is a webhook.
pub fn is_url(text: &str) -> bool {
    reqwest::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn mail(settings: &Settings, misfits: &mut Vec<Misfit>) -> Option<Mail> {
    let server = settings.text("alerts.smtp_server");
    if server.is_empty() {
        return None;
    }
    if !is_host(server) {
        misfit(misfits, "alerts.smtp_server", format!("is \"{server}\": NAME or NAME:PORT is expected"));
    }
    let from = settings.text("alerts.smtp_from");
    if !is_address(from) {
        misfit(
            misfits,
            "alerts.smtp_from",
            format!("is \"{from}\": a mail address is expected, for alerts.smtp_server is set"),
        );
    }
    Some(Mail {
        server: server.to_owned(),
        from: from.to_owned(),
        user: settings.text("alerts.smtp_user").to_owned(),
        password_file: settings.path("alerts.smtp_password_file"),
        security: match settings.text("alerts.smtp_security") {
            "none" => MailSecurity::None,
            "required" => MailSecurity::Required,
            "wrapped" => MailSecurity::Wrapped,
            _ => MailSecurity::Opportunistic,
        },
    })
}

/// Names the users of policies would miss a path by.
pub fn files(policy: &Policy) -> impl Iterator<Item = (&'static str, &PathBuf)> {
    let gateway = policy.gateway.as_ref();
    let proxy = gateway.and_then(|gateway| gateway.proxy.as_ref());
    [
        ("web_communication.ca_file", gateway.and_then(|gateway| gateway.ca_file.as_ref())),
        ("firewall.password_file", proxy.and_then(|proxy| proxy.password_file.as_ref())),
        ("alerts.smtp_password_file", policy.alerts.mail.as_ref().and_then(|mail| mail.password_file.as_ref())),
    ]
    .into_iter()
    .filter_map(|(key, path)| Some((key, path?)))
}

fn misfit(misfits: &mut Vec<Misfit>, key: &str, rest: String) {
    misfits.push(Misfit { key: key.to_owned(), message: format!("{key} {rest}") });
}

#[cfg(test)]
mod tests {
    use super::super::read::read_text;
    use super::*;

    fn misfits(text: &str) -> Vec<String> {
        let settings = read_text(text).expect("each key alone is fine");
        policy(&settings).err().unwrap_or_default().into_iter().map(|one| one.message).collect()
    }

    #[test]
    fn the_defaults_are_a_policy_that_sends_nothing_out() {
        let policy = policy(&Settings::default()).expect("defaults fit");
        assert!(!policy.automatic && policy.gateway.is_none() && policy.strip_user_data);
        assert_eq!(policy.certified_interval, Duration::from_secs(1440 * 60));
        assert!(Event::ALL.into_iter().all(|event| policy.alerts.route(event).enabled));
    }

    #[test]
    fn what_does_not_fit_is_named_by_its_key() {
        for (text, key) in [
            ("web_communication.gateway = 'http://a/'", "web_communication.gateway"),
            ("web_communication.gateway = 'a b'", "web_communication.gateway"),
            ("firewall.name = 'proxy:3128'", "firewall.name"),
            ("sample_policy.queue_check_interval_s = 0", "sample_policy.queue_check_interval_s"),
            ("alerting.quota_low.methods = ['pigeon']", "alerting.quota_low.methods"),
            ("alerting.quota_low.recipients = ['ann']", "alerting.quota_low.recipients"),
            ("alerts.smtp_server = 'mail'", "alerts.smtp_from"),
        ] {
            let found = misfits(text);
            assert!(found.len() == 1 && found[0].starts_with(&format!("{key} ")), "{text}: {found:?}");
        }
        assert_eq!(misfits("web_communication.gateway = 'centre.example:8750'"), Vec::<String>::new());
        assert_eq!(misfits("firewall.name = '[::1]'\nweb_communication.gateway = '[::1]:1'"), Vec::<String>::new());
    }
}
