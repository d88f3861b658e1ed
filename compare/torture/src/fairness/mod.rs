//! Another client's latencies under each attack, beside those of other servers.
//!
//! The servers have the first half of the processors, the attackers and the other client the rest. The
//! other client's thread goes first there, where the system allows that, so that what it waits for is
//! the server.

mod attacks;
mod other;

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use rustix::thread::{CpuSet, sched_setaffinity};

use self::attacks::{ATTACKS, Attack};
use self::other::Latencies;
use crate::Failure;
use crate::child::{Server, command};
use crate::settings::Settings;

/// How often each attack is made on each server.
const ROUNDS: usize = 2;
/// The group's drain timeout and cancel timeout.
const DRAIN: Duration = Duration::from_millis(2500);
/// How long a stop may take before its process is killed.
const PATIENCE: Duration = Duration::from_secs(10);
/// What a slow machine may add before a stop counts as late.
const SLACK: Duration = Duration::from_secs(3);
/// The 99th percentile that counts as starved, unless a peer does no better.
const STARVED: Duration = Duration::from_millis(250);
/// How long the turns of one connection may be in which the other client is accepted, read and answered:
/// they copy up to 1 MiB each into memory that the kernel has yet to find.
const TURNS: Duration = Duration::from_millis(6);

/// A server that is attacked.
struct Contender {
    name: String,
    /// The name of one of ours, or the command of a peer.
    server: Result<String, String>,
    /// For each attack.
    latencies: Vec<Latencies>,
    /// The longest time from the stop, amid the attack, to the exit.
    exits: Vec<Duration>,
}

/// Makes every attack on every server, in turn, and prints a table. Returns what is wrong.
pub(crate) fn run(settings: &Settings) -> Result<Vec<String>, Failure> {
    let mut contenders = contenders(settings);
    let trials = ROUNDS * ATTACKS.len() * contenders.len();
    let length = (settings.length / trials as u32).max(Duration::from_millis(500));
    for _ in 0..ROUNDS {
        for (nth, attack) in ATTACKS.iter().enumerate() {
            for contender in &mut contenders {
                contender.suffer(nth, attack, length)?;
            }
        }
    }
    print(&mut contenders);
    Ok(wrong(&mut contenders))
}

fn contenders(settings: &Settings) -> Vec<Contender> {
    let contender = |name: &str, server| Contender {
        name: name.to_owned(),
        server,
        latencies: ATTACKS.iter().map(|_| Latencies::default()).collect(),
        exits: vec![Duration::ZERO; ATTACKS.len()],
    };
    let ours = settings
        .servers(&["in-place", "smol", "thread-pool"])
        .into_iter();
    let ours = ours.map(|name| contender(&format!("neap, {name}"), Ok(name)));
    let peers = settings
        .peers
        .iter()
        .map(|(name, command)| contender(name, Err(command.clone())));
    ours.chain(peers).collect()
}

impl Contender {
    /// Makes an attack on a fresh server, measures the other client, and stops the server amid that.
    fn suffer(&mut self, nth: usize, attack: &Attack, length: Duration) -> Result<(), Failure> {
        let server = self.start()?;
        let (address, over) = (server.address, AtomicBool::new(false));
        thread::scope(|scope| {
            scope.spawn(|| (attack.make)(address, &over));
            // Until all of the attack is there.
            thread::sleep(Duration::from_millis(300));
            let other = scope.spawn(|| other::measure(address, length));
            let measured = other.join().map_err(|_| "the other client has panicked");
            let began = Instant::now();
            // A peer may have no deadline: it is killed. So is one of ours that does not end.
            if self.server.is_ok() {
                server.signal(Signal::TERM);
                let _ = server.wait_since(began, PATIENCE);
            } else {
                drop(server);
            }
            let took = began.elapsed();
            over.store(true, Relaxed);
            self.latencies[nth].extend(measured?);
            self.exits[nth] = self.exits[nth].max(took);
            Ok(())
        })
    }

    fn start(&self) -> Result<Server, Failure> {
        let mut command = match &self.server {
            Ok(name) => {
                let mut command = command(name)?;
                command.args(["--drain", "2000"]);
                command
            }
            Err(peer) => {
                let mut words = peer.split_whitespace();
                let mut command = Command::new(words.next().ok_or("no command")?);
                command.args(words);
                command
            }
        };
        let all = thread::available_parallelism().map_or(1, usize::from);
        let half = all / 2;
        // The process inherits the processors of the thread that starts it.
        pin(0..half.max(1))?;
        let server = Server::spawn(&mut command);
        pin(if half == 0 { 0..all } else { half..all })?;
        server
    }
}

/// Restricts this thread, and what it starts from now on, to these processors.
fn pin(processors: std::ops::Range<usize>) -> Result<(), Failure> {
    let mut set = CpuSet::new();
    processors.for_each(|processor| set.set(processor));
    Ok(sched_setaffinity(None, &set)?)
}

fn print(contenders: &mut [Contender]) {
    let names: Vec<_> = contenders
        .iter()
        .map(|contender| contender.name.clone())
        .collect();
    println!(
        "Another client's p50 / p99 / max in ms (answers), and after a slash the exit in s of a stop amid the attack:"
    );
    println!("| attack | {} |", names.join(" | "));
    println!("|---|{}", "---|".repeat(names.len()));
    for (nth, attack) in ATTACKS.iter().enumerate() {
        let cells = contenders.iter_mut().map(|contender| {
            let exit = contender.exits[nth].as_secs_f64();
            match contender.server {
                Ok(_) => format!("{}; {exit:.1}", contender.latencies[nth]),
                Err(_) => contender.latencies[nth].to_string(),
            }
        });
        println!(
            "| {} | {} |",
            attack.name,
            cells.collect::<Vec<_>>().join(" | ")
        );
    }
}

/// Returns which of ours starves its other clients, or stops late.
fn wrong(contenders: &mut [Contender]) -> Vec<String> {
    let mut found = Vec::new();
    for (nth, attack) in ATTACKS.iter().enumerate() {
        let peers = contenders
            .iter()
            .filter(|contender| contender.server.is_err());
        let worst = peers.map(|peer| peer.latencies[nth].percentile(99)).max();
        let limit = STARVED + TURNS * attack.turns;
        let limit = limit.max(worst.unwrap_or_default() * 2);
        for contender in contenders
            .iter()
            .filter(|contender| contender.server.is_ok())
        {
            let (name, latencies) = (&contender.name, &contender.latencies[nth]);
            if latencies.percentile(99) > limit || latencies.failed > 0 {
                found.push(format!("{name}: {}: {latencies}", attack.name));
            }
            if contender.exits[nth] > DRAIN + SLACK {
                found.push(format!(
                    "{name}: {}: exit after {:.1?}",
                    attack.name, contender.exits[nth]
                ));
            }
        }
    }
    found
}
