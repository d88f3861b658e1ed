//! Stops a server while clients are busy, on the other end of a link, and counts the requests that are
//! lost. `.ci/link` makes the links and runs this; `--help` lists the flags.

#[cfg(target_os = "linux")]
mod burst;
#[cfg(target_os = "linux")]
mod clients;
#[cfg(target_os = "linux")]
mod delay;
#[cfg(target_os = "linux")]
mod stops;

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    match stops::run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(2),
        Err(error) => {
            eprintln!("link: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("link: network namespaces are of Linux alone");
    ExitCode::FAILURE
}
