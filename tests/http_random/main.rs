//! Random servers and clients against a model: what is answered, limited and counted, whatever happens.
//!
//! A [plan](plan) is drawn from a seed, and [run](run) on a network in memory by a clock that moves by itself: one or
//! two servers with random [limits](neap::http::Server#limits), clients that pipeline, upload without end,
//! upgrade, stall and go away, and a stop or a cancel at any moment. Each client checks its answers, and at the
//! end the [counters](neap::http::Counters) and the [access logs](neap::http::AccessLog) have to be what clients and
//! handlers have seen.
//!
//! | variable | meaning |
//! |---|---|
//! | `NEAP_HTTP_ROUNDS` | how many seeds, instead of 600 |
//! | `NEAP_HTTP_FROM` | the first seed |
//! | `NEAP_HTTP_SEED` | this seed alone |

#![cfg(feature = "http")]
#![allow(unreachable_pub, reason = "the modules of a test have no public")]

mod app;
mod check;
mod client;
mod plan;
mod records;
mod run;
mod threads;
#[cfg(feature = "tide")]
mod tide_app;
mod wire;

use std::env;
use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::plan::Plan;

/// The message of the panics that are part of a plan.
const PLANNED: &str = "as planned";

/// A round that takes longer never ends.
const STUCK: Duration = Duration::from_secs(60);

fn variable(name: &str, otherwise: u64) -> u64 {
    let value = env::var(name).ok();
    value.map_or(otherwise, |value| value.parse().unwrap())
}

fn seeds() -> std::ops::Range<u64> {
    if let Ok(seed) = env::var("NEAP_HTTP_SEED") {
        let seed = seed.parse().unwrap();
        return seed..seed + 1;
    }
    let from = variable("NEAP_HTTP_FROM", 1);
    from..from + variable("NEAP_HTTP_ROUNDS", 600)
}

/// Has no message for panics that are planned.
fn silence_planned_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if info.payload().downcast_ref() != Some(&PLANNED) {
                usual(info);
            }
        }));
    });
}

fn breaches(plan: &Plan) -> Vec<String> {
    check::check(plan, &run::run(plan))
}

/// How long to look for a smaller plan.
const SHRINKING: Duration = Duration::from_secs(20);

/// Returns a plan of which each part is needed for something to be wrong, as far as there is time to find it.
fn shrunk(mut plan: Plan) -> Plan {
    let begin = Instant::now();
    let is_wrong = |plan: &Plan| begin.elapsed() < SHRINKING && !breaches(plan).is_empty();
    while let Some(smaller) = plan.smaller().into_iter().find(is_wrong) {
        plan = smaller;
    }
    plan
}

/// Runs all rounds. Returns what was found, in words; nothing if all went well.
fn search(begins: impl Fn(u64)) -> String {
    for seed in seeds() {
        begins(seed);
        let plan = Plan::random(seed);
        if !breaches(&plan).is_empty() {
            let plan = shrunk(plan);
            let found = breaches(&plan).join("\n");
            let again = "cargo test --all-features --test http_random";
            return format!("NEAP_HTTP_SEED={seed} {again}\nshrunk to:\n{plan}{found}");
        }
    }
    String::new()
}

#[test]
fn whatever_happens_the_answers_and_the_counts_are_right() {
    silence_planned_panics();
    // There is no logger: the records go no further than to the filter of each access log.
    log::set_max_level(log::LevelFilter::Info);
    static CURRENT: AtomicU64 = AtomicU64::new(0);
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let told = search(|seed| {
            CURRENT.store(seed, Ordering::Relaxed);
            let _ = sender.send(None);
        });
        let _ = sender.send(Some(told));
    });
    loop {
        let seed = || CURRENT.load(Ordering::Relaxed);
        match receiver.recv_timeout(STUCK) {
            Ok(None) => {}
            Ok(Some(found)) => return assert!(found.is_empty(), "{found}"),
            Err(RecvTimeoutError::Timeout) => panic!("NEAP_HTTP_SEED={} never ends", seed()),
            Err(RecvTimeoutError::Disconnected) => panic!("NEAP_HTTP_SEED={} panics", seed()),
        }
    }
}
