//! The fake's HTTP side.

use super::house::House;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::json;
use std::io;
use std::sync::Arc;
use tokio::net::TcpStream;

pub async fn serve(house: Arc<House>, stream: TcpStream) {
    let service = service_fn(move |request| answer(house.clone(), request));
    // A client that hangs up is none of a fake's business.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(house: Arc<House>, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
    let path = request.uri().path().to_owned();
    Ok(match (request.method(), path.as_str()) {
        (&Method::PUT, "/v1/samples") => put(&house, request).await?,
        (_, "/v1/items/count") => say(StatusCode::OK, json!({"count": house.count()}).to_string()),
        (_, "/v1/quota") => say(
            StatusCode::OK,
            json!({
                "used_bytes": house.used_bytes(), "max_bytes": house.max_bytes,
                "used_samples": house.sample_count(), "max_samples": 1_000_000,
            })
            .to_string(),
        ),
        (_, path) => match path.strip_prefix("/v1/items/").and_then(|rest| rest.strip_suffix("/sample")) {
            Some(item) => match house.read(item.parse().unwrap()) {
                Some(body) => Response::new(Full::new(body.into())),
                None => say(StatusCode::NOT_FOUND, String::new()),
            },
            None => say(StatusCode::NOT_FOUND, String::new()),
        },
    })
}

async fn put(house: &House, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
    let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let retry = header("idempotency-key").unwrap();
    let length: u64 = header("content-length").unwrap().parse().unwrap();
    if !house.reserve(retry.clone(), length) {
        return Ok(full());
    }
    let body = request.into_body().collect().await.unwrap().to_bytes().to_vec();
    let digest = *blake3::hash(&body).as_bytes();
    let Some(made) = house.store(retry, digest, Some(body)) else { return Ok(full()) };
    if made.outcome != "repeated" && Some(made.nth) == house.lies.break_at {
        return Err(io::ErrorKind::BrokenPipe.into());
    }
    Ok(say(StatusCode::CREATED, json!({"id": made.item, "outcome": made.outcome}).to_string()))
}

fn full() -> Response<Full<Bytes>> {
    let problem = json!({"type": "https://lazaret.invalid/problems/full-bytes"});
    say(StatusCode::INSUFFICIENT_STORAGE, problem.to_string())
}

fn say(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    response
}
