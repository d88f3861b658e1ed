//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::*;

use super::Failure;
use super::contender::{Contender, Processors};
use super::round::Settings;
use super::runtimes::RUNTIMES;

/// What this process is to do.
#[derive(Debug)]
pub(crate) enum Wish {
    /// Be what is measured, on the runtime of this name.
    Serve(String),
    Compare(Flags),
}

#[derive(Debug)]
pub(crate) struct Flags {
    pub(crate) settings: Settings,
    pub(crate) rounds: usize,
    pub(crate) contenders: Vec<Contender>,
    pub(crate) json: Option<PathBuf>,
    pub(crate) svg: Option<PathBuf>,
}

impl Default for Flags {
    fn default() -> Self {
        let all = std::thread::available_parallelism().map_or(1, usize::from);
        let settings = Settings {
            length: Duration::from_secs(1),
            connections: 64,
            idle: 1000,
            starts: 3,
            processors: Processors::share(all / 2),
        };
        Flags {
            settings,
            rounds: 3,
            contenders: Vec::new(),
            json: None,
            svg: None,
        }
    }
}

impl Flags {
    /// How it was measured, in a sentence.
    pub(crate) fn describe(&self) -> String {
        let Settings {
            length,
            connections,
            idle,
            starts,
            processors,
        } = &self.settings;
        format!(
            "{} interleaved rounds; in each, {connections} connections for {length:?}, {idle} idle \
             connections, {} starts, {starts} stops when idle, one with a request in flight and one \
             under load. Servers on processors {:?}, the load on {:?}.",
            self.rounds,
            starts + 1,
            processors.server,
            processors.load,
        )
    }
}

/// # Errors
///
/// A flag or its value is not understood; the message names it.
pub(crate) fn parse() -> Result<Wish, Failure> {
    let mut flags = Flags::default();
    let (mut peers, mut only, mut own) = (Vec::new(), Vec::new(), true);
    let mut parser = lexopt::Parser::from_env();
    while let Some(arg) = parser.next()? {
        let settings = &mut flags.settings;
        match arg {
            Long("serve") => return Ok(Wish::Serve(parser.value()?.string()?)),
            Long("rounds") => flags.rounds = parser.value()?.parse_with(positive)?,
            Long("seconds") => settings.length = parser.value()?.parse_with(seconds)?,
            Long("connections") => settings.connections = parser.value()?.parse_with(positive)?,
            Long("idle") => settings.idle = parser.value()?.parse_with(positive)?,
            Long("starts") => settings.starts = parser.value()?.parse()?,
            Long("server-processors") => {
                settings.processors = Processors::share(parser.value()?.parse_with(positive)?);
            }
            Long("only") => only.push(parser.value()?.string()?),
            Long("only-peers") => own = false,
            Long("peer") => peers.push(parser.value()?.parse_with(peer)?),
            Long("json") => flags.json = Some(parser.value()?.into()),
            Long("svg") => flags.svg = Some(parser.value()?.into()),
            _ => return Err(arg.unexpected().into()),
        }
    }
    if own {
        flags.contenders = own_contenders(flags.settings.processors.server.len())?;
    }
    flags.contenders.extend(peers);
    if !only.is_empty() {
        let wanted = |name: &str| only.iter().any(|only| name.contains(only.as_str()));
        flags.contenders.retain(|contender| wanted(&contender.name));
    }
    match flags.contenders.is_empty() {
        true => Err("nothing to compare: no contender has such a name".into()),
        false => Ok(Wish::Compare(flags)),
    }
}

/// This very program on each runtime, and on smol with several threads, too.
fn own_contenders(processors: usize) -> Result<Vec<Contender>, Failure> {
    let program = std::env::current_exe()?;
    let program = program
        .to_str()
        .ok_or("this program's path is not Unicode")?;
    let contender = |runtime: &str, threads: usize| Contender {
        name: match (runtime, threads) {
            ("in place", _) => "neap in place".to_owned(),
            (_, 1) => format!("neap on {runtime}"),
            _ => format!("neap on {runtime}, {threads} threads"),
        },
        command: [program, "--serve", runtime].map(str::to_owned).to_vec(),
        threads,
    };
    let mut all: Vec<_> = RUNTIMES
        .iter()
        .map(|(runtime, _)| contender(runtime, 1))
        .collect();
    all.insert(2, contender("smol", processors.max(2)));
    Ok(all)
}

fn positive(text: &str) -> Result<usize, Failure> {
    match text.parse()? {
        0 => Err("must be more than 0".into()),
        number => Ok(number),
    }
}

/// More than nothing, and not so long that a count of nanoseconds in 32 bits would not do.
fn seconds(text: &str) -> Result<Duration, Failure> {
    let seconds: f64 = text.parse()?;
    match seconds > 0.0 && seconds <= 600.0 {
        true => Ok(Duration::from_secs_f64(seconds)),
        false => Err("not within 600 seconds".into()),
    }
}

/// `NAME=COMMAND`, or `NAME*THREADS=COMMAND`. White space divides the command.
fn peer(text: &str) -> Result<Contender, Failure> {
    let (name, command) = text.split_once('=').ok_or("not NAME=COMMAND")?;
    let (name, threads) = match name.rsplit_once('*') {
        Some((name, threads)) => (name, threads.parse()?),
        None => (name, 1),
    };
    Ok(Contender {
        name: name.to_owned(),
        command: command.split_whitespace().map(str::to_owned).collect(),
        threads,
    })
}
