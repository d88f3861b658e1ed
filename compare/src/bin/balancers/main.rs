//! Clients of a load balancer that count every request that fails. `.ci/balancers` runs this; `--help` lists
//! the flags.

#[cfg(target_os = "linux")]
mod client;
#[cfg(target_os = "linux")]
mod flags;
#[cfg(target_os = "linux")]
mod tally;

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    match flags::run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(2),
        Err(error) => {
            eprintln!("balancers: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("balancers: measured on Linux alone");
    ExitCode::FAILURE
}
