//! A server program that is to be measured.

use crate::Failure;
use crate::runtimes::RUNTIMES;

/// What is measured: a command with a name.
#[derive(Debug, Clone)]
pub(crate) struct Contender {
    pub(crate) name: String,
    /// The program and its arguments.
    pub(crate) command: Vec<String>,
    pub(crate) threads: usize,
}

impl Contender {
    /// Returns true if it is neap, on any runtime.
    pub(crate) fn is_ours(&self) -> bool {
        self.name.starts_with("neap ")
    }

    /// Parses `NAME=COMMAND` or `NAME*THREADS=COMMAND`. White space separates the words of the command.
    pub(crate) fn parse(text: &str) -> Result<Contender, Failure> {
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
}

/// This program on each runtime, and on smol with several threads too.
pub(crate) fn of_neap(processors: usize) -> Result<Vec<Contender>, Failure> {
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
