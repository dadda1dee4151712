//! Simulates whole estates of clients and measures what they would feel. It knows the server by its
//! wire formats only.
//!
//! Reading order: a [`profile`] says what an estate does; [`schedule`] and [`corpus`] are pure
//! functions of it and a seed, over [`draw`]; [`pace`] releases arrivals into [`lane`]s, which
//! [`measure`] what they hear; [`conserve`] asks the server whether all of it is true, by
//! [`questions`]; [`run`] does these in order and makes a [`result`], which [`folder`] writes down.
//! [`saturate`] and [`compare`] reason about several results.

pub mod args;
pub mod compare;
pub mod conserve;
pub mod corpus;
pub mod draw;
pub mod environment;
pub mod folder;
pub mod lane;
pub mod limits;
pub mod measure;
pub mod pace;
pub mod profile;
pub mod questions;
pub mod result;
pub mod run;
pub mod saturate;
pub mod schedule;
pub mod work;
