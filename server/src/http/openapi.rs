//! `GET /openapi.json`: the document is kept by hand beside this file, and tested against the table of routes.

use axum::http::header;
use axum::response::{IntoResponse, Response};

const DOCUMENT: &str = include_str!("openapi.json");

/// The handler.
pub async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::routes::routes;
    use std::collections::BTreeSet;

    #[test]
    fn the_document_names_every_route_and_no_other() {
        let document: serde_json::Value = serde_json::from_str(DOCUMENT).expect("the document is JSON");
        let paths = document["paths"].as_object().expect("it has paths");
        let told: BTreeSet<(String, String)> = paths
            .iter()
            .flat_map(|(path, calls)| {
                let calls = calls.as_object().expect("a path has calls");
                calls.keys().filter(|key| *key != "parameters").map(|call| (path.clone(), call.to_uppercase()))
            })
            .collect();
        let served: BTreeSet<(String, String)> =
            routes().iter().map(|route| (route.path.to_owned(), route.method.to_owned())).collect();
        assert_eq!(told, served);
    }
}
