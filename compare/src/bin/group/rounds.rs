//! Rounds in which every peer has a process of its own.

use std::error::Error;
use std::process::{Command, Stdio, exit};
use std::time::{Duration, Instant};
use std::{env, thread};

use serde::{Deserialize, Serialize};

use crate::allocator;
use crate::meter::{Figures, Plan};
use crate::peers::{PEERS, Peer, Way, errgroup};

/// A process that is not done by then has lost a service.
const LIMIT: Duration = Duration::from_secs(120);

/// So many services outweigh what is allocated once.
const MANY: usize = 100_000;

/// How many rounds a slow peer has, at most.
const SLOW_ROUNDS: usize = 2;

/// How much is measured.
pub struct Scale {
    pub services: Vec<usize>,
    pub rounds: usize,

    /// How many services the groups of one sample have together, at least.
    sample: usize,

    /// How many groups they are at the most.
    groups: usize,
}

impl Scale {
    pub fn full() -> Scale {
        Scale {
            services: vec![1, 1_000, 100_000, 1_000_000],
            rounds: 5,
            sample: 20_000,
            groups: 2_000,
        }
    }

    /// As little as proves that every peer starts and joins its services.
    pub fn quick() -> Scale {
        Scale {
            services: vec![1, 1_000, 20_000],
            rounds: 2,
            sample: 2_000,
            groups: 200,
        }
    }

    /// How many groups a sample has, beside the one to warm up.
    fn groups(&self, services: usize) -> usize {
        (self.sample / services.max(1)).clamp(1, self.groups)
    }
}

/// What a service costs, as one process measured it.
#[derive(Serialize, Deserialize)]
struct Sample {
    start: f64,
    stop: f64,
    bytes: f64,
}

/// What all rounds say of one peer and one number of services: figures for each service.
#[derive(Serialize)]
pub struct Row {
    pub peer: &'static str,
    pub services: usize,
    pub groups_per_sample: usize,
    pub start_ns: Vec<f64>,
    pub stop_and_join_ns: Vec<f64>,
    pub bytes: f64,
}

/// A process that measures one peer.
pub struct Child {
    pub name: String,
    pub services: usize,
    pub groups: usize,
    pub count: bool,
}

impl Child {
    /// Measures, and prints a line of JSON.
    pub fn measure(self) -> Result<(), Box<dyn Error>> {
        thread::spawn(|| {
            thread::sleep(LIMIT);
            eprintln!("not done after {LIMIT:?}");
            exit(1);
        });
        let peer = PEERS.iter().find(|peer| peer.name == self.name);
        let Some(Way::Here(measure)) = peer.map(|peer| &peer.way) else {
            return Err("there is no such peer".into());
        };
        if self.count {
            allocator::count();
        }
        // One more, the first, to warm up, so that what an executor allocates once is there. For
        // bytes that no longer shows when services are many.
        let warm_up = usize::from(!self.count || self.services < MANY);
        let (services, groups) = (self.services, self.groups + warm_up);
        let figures = measure(Plan { services, groups });
        assert_eq!(figures.len(), groups, "as many groups as asked for");
        let figures = &figures[warm_up..];
        let each = |of: fn(&Figures) -> f64| {
            figures.iter().map(of).sum::<f64>() / (services * figures.len()) as f64
        };
        let sample = Sample {
            start: each(|figures| figures.start.as_nanos() as f64),
            stop: each(|figures| figures.stop.as_nanos() as f64),
            bytes: each(|figures| figures.bytes as f64),
        };
        println!("{}", serde_json::to_string(&sample)?);
        Ok(())
    }
}

/// Those to measure; the programs of the others are there.
fn present(only: &str) -> Vec<&'static Peer> {
    let asked = |peer: &&Peer| peer.name.contains(only);
    let is_go = |peer: &&Peer| matches!(peer.way, Way::Go(_));
    let mut peers: Vec<_> = PEERS.iter().filter(asked).collect();
    if peers.iter().any(is_go)
        && let Err(why) = errgroup::build()
    {
        eprintln!("left out, as it cannot be built: Go's errgroup ({why})");
        peers.retain(|peer| !is_go(peer));
    }
    peers
}

/// Measures everything, with progress on standard error.
pub fn run(scale: &Scale, only: &str) -> Result<Vec<Row>, Box<dyn Error>> {
    let peers = present(only);
    if peers.is_empty() {
        return Err("there is nobody to measure".into());
    }
    let since = Instant::now();
    let mut rows = Vec::new();
    for &services in &scale.services {
        let first = rows.len();
        for &peer in &peers {
            progress(since, services, "bytes", peer);
            let groups = scale.groups(services);
            let bytes = sample(peer, services, groups, true)?.bytes;
            rows.push(Row {
                peer: peer.name,
                services,
                groups_per_sample: groups,
                start_ns: Vec::new(),
                stop_and_join_ns: Vec::new(),
                bytes,
            });
        }
        for round in 0..scale.rounds {
            for index in (0..peers.len()).map(|index| (index + round) % peers.len()) {
                let (peer, row) = (peers[index], &mut rows[first + index]);
                if services >= peer.slow_from && round >= SLOW_ROUNDS {
                    continue;
                }
                let stage = format!("round {} of {}", round + 1, scale.rounds);
                progress(since, services, &stage, peer);
                let sample = sample(peer, services, row.groups_per_sample, false)?;
                row.start_ns.push(sample.start);
                row.stop_and_join_ns.push(sample.stop);
            }
        }
    }
    eprintln!("\r\x1b[Kdone in {:.0} s", since.elapsed().as_secs_f64());
    Ok(rows)
}

fn progress(since: Instant, services: usize, stage: &str, peer: &Peer) {
    let (seconds, name) = (since.elapsed().as_secs(), peer.name);
    eprint!("\r\x1b[K{seconds:>4} s, {services} services, {stage}: {name}");
}

/// Has a process measure a peer.
fn sample(
    peer: &Peer,
    services: usize,
    groups: usize,
    count: bool,
) -> Result<Sample, Box<dyn Error>> {
    let mut command = match peer.way {
        Way::Here(_) => {
            let mut command = Command::new(env::current_exe()?);
            command.args(["--child", peer.name]);
            command.args(["--services", &services.to_string()]);
            command.args(["--groups", &groups.to_string()]);
            command.args(count.then_some("--count"));
            command
        }
        Way::Go(threads) => {
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
