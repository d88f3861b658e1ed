//! Rounds in which every peer has a process of its own.

use std::error::Error;
use std::time::Instant;

use serde::Serialize;

use crate::peers::{PEERS, Peer, Program, errgroup};
use crate::sample::{Sample, Task};
use crate::scale::Scale;

/// How many rounds a slow peer has, at most.
const SLOW_ROUNDS: usize = 2;

/// All samples of one peer at one number of services, for each service.
#[derive(Serialize)]
pub struct Row {
    pub peer: &'static str,
    pub services: usize,
    pub groups_per_sample: usize,
    pub start_ns: Vec<f64>,
    pub stop_and_join_ns: Vec<f64>,
    pub bytes: f64,
}

/// Measures all peers whose name contains `only`, with progress on standard error.
///
/// # Errors
///
/// There is no such peer, or a process that measures one fails.
pub fn run(scale: &Scale, only: &str) -> Result<Vec<Row>, Box<dyn Error>> {
    let peers = present(only);
    if peers.is_empty() {
        return Err("no peer has such a name".into());
    }
    let since = Instant::now();
    let mut rows = Vec::new();
    for &services in &scale.services {
        let groups = scale.groups(services);
        let times = Task {
            services,
            groups,
            count: false,
        };
        let mut more = weigh(&peers, services, groups, since)?;
        for round in 0..scale.rounds {
            for index in (0..peers.len()).map(|index| (index + round) % peers.len()) {
                let (peer, row) = (peers[index], &mut more[index]);
                if services >= peer.slow_from && round >= SLOW_ROUNDS {
                    continue;
                }
                let stage = format!("round {} of {}", round + 1, scale.rounds);
                progress(since, services, &stage, peer);
                let sample = Sample::of(peer, &times)?;
                row.start_ns.push(sample.start);
                row.stop_and_join_ns.push(sample.stop);
            }
        }
        rows.append(&mut more);
    }
    eprintln!("\r\x1b[Kdone in {:.0} s", since.elapsed().as_secs_f64());
    Ok(rows)
}

/// Returns the peers whose name contains `only`, and whose program is there.
fn present(only: &str) -> Vec<&'static Peer> {
    let asked = |peer: &&Peer| peer.name.contains(only);
    let is_go = |peer: &&Peer| matches!(peer.program, Program::Go(_));
    let mut peers: Vec<_> = PEERS.iter().filter(asked).collect();
    if peers.iter().any(is_go)
        && let Err(why) = errgroup::build()
    {
        eprintln!("left out, as it cannot be built: Go's errgroup ({why})");
        peers.retain(|peer| !is_go(peer));
    }
    peers
}

/// Makes a row for each peer, with the bytes that a service holds.
fn weigh(
    peers: &[&'static Peer],
    services: usize,
    groups: usize,
    since: Instant,
) -> Result<Vec<Row>, Box<dyn Error>> {
    let row = |&peer: &&'static Peer| {
        progress(since, services, "bytes", peer);
        let task = Task {
            services,
            groups,
            count: true,
        };
        Ok(Row {
            peer: peer.name,
            services,
            groups_per_sample: groups,
            start_ns: Vec::new(),
            stop_and_join_ns: Vec::new(),
            bytes: Sample::of(peer, &task)?.bytes,
        })
    };
    peers.iter().map(row).collect()
}

fn progress(since: Instant, services: usize, stage: &str, peer: &Peer) {
    let (seconds, name) = (since.elapsed().as_secs(), peer.name);
    eprint!("\r\x1b[K{seconds:>4} s, {services} services, {stage}: {name}");
}
