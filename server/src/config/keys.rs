//! Every key of `lazaret.toml`: what it may hold, its default and the reason for that default, and whether
//! this version acts on it. This is the one place where a default is written down.
//!
//! 1. A name appears once, as `table.key`; a unit is the last part of a name unless the value carries it.
//! 2. A default is written as it would stand in the file and fits its shape (a test reads each).
//! 3. A key that has no effect yet names what it waits for, and `config check` repeats that to the person.

use super::shape::{Shape, Unit};
use model::Event;

/// One key.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// `table.key`.
    pub name: &'static str,
    /// What it may hold.
    pub shape: Shape,
    /// As it would stand in the file.
    pub default: &'static str,
    /// Whether this version acts on it.
    pub effect: Effect,
    /// What it does and why the default is what it is.
    pub about: &'static str,
}

/// Whether this version acts on a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It does, from the start of the server on.
    Now,
    /// It does, and it can be changed at run time: such a change is stored and wins over the file.
    Stored,
    /// It is read and checked only; this names what it waits for.
    Later(&'static str),
}

const MAIL: Effect = Effect::Later("e-mail-based scan and deliver");
const DELIVERY: Effect = Effect::Later("delivery of definitions");
const DOORS: Effect = Effect::Later("the doors of other products (clamd, ICAP, SMTP, S3)");
const AGENT: Effect = Effect::Later("the agent");

const fn key(name: &'static str, shape: Shape, default: &'static str, effect: Effect, about: &'static str) -> Key {
    Key { name, shape, default, effect, about }
}

use Effect::{Now, Stored};
use Shape::{Address, Bytes, Choice, Count, Flag, List, Path, Percent, Span, Text};

/// Every key but those of [`EVENT_KEYS`], in the order in which `config show` prints them.
#[rustfmt::skip]
pub const KEYS: &[Key] = &[
    // The quarantine itself (first seed, General tab).
    key("general.data", Path, "'lazaret-data'", Now, "folder of the quarantine; beside the server when a newcomer starts it"),
    key("general.transport", Choice(&["internet", "email"]), "'internet'", Now, "how samples reach the analysis centre; the two exclude one another"),
    key("general.max_bytes", Bytes, "'16 GiB'", Stored, "bytes on disk at most; leaves room on an ordinary disk of 32 GB, and a large estate sets its own"),
    key("general.max_samples", Count(1, 10_000_000_000), "10_000_000", Stored, "samples at most; 20 bytes of memory each, so 200 MB at the default"),
    key("general.low_percent", Percent, "80", Stored, "above this share of either maximum the alert of a low quota is raised; leaves a fifth to react in"),
    key("general.high_percent", Percent, "90", Stored, "above this share the server takes samples slower; the last tenth is for the tail of an outbreak"),
    key("general.full", Choice(&["reclaim", "strict"]), "'reclaim'", Now, "what a full store does: finished samples make room, or nothing new is taken until someone purges"),
    key("general.sample_bytes_max", Bytes, "'1 GiB'", Now, "one sample at most, plain bytes; disk images and archives fit, a runaway upload does not"),
    key("general.read", Choice(&["map", "pread"]), "'map'", Now, "how sealed segments are read; pread for hosts where a mapping's fault must not reach the process"),
    key("general.io", Choice(&["auto", "plain", "uring"]), "'auto'", Now, "how files are written; auto probes, because many container hosts forbid io_uring"),
    // The store's own work.
    key("store.large_bytes_min", Bytes, "'8 MiB'", Now, "samples above this stream into a file of their own; the largest batch of the log"),
    key("store.pack_threads", Count(0, 1024), "0", Now, "threads that hash, compress and seal; 0 takes as many as there are cores"),
    key("store.finish", Flag, "true", Now, "recompress settled segments in the background; what a burst stored lightly shrinks"),
    key("store.scrub", Flag, "true", Now, "read segments in the background to find damage before somebody needs the sample"),
    key("store.scrub_bytes_per_s", Bytes, "'8 MiB'", Now, "bytes a second that the scrub reads; a day for 675 GiB, a few percent of a disk"),
    key("store.client_share_percent", Percent, "100", Now, "share of the bytes that one client may take above the low watermark; no limit, because many estates have one gateway that sends nearly everything"),
    key("store.catalogue_lag_max", Count(1, 10_000_000), "250_000", Now, "changes the catalogue may be behind the log before intake slows down; four seconds of its work, 125 MB of memory"),
    // Re-tests.
    key("retest.shelf_bytes", Bytes, "'64 MiB'", Now, "plain bytes of samples that are indexed together; fewer are scanned whenever definitions change, a second's work"),
    key("retest.index_bits_per_kib", Count(64, 8192), "1024", Now, "size of that index, 12.5 % of plain bytes; with half of it ten new signatures read five times as many blocks"),
    // Doors.
    key("listen.http.address", Address, "'127.0.0.1:8740'", Now, "HTTP API; loopback, because beyond it TLS and tokens are needed"),
    key("listen.http.tls", Flag, "false", Now, "speak TLS with the certificate of [security]; off, because a newcomer has no certificate"),
    key("listen.intake.address", Address, "'127.0.0.1:8741'", Now, "native intake protocol; loopback, as above"),
    key("listen.intake.tls", Flag, "false", Now, "speak TLS with the certificate of [security]"),
    key("listen.defcast.address", Address, "'127.0.0.1:8742'", DELIVERY, "definitions to targets; loopback, as above"),
    key("listen.defcast.tls", Flag, "false", DELIVERY, "speak TLS with the certificate of [security]"),
    key("listen.clamd.address", Address, "''", DOORS, "clamd protocol; shut until somebody needs it"),
    key("listen.clamd.tls", Flag, "false", DOORS, "speak TLS with the certificate of [security]"),
    key("listen.icap.address", Address, "''", DOORS, "ICAP; shut until somebody needs it"),
    key("listen.icap.tls", Flag, "false", DOORS, "speak TLS with the certificate of [security]"),
    key("listen.smtp.address", Address, "''", DOORS, "SMTP and LMTP; shut until somebody needs it"),
    key("listen.smtp.tls", Flag, "false", DOORS, "speak TLS with the certificate of [security]"),
    key("listen.s3.address", Address, "''", DOORS, "S3 PUT; shut until somebody needs it"),
    key("listen.s3.tls", Flag, "false", DOORS, "speak TLS with the certificate of [security]"),
    // Who may do what.
    key("security.tokens_file", Path, "''", Now, "TOML file of token hashes with their roles; without it whoever reaches a door may do everything, which is why such a server stays on loopback"),
    key("security.certificate_file", Path, "''", Now, "PEM certificate chain, the server's own first"),
    key("security.key_file", Path, "''", Now, "PEM private key of that certificate"),
    key("security.client_ca_file", Path, "''", Now, "PEM authorities; when set, a client must show a certificate that one of them signed"),
    key("security.definitions_keys", List, "[]", Now, "public keys, or folders of them, whose definitions are taken; those in keys/ of the quarantine's folder are taken as well"),
    key("security.allow_insecure", Flag, "false", Now, "open doors beyond loopback without TLS and tokens; off, because samples are live malware"),
    // What a stranger may cost.
    key("limits.http_connections_max", Count(1, 1_000_000), "10_000", Now, "open HTTP connections; the smallest real estate has 10,000 clients"),
    key("limits.intake_connections_max", Count(1, 1_000_000), "20_000", Now, "open connections of the native protocol; they stay open while idle"),
    key("limits.header_timeout_s", Span(Unit::Seconds), "10", Now, "a request's head must be complete by then; a slow network needs one second"),
    key("limits.keep_alive_s", Span(Unit::Seconds), "75", Now, "a connection without a request is closed after that; longer than a gateway's pause between two files"),
    key("limits.body_idle_s", Span(Unit::Seconds), "20", Now, "a body must bring a byte this often; a stalled sender holds a place in the quota"),
    key("limits.body_rate_min", Bytes, "'1 KiB'", Now, "bytes a second that a body must bring on average; the slowest modem does"),
    key("limits.intake_idle_s", Span(Unit::Seconds), "120", Now, "a silent connection of the native protocol is closed after that"),
    key("limits.drain_s", Span(Unit::Seconds), "20", Now, "requests in flight have this long to end after a signal; a service manager waits 90"),
    // Policy towards the centre (first seed, Sample Policy tab).
    key("sample_policy.automatic", Flag, "false", Stored, "X-Sample-Priority of a fresh item is 1 instead of 0; off, because submission sends files out of the house"),
    key("sample_policy.queue_check_interval_s", Span(Unit::Seconds), "60", Stored, "how often queued items are looked for; a minute is short beside an analysis"),
    key("sample_policy.status_query_interval_s", Span(Unit::Seconds), "300", Stored, "how often the gateway is asked about submitted items; an analysis takes minutes at best"),
    key("sample_policy.unrepairable_is_unknown", Flag, "false", Stored, "a sample that definitions detect and cannot repair is submitted like an unknown one; off, because detection is enough to deliver by"),
    key("sample_policy.strip_user_data", Flag, "true", Stored, "only the infectable part leaves the house; on, because the rest is nobody's business"),
    // The gateway (Web Communication and Firewall tabs).
    key("web_communication.gateway", Text, "''", Stored, "the gateway's name, or NAME:PORT; none until the customer has one, and until then nothing leaves the house"),
    key("web_communication.download_gateway", Text, "''", Stored, "where answers and definitions come from, when that is not the gateway itself: another name, or another port for TLS"),
    key("web_communication.secure_submission", Flag, "true", Stored, "TLS for submissions"),
    key("web_communication.secure_download", Flag, "true", Stored, "TLS for returned definitions"),
    key("web_communication.ca_file", Path, "''", Stored, "PEM authorities for the gateway's certificate beside the system's; a centre of one's own has its own"),
    key("web_communication.request_max_s", Span(Unit::Seconds), "120", Stored, "one request to the gateway may take so long; 4 MiB over the slowest line that can carry samples at all"),
    key("firewall.name", Text, "''", Stored, "HTTP proxy; none"),
    key("firewall.port", Count(1, 65_535), "8080", Stored, "its port; where most proxies listen"),
    key("firewall.user", Text, "''", Stored, "its user name"),
    key("firewall.password_file", Path, "''", Stored, "file that holds its password, so that this file can be shown to others"),
    // Customer Information tab: in every message to the centre.
    key("customer.company", Text, "''", Stored, "company name"),
    key("customer.account", Text, "''", Stored, "account number"),
    key("customer.contact", Text, "''", Stored, "contact name"),
    key("customer.telephone", Text, "''", Stored, "contact telephone, with area code"),
    key("customer.email", Text, "''", Stored, "contact e-mail"),
    // Definition Policy, Install Definitions.
    key("definition_policy.certified_interval_min", Span(Unit::Minutes), "1440", Stored, "how often certified definitions are polled for; once a day, the seed's default"),
    key("definition_policy.receive_only", Flag, "false", Stored, "store definitions and install none: every client counts as nonmanaged; off, because delivery is the point"),
    key("install.certified.selected_targets", List, "[]", Stored, "targets that get certified definitions at once"),
    key("install.certified.on_clients", Flag, "false", Stored, "also on the clients where the sample was found; off beyond the seed's switches"),
    key("install.certified.on_parent_servers", Flag, "false", Stored, "also on their parent servers; off, as above"),
    key("install.noncertified.selected_targets", List, "[]", Stored, "targets that get non-certified definitions at once"),
    key("install.noncertified.on_clients", Flag, "false", Stored, "on the clients where the sample was found; off until the administrator trusts automatic sets"),
    key("install.noncertified.on_parent_servers", Flag, "false", Stored, "on their parent servers; off, as above"),
    key("delivery.retry_interval_min", Span(Unit::Minutes), "15", DELIVERY, "how often a disconnected target is tried again; targets come back within a coffee break"),
    // E-mail-based scan and deliver.
    key("email.smtp_server", Text, "''", MAIL, "server that takes submissions"),
    key("email.from", Text, "''", MAIL, "sender of submissions"),
    key("email.centre_address", Text, "''", MAIL, "where submissions go"),
    key("email.maildir", Path, "''", MAIL, "folder in which definitions arrive"),
    key("email.platforms", List, "[]", MAIL, "platforms that definitions are asked for"),
    // Limits of events 17 to 22: past half of them somebody should look.
    key("too_long.available", Span(Unit::Minutes), "'1 day'", Stored, "Available without anyone installing: a working day"),
    key("too_long.distributed", Span(Unit::Minutes), "'1 h'", Stored, "Distributed without confirmation: an install takes minutes"),
    key("too_long.needed", Span(Unit::Minutes), "'4 h'", Stored, "Needed without definitions: a set is on its way already"),
    key("too_long.released", Span(Unit::Minutes), "'1 day'", Stored, "Released without an answer: analysis by a person takes hours"),
    key("too_long.submitted", Span(Unit::Minutes), "'1 h'", Stored, "Submitted and not accepted: the gateway is down"),
    key("too_long.quarantined", Span(Unit::Minutes), "'1 h'", Stored, "Quarantined and not scanned: the scanner is down"),
    // How alerts go out.
    key("alerts.fold_s", Span(Unit::Seconds), "300", Stored, "after one alert of an event, others within this time become one with their count; a storm is one page, not a thousand"),
    key("alerts.smtp_server", Text, "''", Stored, "mail server for alerts, NAME or NAME:PORT; none"),
    key("alerts.smtp_from", Text, "''", Stored, "sender of alerts"),
    key("alerts.smtp_user", Text, "''", Stored, "user name at the mail server; none"),
    key("alerts.smtp_password_file", Path, "''", Stored, "file that holds its password"),
    key("alerts.smtp_security", Choice(&["none", "opportunistic", "required", "wrapped"]), "'opportunistic'", Stored, "TLS towards the mail server: STARTTLS where it is offered, as relays inside a house do it"),
    key("alerts.syslog", Path, "'/dev/log'", Stored, "socket of the system's log, for the method eventlog"),
    key("alerts.download_locations", List, "[]", Stored, "where administrators of nonmanaged products fetch definitions; posted with event 3"),
    // The agent on a managed computer.
    key("agent.enabled", Flag, "false", AGENT, "run the agent's task"),
    key("agent.forwarding", Flag, "true", AGENT, "forward copies here, and then never submit to the centre itself"),
    key("agent.server", Text, "''", AGENT, "the quarantine to forward to"),
    key("agent.port", Count(1, 65_535), "8741", AGENT, "its port: native intake"),
    key("agent.protocol", Choice(&["native", "http"]), "'native'", AGENT, "how it forwards; native asks for known digests before it sends bytes"),
    key("agent.retry_interval_s", Span(Unit::Seconds), "600", AGENT, "how often it tries again; ten minutes, so that an estate does not come back as one"),
    key("agent.operation", Choice(&["nothing", "scan", "repair"]), "'nothing'", AGENT, "what happens when definitions arrive: nothing, scan again, or repair and release"),
];

/// The keys of each `[alerting.NAME]`; their names here are the last part only.
pub const EVENT_KEYS: &[Key] = &[
    key("enabled", Flag, "true", Stored, "raise this alert; on, because a silent quarantine is a full one"),
    key("recipients", List, "[]", Stored, "mail addresses and webhook URLs that get it"),
    key("methods", List, "[]", Stored, "how, beside the log: console, email, webhook, broadcast, eventlog"),
];

/// The key of that full name, `alerting.NAME.KEY` included.
#[must_use]
pub fn find(name: &str) -> Option<Key> {
    if let Some(rest) = name.strip_prefix("alerting.") {
        let (event, last) = rest.split_once('.')?;
        Event::from_id(event)?;
        return EVENT_KEYS.iter().find(|key| key.name == last).copied();
    }
    KEYS.iter().find(|key| key.name == name).copied()
}

/// Every full name, in the order of [`KEYS`] and then of the events.
pub fn names() -> impl Iterator<Item = String> {
    let events = Event::ALL
        .into_iter()
        .flat_map(|event| EVENT_KEYS.iter().map(move |key| format!("alerting.{}.{}", event.id(), key.name)));
    KEYS.iter().map(|key| key.name.to_owned()).chain(events)
}

/// The known name nearest to `name`, when one is near enough to be meant.
#[must_use]
pub fn nearest(name: &str) -> Option<String> {
    // A word in its wrong table is meant as itself; otherwise a third of the letters may differ.
    let last = name.rsplit('.').next().unwrap_or(name);
    let same_word = names().find(|known| known.rsplit('.').next() == Some(last));
    names()
        .map(|known| (strsim::damerau_levenshtein(name, &known), known))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance * 3 <= name.chars().count())
        .map(|(_, known)| known)
        .or(same_word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_default_fits_its_shape_and_every_name_is_unique() {
        let mut seen = BTreeSet::new();
        for name in names() {
            let key = find(&name).expect("a listed name is found");
            let text = format!("v = {}", key.default);
            let table: toml::Table = toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            key.shape.read(&table["v"]).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(!key.about.is_empty(), "{name} says what it does");
            assert!(seen.insert(name.clone()), "{name} is written twice");
        }
    }

    #[test]
    fn the_nearest_key_is_found_across_typing_errors_and_wrong_tables() {
        assert_eq!(nearest("general.max_byte").as_deref(), Some("general.max_bytes"));
        assert_eq!(nearest("general.maxsamples").as_deref(), Some("general.max_samples"));
        assert_eq!(nearest("store.sample_bytes_max").as_deref(), Some("general.sample_bytes_max"));
        assert_eq!(nearest("weather.forecast"), None);
    }
}
