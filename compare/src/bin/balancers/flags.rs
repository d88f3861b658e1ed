//! The command line, and the clients that it asks for.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use compare::Failure;
use lexopt::prelude::*;

use crate::client::{Client, Kinds};
use crate::tally::Tally;

/// What `--help` prints.
const HELP: &str = "\
Sends requests to a load balancer and counts those that fail: each that has not the status 200 and the body that
is expected, and each connect. Prints one line.

balancers --to ADDRESS [FLAG ...]

  --clients N     how many clients there are, half of them with a connection for each request (16)
  --keep-alive    all of them keep their connections
  --only METHOD   they send GET or POST only, not each in turn
  --pause MS      how long a client waits between two requests (0)
  --requests N    they end after this many requests in all
  --while FILE    they end when this file is no more

The exit code is 2 if something failed, and 1 if nothing could be measured.
";

/// How often the file is looked for.
const LOOK: Duration = Duration::from_millis(20);

/// What the command line asks for.
struct Flags {
    to: SocketAddr,
    clients: usize,
    keep_alive: bool,
    kinds: Kinds,
    pause: Duration,
    requests: u64,
    file: Option<PathBuf>,
}

impl Flags {
    fn parse() -> Result<Option<Flags>, Failure> {
        let mut to = None;
        let mut flags = Flags {
            to: SocketAddr::from(([127, 0, 0, 1], 0)),
            clients: 16,
            keep_alive: false,
            kinds: Kinds::Both,
            pause: Duration::ZERO,
            requests: u64::MAX,
            file: None,
        };
        let mut parser = lexopt::Parser::from_env();
        while let Some(flag) = parser.next()? {
            match flag {
                Long("help") => return Ok(None),
                Long("to") => to = Some(parser.value()?.parse()?),
                Long("clients") => flags.clients = parser.value()?.parse()?,
                Long("keep-alive") => flags.keep_alive = true,
                Long("only") => flags.kinds = parser.value()?.parse_with(kinds)?,
                Long("pause") => flags.pause = Duration::from_millis(parser.value()?.parse()?),
                Long("requests") => flags.requests = parser.value()?.parse()?,
                Long("while") => flags.file = Some(parser.value()?.into()),
                _ => return Err(flag.unexpected().into()),
            }
        }
        flags.to = to.ok_or("--to is missing: the address of the balancer")?;
        if flags.requests == u64::MAX && flags.file.is_none() {
            return Err(
                "--requests or --while is missing: the clients would go on for ever".into(),
            );
        }
        Ok(Some(flags))
    }

    fn client(&self, number: usize) -> Client {
        Client {
            to: self.to,
            kinds: self.kinds,
            keeps_alive: self.keep_alive || number % 2 == 0,
            pause: self.pause,
        }
    }
}

fn kinds(text: &str) -> Result<Kinds, &'static str> {
    match text {
        "GET" => Ok(Kinds::Get),
        "POST" => Ok(Kinds::Post),
        _ => Err("neither GET nor POST"),
    }
}

/// Runs the clients, and prints what they have seen. Returns true if nothing failed.
///
/// # Errors
///
/// A flag is not understood, or no request was sent.
pub(crate) fn run() -> Result<bool, Failure> {
    let Some(flags) = Flags::parse()? else {
        print!("{HELP}");
        return Ok(true);
    };
    let tally = load(&flags)?;
    if tally.answered() + tally.failed() == 0 {
        return Err("no request was sent".into());
    }
    println!("{tally}");
    Ok(tally.failed() == 0)
}

/// Runs the clients to their end.
///
/// # Errors
///
/// One has panicked.
fn load(flags: &Flags) -> Result<Tally, Failure> {
    let (is_over, sent) = (AtomicBool::new(false), AtomicU64::new(0));
    let goes_on = || {
        !is_over.load(Ordering::Relaxed) && sent.fetch_add(1, Ordering::Relaxed) < flags.requests
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..flags.clients)
            .map(|number| scope.spawn(move || flags.client(number).run(goes_on)))
            .collect();
        while clients.iter().any(|client| !client.is_finished()) {
            let is_gone = flags.file.as_ref().is_some_and(|file| !file.exists());
            is_over.fetch_or(is_gone, Ordering::Relaxed);
            thread::sleep(LOOK);
        }
        let mut tally = Tally::default();
        for client in clients {
            tally.add(client.join().map_err(|_| "a client has panicked")?);
        }
        Ok(tally)
    })
}
