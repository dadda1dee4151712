//! Says what has been gathered: everything at once, in one write.

use crate::intake::answers::{Answers, End};
use model::wire::ServerFrame;
use std::time::Duration;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

/// What an idle connection keeps of its buffer.
const BUFFER_BYTES: usize = 4 << 10;

/// Runs until the conversation ends or the client takes nothing for `within`. `credit_target` is asked anew for
/// each write.
pub async fn run(
    mut writer: impl AsyncWrite + Unpin,
    answers: &Answers,
    credit_target: impl Fn() -> u64,
    within: Duration,
) -> End {
    let mut out = Vec::new();
    loop {
        answers.added().await;
        // Acks of one batch come one after the other: let the rest of them in.
        tokio::task::yield_now().await;
        let taken = answers.take(credit_target());
        out.clear();
        ServerFrame::Acks(taken.acks).encode(&mut out);
        ServerFrame::Want(taken.wants).encode(&mut out);
        out.extend_from_slice(&taken.frames);
        if taken.grant > 0 {
            ServerFrame::Credit { bytes: taken.grant }.encode(&mut out);
        }
        if let Some(End::Fault(code, text)) = &taken.end {
            ServerFrame::Fault { code: *code, text: text.clone() }.encode(&mut out);
        }
        match tokio::time::timeout(within, writer.write_all(&out)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return End::Gone(error.to_string()),
            Err(_) => return End::Gone(format!("the client took no answer for {within:?}")),
        }
        if let Some(end) = taken.end {
            // The client may be gone already; there is nothing left to lose.
            let _ = tokio::time::timeout(within, writer.shutdown()).await;
            return end;
        }
        // A burst's buffer is not kept by an idle connection.
        out.shrink_to(BUFFER_BYTES);
    }
}
