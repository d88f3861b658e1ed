//! A sample: what one process measured of one peer.

use std::error::Error;
use std::process::{Command, Stdio, exit};
use std::time::Duration;
use std::{env, thread};

use serde::{Deserialize, Serialize};

use crate::allocator;
use crate::meter::{Cost, Plan};
use crate::peers::{PEERS, Peer, Program, errgroup};

/// A process that takes longer has lost a service.
const LIMIT: Duration = Duration::from_secs(120);

/// With this many services in a group, what is allocated once no longer matters.
const MANY: usize = 100_000;

/// What a process is to measure: times, or bytes if `count` is true.
pub struct Task {
    pub services: usize,
    pub groups: usize,
    pub count: bool,
}

/// What a service costs, in nanoseconds and bytes, as one process measured it.
#[derive(Serialize, Deserialize)]
pub struct Sample {
    pub start: f64,
    pub stop: f64,
    pub bytes: f64,
}

impl Sample {
    /// Starts a process that measures a peer, and waits for its end.
    ///
    /// # Errors
    ///
    /// The process cannot be started, or does not succeed.
    pub fn of(peer: &Peer, task: &Task) -> Result<Sample, Box<dyn Error>> {
        let Task {
            services,
            groups,
            count,
        } = *task;
        let mut command = match peer.program {
            Program::Rust(_) => {
                let mut command = Command::new(env::current_exe()?);
                command.args(["--child", peer.name]);
                command.args(["--services", &services.to_string()]);
                command.args(["--groups", &groups.to_string()]);
                command.args(count.then_some("--count"));
                command
            }
            Program::Go(threads) => {
                let mut command = Command::new(errgroup::program());
                command.arg(format!("-services={services}"));
                command.arg(format!("-groups={groups}"));
                command.arg(format!("-threads={threads}"));
                command.arg(format!("-limit={}s", LIMIT.as_secs()));
                command.args(count.then_some("-count"));
                command
            }
        };
        let output = command.stderr(Stdio::inherit()).output()?;
        if !output.status.success() {
            let (name, status) = (peer.name, output.status);
            return Err(format!("{name} with {services} services: {status}").into());
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// Measures the peer of this name in this process.
    ///
    /// # Errors
    ///
    /// There is no such peer, or its program is not this one.
    pub fn here(name: &str, task: &Task) -> Result<Sample, Box<dyn Error>> {
        thread::spawn(|| {
            thread::sleep(LIMIT);
            eprintln!("not done after {LIMIT:?}");
            exit(1);
        });
        let peer = PEERS.iter().find(|peer| peer.name == name);
        let Some(Program::Rust(measure)) = peer.map(|peer| &peer.program) else {
            return Err("there is no such peer".into());
        };
        if task.count {
            allocator::count();
        }
        // The first group is there to warm up, so that what an executor allocates once is allocated.
        // For bytes that does not matter when services are many.
        let warm_up = usize::from(!task.count || task.services < MANY);
        let (services, groups) = (task.services, task.groups + warm_up);
        let costs = measure(Plan { services, groups });
        assert_eq!(costs.len(), groups, "as many groups as asked for");
        Ok(Sample::mean(&costs[warm_up..], services))
    }

    fn mean(costs: &[Cost], services: usize) -> Sample {
        let each = |of: fn(&Cost) -> f64| {
            costs.iter().map(of).sum::<f64>() / (services * costs.len()) as f64
        };
        Sample {
            start: each(|cost| cost.start.as_nanos() as f64),
            stop: each(|cost| cost.stop.as_nanos() as f64),
            bytes: each(|cost| cost.bytes as f64),
        }
    }
}
