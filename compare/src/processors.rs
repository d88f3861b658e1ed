//! Which processors the servers have, and which the load has.

use std::io;
use std::thread;

use rustix::thread::{CpuSet, sched_setaffinity};

/// The processors of this machine, divided between the servers and the load.
#[derive(Debug, Clone)]
pub(crate) struct Processors {
    pub(crate) server: Vec<usize>,
    pub(crate) load: Vec<usize>,
}

impl Processors {
    /// Gives the first `server` processors to the servers, and the others to the load. If there are
    /// no others, both have all.
    pub(crate) fn divide(server: usize) -> Processors {
        let all = Processors::count();
        let server = server.clamp(1, all);
        let load = if server == all { 0..all } else { server..all };
        Processors {
            server: (0..server).collect(),
            load: load.collect(),
        }
    }

    /// Returns how many processors this process may use.
    pub(crate) fn count() -> usize {
        thread::available_parallelism().map_or(1, usize::from)
    }

    /// Restricts the calling thread, and everything it starts from now on, to these processors.
    pub(crate) fn pin(processors: &[usize]) -> io::Result<()> {
        let mut set = CpuSet::new();
        processors.iter().for_each(|processor| set.set(*processor));
        Ok(sched_setaffinity(None, &set)?)
    }
}
