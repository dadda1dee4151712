//! The HTTP API.
//!
//! Reading order: [`accept`] takes connections, [`routes`] is the table of calls with the right each needs,
//! [`caller`] checks it; [`samples`] takes samples in through [`headers`], [`multipart`], [`body`] and
//! [`upload`]; [`items`], [`restore`], [`actions`], [`definitions`], [`retests`], [`settings`], [`figures`], [`log`] and
//! [`feed`] answer people; [`problem`] is how an error looks.

pub mod accept;
pub mod access_log;
pub mod actions;
pub mod alerts;
pub mod body;
pub mod caller;
pub mod clients;
pub mod definitions;
pub mod feed;
pub mod figures;
pub mod filter;
pub mod framing;
pub mod head_clock;
pub mod headers;
pub mod health;
pub mod item;
pub mod items;
pub mod log;
pub mod multipart;
pub mod openapi;
pub mod problem;
pub mod query;
pub mod range;
mod refused;
pub mod repair;
pub mod restore;
pub mod retests;
pub mod routes;
pub mod samples;
pub mod settings;
pub mod upload;
