//! Runs of simulated estates against a fake server.

mod conservation;
mod fake;
mod omission;
mod program;
