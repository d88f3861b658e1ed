//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::*;

use crate::Failure;
use crate::contender::{self, Contender};
use crate::load::{self, Load};
use crate::plot::Plot;
use crate::processors::Processors;
use crate::round::Settings;

/// What `--help` prints.
pub(crate) const HELP: &str = "\
Measures a server and a timer in one group, an axum Router and a tide app, on every runtime, and prints
tables in Markdown.

cargo run --release -p compare -- [FLAG ...]

  --rounds N              how many rounds (3)
  --seconds N             how long the load of a round goes on (1)
  --connections N         how many connections there are under load (64)
  --idle N                how many idle connections there are (1000)
  --starts N              how often an idle server is started and stopped in a round (3)
  --server-processors N   how many processors the servers have; the load has the others (half)
  --load NAME,...         measures these loads instead, or `all`: proxy, query, hello, json, megabyte,
                          download, upload, file-1mb, file-100mb, ahead, ahead-hello, paced, threads
  --rate N                the fixed rate of `paced`, per second, or 0.7 of what neap and the
                          baseline reach if that is less (80000)
  --instructions          counts the instructions per request of the loads, by valgrind's callgrind
  --requests N            how many requests it counts, instead of what is usual for the load
  --profiles DIR          where it leaves its profiles, for callgrind_annotate
  --syscalls              counts the system calls per request of the loads, by strace; one
                          connection sends one request after the other
  --baseline TEXT         ratios are to the first contender whose name begins so (axum)
  --only TEXT             measures only contenders whose name contains TEXT, or begins with it if a ^
                          stands before it; repeatable
  --peer NAME=COMMAND     measures another server program too; NAME*THREADS=COMMAND gives it
                          more threads than one; repeatable
  --only-peers            measures only those given by --peer
  --json FILE             writes all figures and samples as JSON
  --svg FILE[=NAME,...]   writes a plot, of those whose names these are, but for a version;
                          repeatable
  --note TEXT             stands below the title of the plots: the machine, and the date
  --help                  prints this

The exit code is 1 if a contender could not be measured, or if neap has lost a request at a stop.
";

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Request {
    /// To print the flags.
    Help,
    /// To be the program that is measured, by the door and on the runtime that these words name.
    Serve(String),
    /// To measure in rounds all that there is to a server.
    Rounds(Flags),
    /// To measure loads.
    Loads(Flags),
    /// To count instructions.
    Instructions(Flags),
    /// To count system calls.
    Syscalls(Flags),
}

/// The flags of a comparison.
#[derive(Debug)]
pub(crate) struct Flags {
    pub(crate) settings: Settings,
    pub(crate) rounds: usize,
    pub(crate) contenders: Vec<Contender>,
    pub(crate) loads: Vec<&'static Load>,
    /// The fixed rate, in requests per second.
    pub(crate) rate: f64,
    /// How many requests are counted, if not as many as is usual.
    pub(crate) requests: Option<usize>,
    /// Where profiles are left.
    pub(crate) profiles: Option<PathBuf>,
    /// How the name begins of the contender to which ratios are.
    baseline: String,
    pub(crate) json: Option<PathBuf>,
    pub(crate) plots: Vec<Plot>,
    /// Stands on the plots, below the title.
    pub(crate) note: String,
}

impl Default for Flags {
    fn default() -> Self {
        let settings = Settings {
            length: Duration::from_secs(1),
            connections: 64,
            idle: 1000,
            starts: 3,
            processors: Processors::divide(Processors::count() / 2),
        };
        Flags {
            settings,
            rounds: 3,
            contenders: Vec::new(),
            loads: Vec::new(),
            rate: 80_000.0,
            requests: None,
            profiles: None,
            baseline: "axum".to_owned(),
            json: None,
            plots: Vec::new(),
            note: String::new(),
        }
    }
}

impl Flags {
    /// Says in a sentence how it was measured.
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

    /// Says in a sentence how the loads were measured.
    pub(crate) fn describe_loads(&self) -> String {
        let Settings {
            length, processors, ..
        } = &self.settings;
        format!(
            "{} interleaved rounds of {length:?}, each with a new process. Servers on processors {:?}, \
             the load on {:?}; two threads have all of them, and the load too.",
            self.rounds, processors.server, processors.load,
        )
    }

    /// Returns true of the contender to which ratios are.
    pub(crate) fn is_baseline(&self, contender: &Contender) -> bool {
        contender.name.starts_with(&self.baseline)
    }

    /// Sets what a flag with a value says.
    fn set(&mut self, name: &str, value: OsString) -> Result<(), Failure> {
        let settings = &mut self.settings;
        match name {
            "rounds" => self.rounds = value.parse_with(positive)?,
            "seconds" => settings.length = value.parse_with(seconds)?,
            "connections" => settings.connections = value.parse_with(positive)?,
            "idle" => settings.idle = value.parse_with(positive)?,
            "starts" => settings.starts = value.parse()?,
            "server-processors" => {
                settings.processors = Processors::divide(value.parse_with(positive)?);
            }
            "load" => self.loads.extend(value.parse_with(load::named)?),
            "rate" => self.rate = value.parse_with(positive)? as f64,
            "requests" => self.requests = Some(value.parse_with(positive)?),
            "profiles" => self.profiles = Some(value.into()),
            "baseline" => self.baseline = value.string()?,
            "json" => self.json = Some(value.into()),
            "svg" => self.plots.push(value.parse_with(Plot::parse)?),
            "note" => self.note = value.string()?,
            _ => return Err(format!("invalid option '--{name}'").into()),
        }
        Ok(())
    }

    /// Leaves out the contenders of several threads: each load says how many there are.
    fn of_one_thread(mut self) -> Flags {
        self.contenders.retain(|contender| contender.threads == 1);
        self
    }

    /// Keeps the contenders that one of these texts names, or all if there are none.
    fn keep(&mut self, only: &[String]) -> Result<(), Failure> {
        let one = |name: &str, only: &String| match only.strip_prefix('^') {
            Some(only) => name.starts_with(only),
            None => name.contains(only),
        };
        let wanted = |name: &str| only.is_empty() || only.iter().any(|only| one(name, only));
        self.contenders.retain(|contender| wanted(&contender.name));
        match self.contenders.is_empty() {
            true => Err("nothing to compare: no contender has such a name".into()),
            false => Ok(()),
        }
    }
}

/// Reads the command line.
///
/// # Errors
///
/// A flag or its value is not understood; the message names it.
pub(crate) fn parse() -> Result<Request, Failure> {
    let mut flags = Flags::default();
    let (mut peers, mut only, mut own) = (Vec::new(), Vec::new(), true);
    let (mut instructions, mut syscalls) = (false, false);
    let mut parser = lexopt::Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            Long("help") | Short('h') => return Ok(Request::Help),
            Long("serve") => return Ok(Request::Serve(parser.value()?.string()?)),
            Long("instructions") => instructions = true,
            Long("syscalls") => syscalls = true,
            Long("only") => only.push(parser.value()?.string()?),
            Long("only-peers") => own = false,
            Long("peer") => peers.push(parser.value()?.parse_with(Contender::parse)?),
            Long(name) => {
                let name = name.to_owned();
                flags.set(&name, parser.value()?)?;
            }
            _ => return Err(arg.unexpected().into()),
        }
    }
    if own {
        flags.contenders = contender::of_neap(flags.settings.processors.server.len())?;
    }
    flags.contenders.extend(peers);
    flags.keep(&only)?;
    if flags.loads.is_empty() && instructions {
        flags.loads = load::named("proxy,query,hello,json")?;
    } else if flags.loads.is_empty() && syscalls {
        flags.loads = load::named("proxy")?;
    }
    Ok(match flags.loads.is_empty() {
        _ if instructions => Request::Instructions(flags.of_one_thread()),
        _ if syscalls => Request::Syscalls(flags.of_one_thread()),
        false => Request::Loads(flags.of_one_thread()),
        true => Request::Rounds(flags),
    })
}

/// Parses a number of more than 0.
fn positive(text: &str) -> Result<usize, Failure> {
    match text.parse()? {
        0 => Err("must be more than 0".into()),
        number => Ok(number),
    }
}

/// Parses a time of more than 0 and at most 600 seconds.
fn seconds(text: &str) -> Result<Duration, Failure> {
    let seconds: f64 = text.parse()?;
    match seconds > 0.0 && seconds <= 600.0 {
        true => Ok(Duration::from_secs_f64(seconds)),
        false => Err("not within 600 seconds".into()),
    }
}
