//! The parameters behind a `?`: each known, each once but those that may repeat.

use crate::http::problem::Problem;
use axum::extract::FromRequestParts;
use axum::extract::Query;
use axum::http::request::Parts;

/// Parameters in the order they came.
pub struct Parameters(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(pairs)) => Ok(Self(pairs)),
            Err(rejection) => Err(Problem::invalid(format!("the query cannot be read: {rejection}"))),
        }
    }
}

impl Parameters {
    /// Takes every value of a parameter.
    pub fn all(&mut self, name: &str) -> Vec<String> {
        let mut values = Vec::new();
        self.0.retain(|(key, value)| {
            let hit = key == name;
            if hit {
                values.push(value.clone());
            }
            !hit
        });
        values
    }

    /// Takes the value of a parameter that comes once.
    ///
    /// # Errors
    /// It comes more than once.
    pub fn one(&mut self, name: &str) -> Result<Option<String>, Problem> {
        let mut values = self.all(name);
        match values.len() {
            0 | 1 => Ok(values.pop()),
            more => Err(Problem::invalid(format!("{name} comes {more} times, once is allowed"))),
        }
    }

    /// Takes a parameter and parses it.
    ///
    /// # Errors
    /// It comes more than once, or does not parse.
    pub fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(&mut self, name: &str) -> Result<Option<T>, Problem> {
        match self.one(name)? {
            None => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|error| Problem::invalid(format!("{name}={text}: {error}"))),
        }
    }

    /// Refuses what nobody took.
    ///
    /// # Errors
    /// Names the first unknown parameter.
    pub fn end(self, known: &str) -> Result<(), Problem> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => Err(Problem::invalid(format!("{name} is not a parameter here: {known} are"))),
        }
    }
}
