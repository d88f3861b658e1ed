//! The peers that serve HTTP, each with a timer beside the server, as the seed's program has it.
//!
//! ```text
//! peer --list           those that can run here: name, title, what it is, with tabs between
//! ADDR=127.0.0.1:8080 peer NAME
//! ```
//!
//! The environment has `ADDR`, where to listen; `THREADS`, how many threads work, 1 unless it says
//! otherwise; `TIMER`, after how many seconds the timer fails and takes the program down, 3600
//! unless it says otherwise; and `FILES`, where the files are. `GET /hello` is answered at once,
//! `GET /slow` after 100 ms; some peers have the other routes of `src/apps/` too. SIGINT and SIGTERM stop the program as the peer's documentation says. Exit codes: 0 after a stop, 1 after a
//! failure, 2 for a call that makes no sense, 69 (`EX_UNAVAILABLE`, sysexits.h) if this machine
//! cannot run the peer.

mod actix;
// What neap serves, too.
#[path = "../../../../src/apps/mod.rs"]
mod apps;
mod axum;
mod beside;
mod compio;
mod epoll;
mod glommio;
mod group;
mod hyper;
mod monoio;
mod settings;
mod tide;
mod tokio;
mod trillium;
mod version;

use std::error::Error;
use std::fmt;
use std::io::Write;
use std::process::ExitCode;

use apps::{HELLO as BODY, SLOW};
use settings::Settings;

type Failure = Box<dyn Error + Send + Sync>;

/// How long a drain may take, where the peer has a limit to set: the seed's.
const DRAIN_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

/// A program that serves.
struct Peer {
    name: &'static str,

    /// Its name in a table, with its version.
    title: fn() -> String,

    /// What it is, with its versions and its setting for this number of threads.
    what: fn(threads: usize) -> String,

    /// Returns an error if this machine cannot run it.
    try_out: fn() -> Result<(), Unavailable>,

    /// Serves until it is stopped or fails.
    serve: fn(&Settings) -> Result<(), Failure>,
}

const PEERS: &[Peer] = &[
    axum::PEER,
    hyper::PEER,
    actix::PEER,
    trillium::PEER,
    tide::PEER,
    tokio::AXUM_IN_PLACE,
    tokio::TIDE_IN_PLACE,
    tokio::AXUM_SPAWNED,
    tokio::TIDE_SPAWNED,
    compio::AXUM,
    compio::TIDE,
    monoio::AXUM,
    monoio::TIDE,
    glommio::AXUM,
    glommio::TIDE,
    epoll::PEER,
];

/// This machine lacks what a peer needs.
#[derive(Debug)]
struct Unavailable(String);

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot run here: {}", self.0)
    }
}

impl Error for Unavailable {}

/// For what needs nothing but the operating system.
fn anywhere() -> Result<(), Unavailable> {
    Ok(())
}

/// Writes "1 thread" or "2 threads".
fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Writes a line to standard error. Unlike `eprintln!`, this does not panic if that is closed.
fn say(line: fmt::Arguments<'_>) {
    drop(writeln!(std::io::stderr(), "peer: {line}"));
}

fn list(settings: &Settings) -> std::io::Result<()> {
    let mut stdout = std::io::stdout();
    for peer in PEERS {
        match (peer.try_out)() {
            Ok(()) => {
                let (title, what) = ((peer.title)(), (peer.what)(settings.threads));
                writeln!(stdout, "{}\t{title}\t{what}", peer.name)?;
            }
            Err(error) => say(format_args!("{} {error}", peer.name)),
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or_default();
    let peer = PEERS.iter().find(|peer| peer.name == name);
    let ended = match (Settings::from_env(), peer) {
        (Err(error), _) => {
            say(format_args!("{error}"));
            return ExitCode::from(2);
        }
        (Ok(settings), Some(peer)) => (peer.serve)(&settings),
        (Ok(settings), None) if name == "--list" => list(&settings).map_err(Failure::from),
        (Ok(_), None) => {
            say(format_args!(
                "no such peer: `{name}`; `peer --list` has them"
            ));
            return ExitCode::from(2);
        }
    };
    let Err(failure) = ended else {
        return ExitCode::SUCCESS;
    };
    say(format_args!("{name}: {failure}"));
    match failure.downcast_ref::<Unavailable>() {
        Some(_) => ExitCode::from(69),
        None => ExitCode::FAILURE,
    }
}
