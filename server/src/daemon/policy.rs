//! What the administrator decides and may change while the server runs, as types. Made from settings by `config`, held as
//! one value that is swapped as a whole; whoever works holds the one it began with.

use model::{Event, Status};
use std::path::PathBuf;
use std::time::Duration;

/// Everything together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// X-Sample-Priority of a fresh item is 1 instead of 0.
    pub automatic: bool,
    /// How often the queue for the gateway is looked at.
    pub queue_check_interval: Duration,
    /// How often the centre is asked about what it has.
    pub status_query_interval: Duration,
    /// A detection without a repair recipe counts as unknown.
    pub unrepairable_is_unknown: bool,
    /// Only the part that can be infected leaves the house.
    pub strip_user_data: bool,
    /// The door of the analysis centre; `None` until there is one.
    pub gateway: Option<Gateway>,
    /// Who we are to the centre.
    pub customer: gateway::Customer,
    /// How often certified definitions are asked for.
    pub certified_interval: Duration,
    /// Sets are stored and never installed: every client counts as nonmanaged.
    pub receive_only: bool,
    /// Who gets certified definitions without being asked.
    pub certified: Install,
    /// Who gets definitions that are not certified without being asked.
    pub noncertified: Install,
    /// How long an item may stay in a status, for the statuses that have a limit.
    pub too_long: TooLong,
    /// What is told to whom.
    pub alerts: Alerts,
}

/// How the centre is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway {
    /// HOST or HOST:PORT.
    pub name: String,
    /// Where answers and definitions come from: the same, as a rule.
    pub download: String,
    /// TLS for submissions.
    pub secure_submission: bool,
    /// TLS for definitions and answers.
    pub secure_download: bool,
    /// PEM authorities that the gateway's certificate may come from, beside the system's.
    pub ca_file: Option<PathBuf>,
    /// How long one request may take.
    pub request_max: Duration,
    /// The HTTP proxy in between.
    pub proxy: Option<Proxy>,
}

/// An HTTP proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Its name.
    pub name: String,
    /// Its port.
    pub port: u16,
    /// User name; empty for none.
    pub user: String,
    /// File that holds the password.
    pub password_file: Option<PathBuf>,
}

/// On which computers definitions are installed without being asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Install {
    /// These, always.
    pub selected_targets: Vec<String>,
    /// The client on which the sample was found.
    pub on_clients: bool,
    /// Its parent server.
    pub on_parent_servers: bool,
}

impl Install {
    /// Whether the client of an item is selected.
    pub fn selects(&self, client: &str) -> bool {
        self.on_clients || self.selected_targets.iter().any(|target| target == client)
    }
}

/// The limits of events 17 to 22.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong {
    /// In Available.
    pub available: Duration,
    /// In Distributed.
    pub distributed: Duration,
    /// In Needed.
    pub needed: Duration,
    /// In Released.
    pub released: Duration,
    /// In Submitted.
    pub submitted: Duration,
    /// In Quarantined.
    pub quarantined: Duration,
}

impl TooLong {
    /// Each status that has a limit, with it and with the event that tells of it.
    pub fn each(&self) -> [(Status, Duration, Event); 6] {
        [
            (Status::Available, self.available, Event::TooLongAvailable),
            (Status::Distributed, self.distributed, Event::TooLongDistributed),
            (Status::Needed, self.needed, Event::TooLongNeeded),
            (Status::Released, self.released, Event::TooLongReleased),
            (Status::Submitted, self.submitted, Event::TooLongSubmitted),
            (Status::Quarantined, self.quarantined, Event::TooLongQuarantined),
        ]
    }
}

/// What is told to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alerts {
    /// By event, in the order of their numbers.
    pub routes: Vec<Route>,
    /// After one alert of an event, others within this time become one alert with their count.
    pub fold: Duration,
    /// Mail goes out through this; `None` until there is one.
    pub mail: Option<Mail>,
    /// The socket of the system's log.
    pub syslog: PathBuf,
    /// Where others can fetch definitions for clients that we cannot install on.
    pub download_locations: Vec<String>,
}

impl Alerts {
    /// The route of an event.
    pub fn route(&self, event: Event) -> &Route {
        &self.routes[usize::from(event.number()) - 1]
    }
}

/// Where one event goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Whether it is told at all, the log included.
    pub enabled: bool,
    /// Mail addresses and webhook URLs.
    pub recipients: Vec<String>,
    /// How.
    pub methods: Vec<Method>,
}

/// How an alert is told, beside the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// A line on the server's own console.
    Console,
    /// A mail to each recipient that is a mail address.
    Email,
    /// A POST to each recipient that is a URL.
    Webhook,
    /// To all attached consoles.
    Broadcast,
    /// To the system's log.
    Eventlog,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Console, Self::Email, Self::Webhook, Self::Broadcast, Self::Eventlog];

    /// The word in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::Email => "email",
            Self::Webhook => "webhook",
            Self::Broadcast => "broadcast",
            Self::Eventlog => "eventlog",
        }
    }

    /// The method of this word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.word() == word)
    }
}

/// How mail goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// HOST or HOST:PORT.
    pub server: String,
    /// Sender.
    pub from: String,
    /// User name; empty for none.
    pub user: String,
    /// File that holds the password.
    pub password_file: Option<PathBuf>,
    /// How the connection is secured.
    pub security: MailSecurity,
}

/// How a connection to the mail server is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailSecurity {
    /// Not at all.
    None,
    /// With STARTTLS where the server offers it.
    Opportunistic,
    /// With STARTTLS, or nothing is sent.
    Required,
    /// From the first byte.
    Wrapped,
}
