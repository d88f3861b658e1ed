//! The command line: which of the trials are made, and for how long.

use std::time::{Duration, Instant};

use lexopt::prelude::*;
use rustix::process::{Resource, getrlimit, setrlimit};

use crate::serve::DOORS;
use crate::settings::Settings;
use crate::{Failure, fairness, idle, memory, serve, stops, storms};

const HELP: &str = "\
Attacks the server, by both its doors, and stops it amid that, on this machine alone.

cargo run --release -p torture -- [FLAG ...] [TRIAL ...]

  stops        stops with all kinds of client at once, by both doors on every runtime in turn
  idle         10,000 idle connections, and a stop
  signals      storms of signals: at the start, under load, while it drains
  connects     a storm of connects, and a stop
  descriptors  more connections than the server may open files, and a stop
  memory       a million requests: what the server holds before and after
  fairness     another client's latencies under each attack, a table

All are made unless some are named.

  --seconds N     how long the stops go on, and the attacks all in all (60)
  --stops N       N stops, however long they take
  --seed N        of all that is random (of the time)
  --jobs N        how many stops at once (4)
  --kind TEXT     only clients whose kind contains TEXT; repeatable
  --without TEXT  no clients whose kind contains TEXT; repeatable
  --door NAME     only by this door, tide or axum; repeatable
  --runtime NAME  only on this runtime; repeatable
  --requests N    for `memory` (1,000,000)
  --connections N for `idle` (10,000)
  --peer NAME=COMMAND   attacks this server too; repeatable

The exit code is 1 if a request was lost, an answer was wrong, a connection was reset, or a stop was late.
";

/// A trial: its name, and what makes it. It returns what it found wrong.
type Trial = (&'static str, fn(&Settings) -> Result<Vec<String>, Failure>);

const TRIALS: [Trial; 7] = [
    ("stops", stops::run),
    ("idle", idle::run),
    ("signals", storms::signals),
    ("connects", storms::connects),
    ("descriptors", storms::descriptors),
    ("memory", memory::run),
    ("fairness", fairness::run),
];

/// Does what the command line asks for.
///
/// # Errors
///
/// A flag is not understood, a trial could not be made, or something is wrong.
pub(crate) fn run() -> Result<(), Failure> {
    let mut flags = lexopt::Parser::from_env();
    let (mut settings, mut trials) = (Settings::default(), Vec::new());
    while let Some(flag) = flags.next()? {
        match flag {
            Long("help") | Short('h') => {
                print!("{HELP}");
                return Ok(());
            }
            Long("serve") => {
                let server = flags.value()?.string()?;
                return serve::serve(&server, &mut flags);
            }
            Value(name) => trials.push(name.string()?),
            Long(name) => {
                let name = name.to_owned();
                settings.set(&name, flags.value()?.string()?)?;
            }
            Short(_) => return Err(flag.unexpected().into()),
        }
    }
    make(&settings, &trials)
}

impl Settings {
    /// Returns true if clients of the kind of this name are wanted.
    pub(crate) fn wants(&self, kind: &str) -> bool {
        let named = |text: &String| kind.contains(text.as_str());
        let unwanted = self.without.iter().any(named);
        !unwanted && (self.kinds.is_empty() || self.kinds.iter().any(named))
    }

    /// Returns the servers of a trial: each door on each of these runtimes, or on those that are asked for.
    pub(crate) fn servers(&self, runtimes: &[&str]) -> Vec<String> {
        let or = |wanted: &[String], all: &[&str]| match wanted {
            [] => all.iter().map(|&name| name.to_owned()).collect(),
            wanted => wanted.to_vec(),
        };
        let doors = or(&self.doors, &DOORS);
        let runtimes = or(&self.runtimes, runtimes);
        let on = |runtime| doors.iter().map(move |door| format!("{door} on {runtime}"));
        runtimes.iter().flat_map(on).collect()
    }

    fn set(&mut self, name: &str, value: String) -> Result<(), Failure> {
        match name {
            "seconds" => self.length = Duration::from_secs_f64(value.parse()?),
            "stops" => self.stops = Some(value.parse()?),
            "seed" => self.seed = value.parse()?,
            "jobs" => self.jobs = value.parse()?,
            "kind" => self.kinds.push(value),
            "without" => self.without.push(value),
            "door" => self.doors.push(value),
            "runtime" => self.runtimes.push(value),
            "requests" => self.requests = value.parse()?,
            "connections" => self.connections = value.parse()?,
            "peer" => {
                let (name, command) = value.split_once('=').ok_or("not NAME=COMMAND")?;
                self.peers.push((name.to_owned(), command.to_owned()));
            }
            _ => return Err(format!("no such flag: --{name}").into()),
        }
        Ok(())
    }
}

/// Makes the trials of these names, or all.
fn make(settings: &Settings, names: &[String]) -> Result<(), Failure> {
    if let Some(name) = names
        .iter()
        .find(|name| TRIALS.iter().all(|(known, _)| known != name))
    {
        return Err(format!("no such trial: {name}; see --help").into());
    }
    allow_most_descriptors()?;
    println!("seed {}", settings.seed);
    let mut wrong = Vec::new();
    for (name, trial) in TRIALS {
        if names.is_empty() || names.iter().any(|wanted| wanted == name) {
            println!("\n== {name}");
            let began = Instant::now();
            let found = trial(settings).map_err(|error| format!("{name}: {error}"))?;
            println!(
                "{name}: {} wrong, {:.1} s",
                found.len(),
                began.elapsed().as_secs_f64()
            );
            wrong.extend(found.into_iter().map(|found| format!("{name}: {found}")));
        }
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(format!("wrong, with seed {}:\n{}", settings.seed, wrong.join("\n")).into()),
    }
}

/// Raises the limit on open files as far as possible: each connection takes one on either side.
fn allow_most_descriptors() -> Result<(), Failure> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    Ok(setrlimit(Resource::Nofile, limit)?)
}
