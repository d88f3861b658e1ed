//! A server program that is to be measured.

use std::path::{Path, PathBuf};

use crate::Failure;
use crate::program::DOORS;
use crate::runtimes::RUNTIMES;

/// What is measured: a command with a name.
#[derive(Debug, Clone)]
pub(crate) struct Contender {
    pub(crate) name: String,
    /// The program and its arguments.
    pub(crate) command: Vec<String>,
    pub(crate) threads: usize,
    /// The directory of the files that it serves.
    pub(crate) files: Option<PathBuf>,
}

impl Contender {
    /// Returns true if it is neap, on any runtime.
    pub(crate) fn is_ours(&self) -> bool {
        self.name.starts_with("neap ")
    }

    /// Returns true if it can have several threads: what runs in place cannot, nor what has a runtime
    /// of one thread.
    pub(crate) fn can_spread(&self) -> bool {
        let single = [" in place", " compio ", " monoio ", " glommio "];
        !single.iter().any(|text| self.name.contains(text))
    }

    /// Gives it these files and this number of threads.
    pub(crate) fn with(&self, files: &Path, threads: usize) -> Contender {
        Contender {
            files: Some(files.to_owned()),
            threads,
            ..self.clone()
        }
    }

    /// Runs it under another program.
    pub(crate) fn under(mut self, command: impl IntoIterator<Item = String>) -> Contender {
        self.command.splice(0..0, command);
        self
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
            files: None,
        })
    }
}

/// This program by each door on each runtime, and on smol with several threads too.
pub(crate) fn of_neap(processors: usize) -> Result<Vec<Contender>, Failure> {
    let program = std::env::current_exe()?;
    let program = program
        .to_str()
        .ok_or("this program's path is not Unicode")?;
    let contender = |door: &str, runtime: &str, threads: usize| Contender {
        name: match threads {
            1 => format!("neap {door} {runtime}"),
            _ => format!("neap {door} {runtime}, {threads} threads"),
        },
        command: [program, "--serve", &format!("{door} {runtime}")]
            .map(str::to_owned)
            .to_vec(),
        threads,
        files: None,
    };
    let mut all = Vec::new();
    for door in DOORS {
        for (runtime, _) in RUNTIMES {
            all.push(contender(door, runtime, 1));
            if *runtime == "on smol" {
                all.push(contender(door, runtime, processors.max(2)));
            }
        }
    }
    Ok(all)
}
