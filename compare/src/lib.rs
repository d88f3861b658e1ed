//! The same program on every runtime, side by side: what each costs under load, at rest and at the stop.
//!
//! ```text
//! cargo run --release -p compare
//! cargo run --release -p compare -- --svg compare.svg --json compare.json
//! cargo run --release -p compare -- --load all --baseline "neap axum in place"
//! ```
//!
//! It takes a minute, and uses 127.0.0.1 alone. Each door on each runtime has a process of its own,
//! which serves an axum `Router` or a tide app and has a timer beside the server. This process starts
//! it, sends it requests, stops it, and reads what the kernel says about it. Rounds are interleaved. The
//! tables have medians, and in brackets the lowest and the highest.
//!
//! `--help` lists the flags. `server.rs` says what a program has to do that `--peer` puts beside
//! these. The peers on tokio are in `peers/`, a workspace of its own, which includes `apps/` from here.
//!
//! From the top: `comparison` goes through the rounds; a `round` starts the `server` of each
//! `contender` and puts `load` on it; each `metric` has `samples`; `table`, `json` and `plot` show them.
//! `loads` puts one load after another on them, `instructions` counts with valgrind, and `syscalls`
//! with strace.

#![cfg(target_os = "linux")]

mod apps;
mod client;
mod comparison;
mod contender;
mod files;
mod flags;
mod instructions;
mod json;
mod load;
mod loads;
mod metric;
mod plot;
mod processors;
mod program;
pub mod response;
mod round;
mod row;
mod runtimes;
mod samples;
mod server;
mod syscalls;
mod table;

use std::time::Duration;

use flags::Request;

/// Why something could not be measured.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The limit on everything that normally takes a moment.
const PATIENCE: Duration = Duration::from_secs(20);

/// Does what the command line asks for.
///
/// # Errors
///
/// A flag is not understood, a contender could not be measured, or one of neap's has lost a request.
pub fn run() -> Result<(), Failure> {
    match flags::parse()? {
        Request::Help => {
            print!("{}", flags::HELP);
            Ok(())
        }
        Request::Serve(runtime) => runtimes::serve(&runtime),
        Request::Rounds(flags) => comparison::run(&flags),
        Request::Loads(flags) => loads::run(&flags),
        Request::Instructions(flags) => instructions::run(&flags),
        Request::Syscalls(flags) => syscalls::run(&flags),
    }
}
