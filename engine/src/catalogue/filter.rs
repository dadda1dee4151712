//! Which items are meant, and which index finds them.
//!
//! 1. Every filter is driven by an index, or by the row ids when nothing narrows it.
//! 2. What the driving index does not decide is checked row by row, for a bounded number of rows.

use super::row;
use super::span;
use model::{SampleId, Status};
use rusqlite::{Connection, OptionalExtension, params};
use std::ops::Range;

/// Items that match all that is given; the default matches every item.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Any of these; empty for every status.
    pub statuses: Vec<Status>,
    /// Forwarded by this client.
    pub client: Option<String>,
    /// Of one of these samples. Whoever asks by digest resolves it first: the catalogue has no index on digests. A digest
    /// may name several, copies of the same content.
    pub samples: Option<Vec<SampleId>>,
    /// Detected by this signature.
    pub signature: Option<String>,
    /// Received at or after, milliseconds since 1970 UTC.
    pub since_ms: Option<i64>,
    /// Received before, milliseconds since 1970 UTC.
    pub until_ms: Option<i64>,
}

/// One run of ids, highest first, straight out of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Driver {
    All,
    Status(Status),
    ClientStatus(i64, Status),
    Sample(i64),
    Signature(i64),
}

impl Driver {
    /// Parameters: 1 and 2 the lowest id and the end of ids, 3 and 4 the driver's own.
    pub fn sql(&self) -> &'static str {
        match self {
            Self::All => "SELECT id FROM item WHERE id >= ?1 AND id < ?2 ORDER BY id DESC",
            Self::Status(_) => {
                "SELECT id FROM item INDEXED BY item_status WHERE id >= ?1 AND id < ?2 AND status = ?3
                 ORDER BY id DESC"
            }
            Self::ClientStatus(_, _) => {
                "SELECT id FROM item INDEXED BY item_client WHERE id >= ?1 AND id < ?2 AND client = ?3 AND status = ?4
                 ORDER BY id DESC"
            }
            Self::Sample(_) => {
                "SELECT id FROM item INDEXED BY item_sample WHERE id >= ?1 AND id < ?2 AND sample = ?3
                 ORDER BY id DESC"
            }
            Self::Signature(_) => {
                "SELECT item FROM detection WHERE item >= ?1 AND item < ?2 AND signature = ?3 ORDER BY item DESC"
            }
        }
    }

    /// The driver's own parameters.
    pub fn parameters(&self) -> Vec<i64> {
        match self {
            Self::All => vec![],
            Self::Status(status) => vec![i64::from(status.code())],
            Self::ClientStatus(client, status) => vec![*client, i64::from(status.code())],
            Self::Sample(number) | Self::Signature(number) => vec![*number],
        }
    }
}

/// What the drivers do not decide.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Residual {
    statuses: Vec<Status>,
    client: Option<i64>,
    samples: Option<Vec<i64>>,
    since_ms: Option<i64>,
    until_ms: Option<i64>,
}

impl Residual {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether an item that a driver named matches the rest.
    pub fn matches(&self, connection: &Connection, id: i64) -> rusqlite::Result<bool> {
        if self.is_empty() {
            return Ok(true);
        }
        let (code, client, sample, at_ms): (u8, i64, i64, i64) = connection
            .prepare_cached("SELECT status, client, sample, received_at_ms FROM item WHERE id = ?1")?
            .query_row(params![id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
        let status = row::status(code)?;
        Ok((self.statuses.is_empty() || self.statuses.contains(&status))
            && self.client.is_none_or(|wanted| wanted == client)
            && self.samples.as_ref().is_none_or(|wanted| wanted.contains(&sample))
            && self.since_ms.is_none_or(|since| at_ms >= since)
            && self.until_ms.is_none_or(|until| at_ms < until))
    }
}

/// A filter made ready for one state of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    pub drivers: Vec<Driver>,
    pub residual: Residual,
    /// The ids that can match.
    pub ids: Range<i64>,
}

impl Filter {
    /// Chooses the drivers: the narrowest thing that is given, by experience a signature or sample before a client
    /// before a status.
    ///
    /// # Errors
    /// Reading failed. A client or signature that nobody ever named gives a plan without drivers.
    pub(super) fn plan(&self, connection: &Connection) -> rusqlite::Result<Plan> {
        let none = Plan { drivers: Vec::new(), residual: Residual::default(), ids: 0..0 };
        let mut residual = Residual { since_ms: self.since_ms, until_ms: self.until_ms, ..Residual::default() };
        let client = match &self.client {
            None => None,
            Some(name) => match find(connection, "SELECT id FROM client WHERE name = ?1", name)? {
                Some(number) => Some(number),
                None => return Ok(none),
            },
        };
        let signature = match &self.signature {
            None => None,
            Some(name) => match find(connection, "SELECT id FROM word WHERE text = ?1", name)? {
                Some(number) => Some(number),
                None => return Ok(none),
            },
        };
        let samples = self.samples.as_ref().map(|samples| {
            let mut samples: Vec<_> = samples.iter().map(|sample| sample.0 as i64).collect();
            samples.sort_unstable();
            samples.dedup();
            samples
        });
        let statuses = self.distinct_statuses();
        let drivers = if let Some(signature) = signature {
            (residual.samples, residual.client, residual.statuses) = (samples, client, statuses);
            vec![Driver::Signature(signature)]
        } else if let Some(samples) = samples {
            (residual.client, residual.statuses) = (client, statuses);
            samples.into_iter().map(Driver::Sample).collect()
        } else if let Some(client) = client {
            let statuses = if statuses.is_empty() { Status::ALL.to_vec() } else { statuses };
            statuses.into_iter().map(|status| Driver::ClientStatus(client, status)).collect()
        } else if statuses.is_empty() {
            vec![Driver::All]
        } else {
            statuses.into_iter().map(Driver::Status).collect()
        };
        let ids = match (self.since_ms, self.until_ms) {
            (None, None) => 0..i64::MAX,
            (since, until) => span::ids(connection, since.unwrap_or(i64::MIN), until.unwrap_or(i64::MAX))?,
        };
        Ok(Plan { drivers, residual, ids })
    }

    /// The statuses asked for, each once; all fourteen say no more than none.
    pub(super) fn distinct_statuses(&self) -> Vec<Status> {
        let mut statuses = self.statuses.clone();
        statuses.sort_unstable();
        statuses.dedup();
        if statuses.len() == Status::COUNT { Vec::new() } else { statuses }
    }
}

fn find(connection: &Connection, sql: &str, text: &str) -> rusqlite::Result<Option<i64>> {
    connection.prepare_cached(sql)?.query_row(params![text], |row| row.get(0)).optional()
}
