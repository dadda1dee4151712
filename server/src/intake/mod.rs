//! The native intake protocol, server side; the codec and its documentation are in `model::wire`.
//!
//! Reading order: [`connection`] is a conversation from hello to the end, [`incoming`] reads frames and bodies,
//! [`requests`] turns offers and puts into submissions, [`answers`] gathers what is to be said and [`writer`] says
//! it, [`credit`] decides how many body bytes may come.

pub mod answers;
pub mod connection;
pub mod credit;
pub mod incoming;
pub mod requests;
pub mod writer;
