//! Rounds in which every peer has a process of its own.

use std::error::Error;

use figures::Progress;
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
    let mut progress = Progress::new(steps(scale, &peers));
    let mut rows = Vec::new();
    for &services in &scale.services {
        let groups = scale.groups(services);
        let times = Task {
            services,
            groups,
            count: false,
        };
        let mut more = weigh(&peers, services, groups, &mut progress)?;
        for round in 0..scale.rounds {
            for index in (0..peers.len()).map(|index| (index + round) % peers.len()) {
                let (peer, row) = (peers[index], &mut more[index]);
                if round >= rounds_of(scale, peer, services) {
                    continue;
                }
                let (nth, of, name) = (round + 1, scale.rounds, peer.name);
                progress.step(&format!("{services} services, round {nth} of {of}: {name}"));
                let sample = Sample::of(peer, &times)?;
                row.start_ns.push(sample.start);
                row.stop_and_join_ns.push(sample.stop);
            }
        }
        rows.append(&mut more);
    }
    progress.done();
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
    progress: &mut Progress,
) -> Result<Vec<Row>, Box<dyn Error>> {
    let row = |&peer: &&'static Peer| {
        progress.step(&format!("{services} services, bytes: {}", peer.name));
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

/// Returns how many rounds a peer has at this number of services.
fn rounds_of(scale: &Scale, peer: &Peer, services: usize) -> usize {
    if services >= peer.slow_from {
        scale.rounds.min(SLOW_ROUNDS)
    } else {
        scale.rounds
    }
}

/// Returns how many processes measure something.
fn steps(scale: &Scale, peers: &[&Peer]) -> usize {
    let sizes = scale.services.iter();
    let of_size = |&services: &usize| {
        let peers = peers.iter();
        // One more weighs the services.
        peers
            .map(|peer| 1 + rounds_of(scale, peer, services))
            .sum::<usize>()
    };
    sizes.map(of_size).sum()
}
