//! The group alone: what it costs to start N services that wait for the stop, to stop and join
//! them, and how many bytes they hold meanwhile; neap beside its peers.
//!
//! `cargo run --release --bin group -- --json group.json --svg group.svg`, about four minutes.
//! `--quick` takes seconds and only proves that it works. `--only NAME` measures the peers whose name
//! contains `NAME`. `--services N` sets the size of a group; it can be repeated. `--rounds N` sets the
//! number of rounds.
//!
//! Rounds are interleaved: in each, every peer has a process of its own, so that no peer finds a heap
//! that another has used, and the order moves on by one. The process measures a group after one of the
//! same size to warm up, and several groups where services are few. Its clock runs from before a group
//! is made until its last service waits, and from the stop until all have ended and it is dropped.
//! Runtimes are made before that, and not measured; neap in place has none. All Rust is built alike:
//! `lto`, one codegen unit, and the system's allocator.
//!
//! Bytes have a round of their own, since counting them takes time. They are the bytes allocated and
//! not freed when the last service waits. The stacks of threads are not included, but those of
//! goroutines are, since a goroutine has one: `go/errgroup/main.go` says how they are counted.

mod allocator;
mod meter;
mod peers;
mod plot;
mod report;
mod rounds;
mod sample;
mod scale;

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use crate::sample::{Sample, Task};
use crate::scale::Scale;

/// What the command line asks for.
#[derive(Default)]
struct Options {
    only: String,
    quick: bool,
    rounds: Option<usize>,
    services: Vec<usize>,
    json: Option<PathBuf>,
    svg: Option<PathBuf>,

    /// The name of the peer that this process is to measure itself.
    child: Option<String>,
    groups: usize,
    count: bool,
}

fn options() -> Result<Options, lexopt::Error> {
    use lexopt::prelude::*;
    let mut options = Options::default();
    let mut parser = lexopt::Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            Long("only") => options.only = parser.value()?.string()?,
            Long("quick") => options.quick = true,
            Long("rounds") => options.rounds = Some(parser.value()?.parse()?),
            Long("services") => options.services.push(parser.value()?.parse()?),
            Long("json") => options.json = Some(parser.value()?.into()),
            Long("svg") => options.svg = Some(parser.value()?.into()),
            Long("child") => options.child = Some(parser.value()?.string()?),
            Long("groups") => options.groups = parser.value()?.parse()?,
            Long("count") => options.count = true,
            _ => return Err(arg.unexpected()),
        }
    }
    Ok(options)
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = options()?;
    if let Some(name) = options.child {
        let services = options.services.first().copied().unwrap_or(1);
        let task = Task {
            services,
            groups: options.groups,
            count: options.count,
        };
        let sample = Sample::here(&name, &task)?;
        println!("{}", serde_json::to_string(&sample)?);
        return Ok(());
    }
    let mut scale = if options.quick {
        Scale::quick()
    } else {
        Scale::full()
    };
    if let Some(rounds) = options.rounds {
        scale.rounds = rounds.max(1);
    }
    if !options.services.is_empty() {
        scale.services = options.services;
    }
    let rows = rounds::run(&scale, &options.only)?;
    print!("{}", report::tables(&scale, &rows));
    if let Some(path) = options.json {
        fs::write(path, serde_json::to_string_pretty(&rows)? + "\n")?;
    }
    if let Some(path) = options.svg {
        plot::draw(&path, &rows)?;
    }
    Ok(())
}
