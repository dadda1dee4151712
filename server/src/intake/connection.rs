//! One conversation, from hello to the end. One task reads and writes: an ack that arrives wakes it, and it
//! says all that has arrived.

use crate::daemon::context::{Context, NotServing};
use crate::daemon::door::Door;
use crate::daemon::stream::Stream;
use crate::intake::answers::{Answers, End};
use crate::intake::incoming::Incoming;
use crate::intake::requests::Requests;
use crate::intake::writer;
use crate::security::access::{Caller, Right};
use engine::Level;
use model::wire::{ClientFrame, FaultCode, ServerFrame, Welcome};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncRead;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// Requests that may be open on one connection: two batches of the store's, so that one is always on its way.
pub const WINDOW: u32 = 1024;
/// Body bytes that one connection may have in flight while the store has room.
const CREDIT_BYTES: u64 = 4 << 20;
/// The same while the quota is past its high watermark or the catalogue lags.
const CREDIT_BYTES_LOW: u64 = 256 << 10;

/// How long a client that was told of a fault is read over.
const LINGER: Duration = Duration::from_secs(2);

/// The listener.
pub fn door(listener: TcpListener, tls: Option<TlsAcceptor>, context: Arc<Context>) -> impl Future<Output = ()> + Send {
    let mut turned_away = Vec::new();
    let text = "the server is at its limit of connections: try again in a moment".to_owned();
    ServerFrame::Fault { code: FaultCode::TooMany, text }.encode(&mut turned_away);
    let door = Door {
        name: "intake",
        listener,
        tls,
        connections_max: context.limits.intake_connections_max,
        open: context.metrics.intake_connections.clone(),
        turned_away,
        context: Arc::clone(&context),
    };
    door.run(move |stream, peer| serve(stream, peer, Arc::clone(&context)))
}

async fn serve(stream: Stream, peer: SocketAddr, context: Arc<Context>) {
    let (reader, writer) = tokio::io::split(stream);
    let credit_bytes = credit_target(&context);
    let answers = Arc::new(Answers::new(Arc::clone(&context), credit_bytes));
    let mut incoming = Incoming::new(reader);
    let mut reading = pin!(async {
        let end = match converse(&mut incoming, peer, &context, &answers, credit_bytes).await {
            Ok(()) => End::Bye,
            Err(end) => end,
        };
        answers.ended(end);
        // The writer ends the conversation, once what is open is answered; bytes that are still on their way are
        // read over, else a reset would overtake the fault.
        incoming.read_over().await;
    });
    let mut writing = pin!(writer::run(writer, &answers, || credit_target(&context), context.limits.body_idle));
    let mut read_over = false;
    let end = loop {
        tokio::select! {
            end = &mut writing => break end,
            () = &mut reading, if !read_over => read_over = true,
        }
    };
    if matches!(end, End::Fault(..)) && !read_over {
        // Late or not, the connection is dropped now.
        let _ = tokio::time::timeout(LINGER, reading).await;
    }
    tracing::debug!(%peer, ?end, "intake connection ended");
}

/// Body bytes that a connection may have in flight now.
fn credit_target(context: &Context) -> u64 {
    let Ok(engine) = context.engine() else { return CREDIT_BYTES_LOW };
    match engine.quota().level {
        Level::Normal | Level::Low => CREDIT_BYTES,
        Level::High | Level::Full => CREDIT_BYTES_LOW,
    }
}

async fn converse(
    incoming: &mut Incoming<impl AsyncRead + Unpin>,
    peer: SocketAddr,
    context: &Arc<Context>,
    answers: &Arc<Answers>,
    credit_bytes: u64,
) -> Result<(), End> {
    let mut requests = hello(incoming, peer, context, answers).await?;
    let sample_bytes_max = context.sample_bytes_max;
    answers.say(&ServerFrame::Welcome(Welcome { sample_bytes_max, credit_bytes, window: WINDOW }));
    let mut phase = context.phase.watch();
    loop {
        while let Some(frame) = incoming.ready()? {
            match frame {
                ClientFrame::Hello { .. } => {
                    return Err(End::Fault(FaultCode::Malformed, "hello is said once, at the beginning".to_owned()));
                }
                ClientFrame::Offer { request, blake3, raw_bytes, arrival } => {
                    requests.offer(request, &blake3, raw_bytes, arrival).await?;
                }
                ClientFrame::Put { request, raw_bytes, expected, arrival } => {
                    requests.put(incoming, request, raw_bytes, expected, arrival).await?;
                }
                ClientFrame::Ping { nonce } => answers.say(&ServerFrame::Pong { nonce }),
                ClientFrame::Bye => return Ok(()),
            }
            answers.room().await;
        }
        tokio::select! {
            more = incoming.more(context.limits.intake_idle) => more?,
            () = phase.draining() => {
                return Err(End::Fault(FaultCode::Stopped, NotServing::Draining.to_string()));
            }
        }
    }
}

/// Waits for the hello and decides who speaks.
async fn hello(
    incoming: &mut Incoming<impl AsyncRead + Unpin>,
    peer: SocketAddr,
    context: &Arc<Context>,
    answers: &Arc<Answers>,
) -> Result<Requests, End> {
    let frame = loop {
        match incoming.ready()? {
            Some(frame) => break frame,
            None => incoming.more(context.limits.header_timeout).await?,
        }
    };
    let ClientFrame::Hello { token, client, epoch } = frame else {
        return Err(End::Fault(FaultCode::Malformed, "the first frame must be a hello".to_owned()));
    };
    let shown = (!token.0.is_empty()).then_some(token.0.as_bytes());
    let unauthorised = |text: String| End::Fault(FaultCode::Unauthorised, text);
    let caller = context.tokens.caller(shown).map_err(|error| unauthorised(error.to_string()))?;
    if !caller.has(Right::Forward) {
        return Err(unauthorised(format!("the token may not {}", Right::Forward.word())));
    }
    let client = match (&caller, client.is_empty()) {
        (_, false) => client,
        (Caller::Anyone, true) => peer.ip().to_canonical().to_string(),
        (Caller::Bearer { name, .. }, true) => name.to_string(),
    };
    Ok(Requests::new(Arc::clone(context), Arc::clone(answers), client, epoch, caller.has(Right::Claim)))
}
