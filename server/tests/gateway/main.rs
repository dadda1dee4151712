//! A real server and a gateway that misbehaves in every way a gateway, or what lies before it, can.
//!
//! Each test asserts what the trouble changes (nothing that was stored, no status) and that all goes on by itself once
//! the gateway behaves again. [`way`] is getting there, [`proxies`] getting through, [`secure`] TLS; [`replies`] what is
//! believed, [`parts`] what is sent, [`queue`] in which order; [`answers`] and [`sets`] are what comes back.
//! [`scripted`] is the gateway, [`wire`] its HTTP, [`estate`] the server before it.

mod answers;
mod estate;
mod parts;
mod proxies;
mod queue;
mod replies;
mod scripted;
mod secure;
mod sets;
#[path = "../support/mod.rs"]
mod support;
mod way;
mod wire;
