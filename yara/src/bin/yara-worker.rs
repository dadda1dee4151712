//! A worker that tries rules as a binary of its own, for the tests. The product runs its own binary with a hidden
//! subcommand that does the same.

fn main() -> std::process::ExitCode {
    yara::worker_main()
}
