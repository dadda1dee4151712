//! Recognises who asks and whether they may, before a handler runs and before a body is read.

use crate::daemon::context::Context;
use crate::http::problem::Problem;
use crate::security::access::{Caller, Right};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;

/// A right, with the state to check it against.
#[derive(Clone)]
pub struct Guard {
    /// The daemon.
    pub context: Arc<Context>,
    /// What the route needs.
    pub right: Right,
}

/// Lets the request through with its [`Caller`] as an extension, or answers 401 or 403.
pub async fn check(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    match caller(&guard, request.headers()) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

fn caller(guard: &Guard, headers: &HeaderMap) -> Result<Caller, Problem> {
    let shown = bearer(headers)?;
    let caller = guard
        .context
        .tokens
        .caller(shown)
        .map_err(|error| Problem::new(StatusCode::UNAUTHORIZED, "unauthorised", error.to_string()))?;
    must(&caller, guard.right)?;
    Ok(caller)
}

/// 403 unless the caller has the right.
///
/// # Errors
/// Names the role and the right.
pub fn must(caller: &Caller, right: Right) -> Result<(), Problem> {
    match caller {
        Caller::Bearer { role, .. } if !role.has(right) => {
            Err(Problem::forbidden(format!("a token with the role {} may not {}", role.word(), right.word())))
        }
        Caller::Bearer { .. } | Caller::Anyone => Ok(()),
    }
}

/// The token in `Authorization: Bearer`.
fn bearer(headers: &HeaderMap) -> Result<Option<&[u8]>, Problem> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Problem::invalid("authorization comes more than once"));
    }
    let value = value.as_bytes();
    match value.split_at_checked(7) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(b"bearer ") => Ok(Some(token.trim_ascii())),
        Some(_) | None => Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "unauthorised",
            "authorization has another scheme: send 'Authorization: Bearer TOKEN'",
        )),
    }
}
