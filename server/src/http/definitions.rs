//! `/v1/definitions`: the sets that are here, another one installed, what two sets differ in.

use crate::daemon::context::Context;
use crate::definitions::{NotInstalled, NotUsable, State as InUse, announce, definitions_of};
use crate::http::problem::Problem;
use crate::retest::trial;
use crate::security::access::Caller;
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Extension, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use defcast::keys::PublicKey;
use defcast::package::{Limits, Manifest, Package};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body as HttpBody, Frame};
use model::Sequence;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll};
use tokio::sync::mpsc;

/// Names that an answer lists; the counts are whole.
const NAMES_MAX: usize = 1000;
/// Lines that give nothing which an answer lists.
const COMPLAINTS_MAX: usize = 100;

/// `GET /v1/definitions`: `{"state", "active", "definitions": [{"sequence", "certified", ...}]}`, newest first.
///
/// # Errors
/// The directory of definitions cannot be read.
pub async fn list(State(context): State<Arc<Context>>) -> Result<Json<Value>, Problem> {
    let listed = Arc::clone(&context);
    let definitions = blocking(move || {
        let library = listed.definitions.library();
        let held = library.held().map_err(|error| unreadable(&error))?;
        let told = held.into_iter().rev().map(|held| {
            let mut told = match listed.definitions.package(held.sequence) {
                Ok(package) => manifest_told(&package.manifest),
                // A set that cannot be used any more is still to be seen.
                Err(error) => json!({"sequence": held.sequence, "error": error.to_string()}),
            };
            if let Value::Object(members) = &mut told {
                members.insert("package_bytes".to_owned(), held.package_bytes.into());
            }
            told
        });
        Ok(told.collect::<Vec<_>>())
    })
    .await?;
    let mut told = in_use(&context);
    if let Value::Object(members) = &mut told {
        members.insert("definitions".to_owned(), definitions.into());
    }
    Ok(Json(told))
}

/// What is used: `{"state", "active": N or null, "signatures", "memory_bytes"}`; `why` where a set cannot be used.
pub fn in_use(context: &Context) -> Value {
    let state = context.definitions.state();
    match &*state {
        InUse::Ready(active) => json!({
            "state": state.word(),
            "active": active.sequence,
            "certified": active.certified,
            "signatures": active.detector.len(),
            "memory_bytes": active.detector.ruleset.memory_bytes(),
            "complaints": active.complaints.len(),
        }),
        InUse::Failed(why) => json!({"state": state.word(), "active": null, "why": why}),
        InUse::None | InUse::Loading => json!({"state": state.word(), "active": null}),
    }
}

/// `POST /v1/definitions` with a package for its body: 201 once it is in use.
///
/// # Errors
/// It cannot be verified, loaded, compiled or stored, or is not newer; nothing has changed then.
pub async fn install(
    State(context): State<Arc<Context>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Response, Problem> {
    let bytes = package_body(body).await?;
    let who = caller.name().to_owned();
    let installing = Arc::clone(&context);
    let installed = blocking(move || installing.definitions.install(&bytes).map_err(|error| refused(&error))).await?;
    let told = announce(&context, &installed, &who).await;
    Ok((StatusCode::CREATED, Json(told)).into_response())
}

/// `GET /v1/definitions/{sequence}`: its manifest; of the set in use also what gives nothing.
///
/// # Errors
/// No such set, or it cannot be verified.
pub async fn show(State(context): State<Arc<Context>>, Path(sequence): Path<String>) -> Result<Json<Value>, Problem> {
    let sequence = sequence_of(&sequence)?;
    let package = package(&context, sequence).await?;
    let mut told = manifest_told(&package.manifest);
    if let Value::Object(members) = &mut told {
        members.extend(vouched(&context, &package));
    }
    if let (Some(active), Value::Object(members)) = (context.definitions.active(), &mut told) {
        let is_active = active.sequence == sequence;
        members.insert("active".to_owned(), is_active.into());
        if is_active {
            members.insert("signatures".to_owned(), active.detector.len().into());
            members.insert("memory_bytes".to_owned(), active.detector.ruleset.memory_bytes().into());
            members.insert("swept".to_owned(), active.detector.ruleset.swept().into());
            members.insert("complaint_count".to_owned(), active.complaints.len().into());
            let shown: Vec<_> = active.complaints.iter().take(COMPLAINTS_MAX).collect();
            members.insert("complaints".to_owned(), json!(shown));
        }
    }
    Ok(Json(told))
}

/// `GET /v1/definitions/{sequence}/package`: the package as it came.
///
/// # Errors
/// No such set.
pub async fn download(State(context): State<Arc<Context>>, Path(sequence): Path<String>) -> Result<Response, Problem> {
    let sequence = sequence_of(&sequence)?;
    let bytes =
        blocking(move || context.definitions.library().read(sequence).map_err(|error| missing(sequence, &error)))
            .await?;
    let name = format!("attachment; filename=\"definitions-{}.lzd\"", sequence.0);
    Ok(([(header::CONTENT_TYPE, "application/octet-stream".to_owned()), (header::CONTENT_DISPOSITION, name)], bytes)
        .into_response())
}

/// `GET /v1/definitions/{sequence}/diff/{other}`: what the other has more, less and other, by name.
///
/// # Errors
/// One of the sets is not here, or cannot be loaded.
pub async fn diff(
    State(context): State<Arc<Context>>,
    Path((one, other)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let (one, other) = (sequence_of(&one)?, sequence_of(&other)?);
    let (old, new) = (package(&context, one).await?, package(&context, other).await?);
    let told = blocking(move || {
        let (old_rules, new_rules) = context.definitions.yara_reports(&old, &new).map_err(|error| unusable(&error))?;
        let old = definitions_of(&old).map_err(|error| unusable(&error))?;
        let new = definitions_of(&new).map_err(|error| unusable(&error))?;
        let rules = RuleNames::between(&old_rules, &new_rules);
        let found = scanner::definitions::diff(&old, &new);
        let name = |set: &scanner::definitions::Definitions, index: u32| {
            set.signatures.get(index as usize).map(|signature| signature.name.to_string())
        };
        let added = found.added.iter().filter_map(|index| name(&new, *index));
        let changed = found.changed.iter().filter_map(|(_, index)| name(&new, *index));
        let removed = found.removed.iter().filter_map(|index| name(&old, *index));
        let (added_count, changed_count, removed_count) = (
            found.added.len() + rules.added.len(),
            found.changed.len() + rules.changed.len(),
            found.removed.len() + rules.removed.len(),
        );
        let added: Vec<_> = added.chain(rules.added).take(NAMES_MAX).collect();
        let changed: Vec<_> = changed.chain(rules.changed).take(NAMES_MAX).collect();
        let removed: Vec<_> = removed.chain(rules.removed).take(NAMES_MAX).collect();
        Ok(json!({
            "from": one, "to": other,
            "added_count": added_count, "changed_count": changed_count, "removed_count": removed_count,
            "allowances_added": found.allow_added.len(), "allowances_removed": found.allow_removed.len(),
            "added": added, "changed": changed, "removed": removed,
        }))
    })
    .await?;
    Ok(Json(told))
}

/// Names of YARA rules that two sets differ in.
struct RuleNames {
    added: Vec<String>,
    changed: Vec<String>,
    removed: Vec<String>,
}

impl RuleNames {
    fn between(old: &yara::Report, new: &yara::Report) -> Self {
        let known: BTreeSet<&str> = old.rules.iter().map(|rule| rule.signature.as_str()).collect();
        let change = yara::Change::between(old, new);
        let named = |rule: &&yara::Rule| rule.signature.clone();
        let (changed, added): (Vec<&yara::Rule>, Vec<&yara::Rule>) =
            change.added.into_iter().partition(|rule| known.contains(rule.signature.as_str()));
        Self {
            added: added.iter().map(named).collect(),
            changed: changed.iter().map(named).collect(),
            removed: change.gone.into_iter().map(str::to_owned).collect(),
        }
    }
}

/// `POST /v1/definitions/test` with a package for its body: what it would detect among what is stored. Answers a line of
/// JSON at a time: `{"answered", "samples"}` as it goes, and last `{"samples", "detected", "newly_detected",
/// "no_longer_detected", "faults", "newly": [{"blake3", "signatures"}], "no_longer": [...], "signed_by", "key"}`.
///
/// # Errors
/// The package cannot be verified, loaded or compiled.
pub async fn test(State(context): State<Arc<Context>>, body: Body) -> Result<Response, Problem> {
    let bytes = package_body(body).await?;
    let engine = context.engine()?.clone();
    let Ok(place) = Arc::clone(&context.streams).try_acquire_owned() else {
        let detail = "as much as the server does at a time is being done";
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "slow_down", detail).retry_after_ms(5_000));
    };
    let verifying = Arc::clone(&context);
    let (active, told) = blocking(move || {
        let package = verifying.definitions.open(&bytes).map_err(|error| unusable(&error))?;
        let active = verifying.definitions.compiled(&package).map_err(|error| unusable(&error))?;
        Ok((active, vouched(&verifying, &package)))
    })
    .await?;
    let (lines, stream) = mpsc::channel::<Bytes>(4);
    drop(tokio::task::spawn_blocking(move || {
        let _place = place;
        let tell = |line: Value| lines.blocking_send(format!("{line}\n").into()).is_ok();
        let trial = trial(&context, &engine, &active, &mut |answered, samples| {
            tell(json!({"answered": answered, "samples": samples}))
        });
        let mut last = match trial {
            Ok(Some(trial)) => json!(trial),
            // Nobody listens any more.
            Ok(None) => return,
            Err(error) => json!({"error": error.to_string()}),
        };
        if let Value::Object(members) = &mut last {
            members.extend(told);
        }
        tell(last);
    }));
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson")];
    Ok((kind, Body::new(Lines(stream))).into_response())
}

/// Lines of an answer as they come.
struct Lines(mpsc::Receiver<Bytes>);

impl HttpBody for Lines {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(task).map(|line| line.map(|line| Ok(Frame::data(line))))
    }
}

/// A package out of a body of bounded length.
///
/// # Errors
/// Too long, or broken off.
pub async fn package_body(body: Body) -> Result<Vec<u8>, Problem> {
    let bytes_max = usize::try_from(Limits::default().package_bytes_max).unwrap_or(usize::MAX);
    match Limited::new(body, bytes_max).collect().await {
        Ok(collected) => Ok(collected.to_bytes().into()),
        Err(error) if error.is::<LengthLimitError>() => {
            let detail = format!("the package is longer than {bytes_max} bytes");
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail))
        }
        Err(error) => Err(Problem::invalid(format!("the body broke off: {error}"))),
    }
}

fn manifest_told(manifest: &Manifest) -> Value {
    serde_json::to_value(manifest).unwrap_or_default()
}

/// Who vouches for a package: `signed_by` and `key`, the line of the public key's file.
fn vouched(context: &Context, package: &Package) -> [(String, Value); 2] {
    let key = context.definitions.trusted().ok().and_then(|keys| keys.named(package.signed_by).map(PublicKey::line));
    [("signed_by".to_owned(), package.signed_by.to_string().into()), ("key".to_owned(), key.into())]
}

async fn package(context: &Arc<Context>, sequence: Sequence) -> Result<Package, Problem> {
    let context = Arc::clone(context);
    blocking(move || context.definitions.package(sequence).map_err(|error| unusable(&error))).await
}

/// Runs what reads or compiles on a thread that may block.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Problem::internal("the thread that worked on it ended"))?
}

fn sequence_of(text: &str) -> Result<Sequence, Problem> {
    let number = text.parse().map_err(|_| {
        Problem::invalid(format!(
            "'{}' is no sequence: a whole number is expected",
            text.chars().take(40).collect::<String>()
        ))
    })?;
    Ok(Sequence(number))
}

fn unreadable(error: &std::io::Error) -> Problem {
    Problem::internal(format!("the directory of definitions cannot be read: {error}"))
}

fn missing(sequence: Sequence, error: &std::io::Error) -> Problem {
    match error.kind() {
        std::io::ErrorKind::NotFound => Problem::missing(format!("definitions {} are not here", sequence.0)),
        _ => unreadable(error),
    }
}

fn unusable(error: &NotUsable) -> Problem {
    match error {
        NotUsable::Unreadable { sequence, error } => missing(*sequence, error),
        NotUsable::Keys(_)
        | NotUsable::Package(_)
        | NotUsable::Load(_)
        | NotUsable::Empty
        | NotUsable::Compile(_)
        | NotUsable::Yara(_) => {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "definitions-unusable", error.to_string())
        }
    }
}

fn refused(error: &NotInstalled) -> Problem {
    match error {
        NotInstalled::Busy => Problem::new(StatusCode::CONFLICT, "busy", error.to_string()).retry_after_ms(1000),
        NotInstalled::NotNewer { newest, .. } => {
            Problem::new(StatusCode::CONFLICT, "not-newer", error.to_string()).with("newest", json!(newest))
        }
        NotInstalled::NotUsable(error) => unusable(error),
        // Who posts a package asks for no number.
        NotInstalled::OtherNumber { .. } | NotInstalled::Disk { .. } => Problem::internal(error.to_string()),
    }
}
