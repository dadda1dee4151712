//! Prints every buffer that the scanner would match in some files.
//!
//! `cargo run -p scanner --example walk -- FILE...`

use std::io::Write;

use scanner::file::{Flow, Limits, walk};

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for name in std::env::args().skip(1) {
        let bytes = std::fs::read(&name)?;
        writeln!(out, "{name}")?;
        let mut lines = Vec::new();
        let outcome = walk(&bytes, &Limits::default(), &|| false, &mut |member| {
            let path = member.path.join(" > ");
            let entry =
                member.executable.map(|executable| format!(" entry {:?}", executable.entry)).unwrap_or_default();
            lines.push(format!(
                "  {:?} {} {:?} {} bytes{entry} {}",
                member.form,
                member.kind.label(),
                member.targets.own,
                member.bytes.len(),
                path.escape_debug()
            ));
            Flow::On
        });
        for line in lines {
            writeln!(out, "{line}")?;
        }
        for trouble in &outcome.troubles {
            writeln!(out, "  ! {trouble:?}")?;
        }
    }
    Ok(())
}
