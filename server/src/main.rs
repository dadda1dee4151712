//! The binary `lazaret`.

fn main() -> anyhow::Result<()> {
    server::daemon::serve(server::daemon::ServeOptions::default())
}
