//! From settings to what the daemon takes. What fits each key alone but not the others is refused here.

use super::read::Problem;
use super::settings::{Origin, Settings};
use super::tokens;
use crate::daemon::{
    FullPolicy, IoMode, Limits, ListenOptions, ReadMode, ServeOptions, ShelfOptions, StoreOptions, TlsFiles, Token,
};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Everything that the keys together make impossible.
#[must_use]
pub fn check(settings: &Settings) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut refuse = |name: &str, message: String| {
        let line = match settings.find(name).map(|setting| setting.origin) {
            Some(Origin::File(line)) => Some(line),
            Some(Origin::Default | Origin::CommandLine | Origin::Stored) | None => None,
        };
        problems.push(Problem { line, message });
    };
    if settings.text("general.transport") == "email" {
        refuse(
            "general.transport",
            "general.transport = \"email\" is not available in this version: submission by e-mail is not built \
             yet; use \"internet\""
                .to_owned(),
        );
    }
    if settings.text("general.data").is_empty() {
        refuse("general.data", "general.data is empty: name the folder of the quarantine".to_owned());
    }
    for misfit in super::policy::policy(settings).err().unwrap_or_default() {
        refuse(&misfit.key, misfit.message);
    }
    let (one, all) = (settings.number("general.sample_bytes_max"), settings.number("general.max_bytes"));
    if one > all {
        let (one, all) = (super::amount::exact_bytes(one), super::amount::exact_bytes(all));
        refuse(
            "general.sample_bytes_max",
            format!("general.sample_bytes_max is {one}, more than general.max_bytes, which is {all}"),
        );
    }
    let certificate = settings.path("security.certificate_file").is_some();
    let key = settings.path("security.key_file").is_some();
    if certificate != key {
        let (here, missing) = if certificate {
            ("security.certificate_file", "security.key_file")
        } else {
            ("security.key_file", "security.certificate_file")
        };
        refuse(here, format!("{here} is set and {missing} is not: TLS needs both"));
    }
    let secured = settings.path("security.tokens_file").is_some() && certificate && key;
    for door in ["listen.http", "listen.intake"] {
        let (address, tls) = (format!("{door}.address"), format!("{door}.tls"));
        if settings.text(&address).is_empty() {
            refuse(&address, format!("{address} is empty: this door cannot be shut, give it a loopback address"));
        }
        if settings.flag(&tls) && !(certificate && key) {
            refuse(
                &tls,
                format!("{tls} is true without security.certificate_file and security.key_file: name both files"),
            );
        }
        if !beyond_loopback(settings.text(&address)) || settings.flag("security.allow_insecure") {
            continue;
        }
        if !secured || !settings.flag(&tls) {
            refuse(
                &address,
                format!(
                    "{address} = \"{}\" is reachable from other computers, so it needs {tls} = true and \
                     security.tokens_file; or set security.allow_insecure = true and answer for it",
                    settings.text(&address)
                ),
            );
        }
    }
    problems
}

/// What the daemon takes. Settings have passed [`check`].
///
/// # Errors
/// The file of tokens cannot be read.
pub fn serve_options(settings: &Settings) -> Result<ServeOptions, tokens::TokensError> {
    let tokens: Vec<Token> = match settings.path("security.tokens_file") {
        Some(path) => tokens::read_file(&path)?,
        None => Vec::new(),
    };
    let defaults = Limits::default();
    let count = |name: &str| usize::try_from(settings.number(name)).unwrap_or(usize::MAX);
    // A percentage is at most 100 by its shape.
    let percent = |name: &str| u8::try_from(settings.number(name)).unwrap_or(100);
    Ok(ServeOptions {
        shelves: ShelfOptions {
            plain_bytes: settings.number("retest.shelf_bytes"),
            index_bits_per_kib: u32::try_from(settings.number("retest.index_bits_per_kib")).unwrap_or(1024),
        },
        definitions_keys: settings.list("security.definitions_keys").iter().map(PathBuf::from).collect(),
        cage_program: None,
        data: settings.path("general.data").unwrap_or_default(),
        http: listen(settings, "listen.http"),
        intake: listen(settings, "listen.intake"),
        store: StoreOptions {
            max_bytes: settings.number("general.max_bytes"),
            max_samples: settings.number("general.max_samples"),
            low_percent: percent("general.low_percent"),
            full: match settings.text("general.full") {
                "strict" => FullPolicy::Strict,
                _ => FullPolicy::Reclaim,
            },
            sample_bytes_max: settings.number("general.sample_bytes_max"),
            read: match settings.text("general.read") {
                "pread" => ReadMode::Pread,
                _ => ReadMode::Map,
            },
            io: match settings.text("general.io") {
                "plain" => IoMode::Plain,
                "uring" => IoMode::Uring,
                _ => IoMode::Auto,
            },
            high_percent: percent("general.high_percent"),
            large_bytes_min: settings.number("store.large_bytes_min"),
            pack_threads: count("store.pack_threads"),
            finish: settings.flag("store.finish"),
            scrub: settings.flag("store.scrub"),
            scrub_bytes_per_s: settings.number("store.scrub_bytes_per_s"),
            client_share_percent: percent("store.client_share_percent"),
            catalogue_lag_max: settings.number("store.catalogue_lag_max"),
        },
        tokens,
        allow_insecure: settings.flag("security.allow_insecure"),
        settings: settings.clone(),
        limits: Limits {
            http_connections_max: count("limits.http_connections_max"),
            intake_connections_max: count("limits.intake_connections_max"),
            header_timeout: settings.span("limits.header_timeout_s"),
            keep_alive: settings.span("limits.keep_alive_s"),
            body_idle: settings.span("limits.body_idle_s"),
            body_rate_min: settings.number("limits.body_rate_min"),
            intake_idle: settings.span("limits.intake_idle_s"),
            drain: settings.span("limits.drain_s"),
            ..defaults
        },
    })
}

fn listen(settings: &Settings, door: &str) -> ListenOptions {
    let files = || {
        Some(TlsFiles {
            certificate: settings.path("security.certificate_file")?,
            key: settings.path("security.key_file")?,
            client_ca: settings.path("security.client_ca_file"),
        })
    };
    ListenOptions {
        address: settings.text(&format!("{door}.address")).to_owned(),
        tls: if settings.flag(&format!("{door}.tls")) { files() } else { None },
    }
}

fn beyond_loopback(address: &str) -> bool {
    address.parse::<SocketAddr>().is_ok_and(|address| !address.ip().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::super::read::read_text;
    use super::*;

    fn refused(text: &str) -> Vec<String> {
        check(&read_text(text).expect("each key alone is fine")).iter().map(Problem::to_string).collect()
    }

    #[test]
    fn the_defaults_of_the_file_are_the_defaults_of_the_daemon() {
        let settings = Settings::default();
        assert_eq!(check(&settings), []);
        let ours = serve_options(&settings).expect("no file to read");
        assert_eq!(format!("{ours:?}"), format!("{:?}", ServeOptions::default()));
    }

    #[test]
    fn email_transport_is_refused_with_what_to_do() {
        let found = refused("[general]\ntransport = 'email'");
        assert!(found[0].starts_with("line 2: general.transport = \"email\" is not available"), "{found:?}");
        assert!(found[0].ends_with("use \"internet\""), "{found:?}");
    }

    #[test]
    fn a_door_beyond_loopback_needs_tls_and_tokens_or_an_explicit_yes() {
        let open = "[listen.http]\naddress = '0.0.0.0:8740'\n";
        assert!(refused(open)[0].starts_with("line 2: listen.http.address = \"0.0.0.0:8740\" is reachable"));
        assert_eq!(refused(&format!("{open}[security]\nallow_insecure = true")), Vec::<String>::new());
        let secured =
            format!("{open}tls = true\n[security]\ntokens_file = 't'\ncertificate_file = 'c'\nkey_file = 'k'\n");
        assert_eq!(refused(&secured), Vec::<String>::new());
    }

    #[test]
    fn keys_that_contradict_one_another_are_refused_at_the_line_that_says_so() {
        let found = refused("[general]\nlow_percent = 99\nsample_bytes_max = '2 TiB'\n[listen.http]\ntls = true\n");
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].starts_with("line 2: ") && found[1].starts_with("line 3: ") && found[2].starts_with("line 5"));
        assert!(refused("security.key_file = 'k'")[0].contains("security.certificate_file is not"));
    }
}
