//! Alerts in the system's log, as every daemon's lines get there: a datagram in the old format (RFC 3164), which
//! journald and rsyslog both take.

use super::deliver::Failure;
use super::fold::Alert;
use super::teller::sentence;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

/// Facility "daemon", severity "warning".
const PRIORITY: u8 = 3 * 8 + 4;
/// Bytes of a line: what the old format allows.
const LINE_BYTES_MAX: usize = 1024;

/// Writes an alert.
pub(super) fn write(path: &Path, alert: &Alert) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::Later(format!("{}: {error}", path.display()));
    let socket = UnixDatagram::unbound().map_err(failed)?;
    // A log that does not take it now must not hold up the server.
    socket.set_nonblocking(true).map_err(failed)?;
    socket.send_to(line(alert).as_bytes(), path).map_err(failed)?;
    Ok(())
}

fn line(alert: &Alert) -> String {
    let text = format!("alert {}: {}: {}", alert.event.number(), alert.event.name(), sentence(alert));
    let text: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let mut line = format!("<{PRIORITY}>lazaret[{}]: {text}", std::process::id());
    let mut end = line.len().min(LINE_BYTES_MAX);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    line.truncate(end);
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Event, Timestamp};

    #[test]
    fn a_line_is_one_line_and_not_too_long() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("log");
        let log = UnixDatagram::bind(&path).expect("a socket");
        let alert = Alert {
            event: Event::QuotaLow,
            text: format!("a\nb{}", "\u{e9}".repeat(2000)),
            items: Vec::new(),
            count: 1,
            first_at: Timestamp(0),
            last_at: Timestamp(0),
        };
        write(&path, &alert).expect("it is written");
        let mut bytes = [0; 4096];
        let length = log.recv(&mut bytes).expect("it arrives");
        let line = std::str::from_utf8(&bytes[..length]).expect("it is text");
        assert!(line.starts_with("<28>lazaret[") && line.contains("alert 10: Disk quota"), "{line}");
        assert!(!line.contains('\n') && line.len() <= LINE_BYTES_MAX);
        assert!(matches!(write(&dir.path().join("none"), &alert), Err(Failure::Later(_))));
    }
}
