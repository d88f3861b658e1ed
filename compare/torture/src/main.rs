//! Attacks the server, by its doors for tide and for axum, and stops it amid that: `cargo run --release -p torture -- --help`.

#![cfg_attr(not(target_os = "linux"), allow(unused))]

#[cfg(target_os = "linux")]
mod child;
#[cfg(target_os = "linux")]
mod clients;
#[cfg(target_os = "linux")]
mod connection;
#[cfg(target_os = "linux")]
mod fairness;
#[cfg(target_os = "linux")]
mod idle;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(target_os = "linux")]
mod serve;
#[cfg(target_os = "linux")]
mod settings;
#[cfg(target_os = "linux")]
mod stops;
#[cfg(target_os = "linux")]
mod storms;
#[cfg(target_os = "linux")]
mod tally;
#[cfg(target_os = "linux")]
mod torture;

use std::process::ExitCode;
use std::time::Duration;

/// Why something could not be tried, or what is wrong.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The limit on everything that normally takes a moment.
const PATIENCE: Duration = Duration::from_secs(30);

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    match torture::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("torture: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("torture: looks at its servers in /proc, which only Linux has");
    ExitCode::FAILURE
}
