//! Says before the long tests start what this machine lacks, and fails where that is not allowed.
#![allow(clippy::print_stdout, reason = "the lines are the result")]

use std::process::ExitCode;
use tests::capability::{Capability, must_have, unavailable};

fn main() -> ExitCode {
    let mut good = true;
    for capability in Capability::ALL {
        match capability.probe() {
            Ok(()) => println!("available   {}", capability.name()),
            Err(reason) => {
                println!("{}", unavailable(capability, &reason));
                good &= !must_have(capability);
            }
        }
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
