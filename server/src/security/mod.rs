//! Who may connect, who may do what.
//!
//! Reading order: [`binding`] decides which addresses may be bound, [`tls`] reads certificates, [`tokens`]
//! recognises a bearer, [`access`] says what a role may do.

pub mod access;
pub mod binding;
pub mod secrets;
pub mod tls;
pub mod tokens;
