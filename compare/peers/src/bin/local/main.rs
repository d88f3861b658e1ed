//! Checks that a local group runs on the runtimes of one thread, with their own sockets, which are not
//! `Send`: an echo server and its client, stopped from another thread.
//!
//! ```text
//! local           on all of them
//! local NAME      on one: compio, monoio, glommio
//! ```
//!
//! Exit codes: 0 if all went well, 69 (`EX_UNAVAILABLE`, sysexits.h) if there is no io_uring.

mod compio;
mod echo;
mod glommio;
mod monoio;

use std::env;
use std::process::ExitCode;

/// The runtimes, by name.
const RUNTIMES: [(&str, fn()); 3] = [
    ("compio", compio::run),
    ("monoio", monoio::run),
    ("glommio", glommio::run),
];

fn main() -> ExitCode {
    if let Err(error) = io_uring::IoUring::new(2) {
        eprintln!("io_uring: {error}");
        return ExitCode::from(69);
    }
    let only = env::args().nth(1);
    let is_meant = |name: &str| only.as_deref().is_none_or(|only| only == name);
    for (name, run) in RUNTIMES.iter().filter(|(name, _)| is_meant(name)) {
        println!("{name}");
        run();
    }
    ExitCode::SUCCESS
}
