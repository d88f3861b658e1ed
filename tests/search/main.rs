//! Random groups against a reference model: does the group keep its guarantees, whatever happens?
//!
//! A [scenario](scenario) is drawn from a seed, [run](run) while every event is
//! [written down](record), and [the guarantees](model) are checked on what was written. One that
//! breaks a guarantee is [shrunk](shrink) and printed with the command that runs it again.
//!
//! | variable | meaning |
//! |---|---|
//! | `NEAP_SEARCH_ROUNDS` | how many seeds, instead of what each test has |
//! | `NEAP_SEARCH_FROM` | the first seed |
//! | `NEAP_SEARCH_SEED` | this seed alone |
//! | `NEAP_SEARCH_SKIP` | guarantees not to check, by the beginning of their names: `g07,g12` |
//! | `NEAP_SEARCH_WITHOUT` | leaves out of every scenario `cancel`, `cancel_one`, `ignore`, `restart` or `nested` |
//! | `NEAP_SEARCH_GO_ON` | if set, goes on after a breach, and prints the first of each kind |

#![allow(unreachable_pub, reason = "the modules of a test have no public")]

mod alone;
mod build;
mod hazard;
mod history;
mod model;
mod random;
mod record;
mod run;
mod scenario;
mod seed;
mod service;
mod shrink;
mod threads;
mod world;

use std::collections::BTreeMap;
use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::hazard::{PLANNED, Payload};
use crate::model::Breach;
use crate::record::History;
use crate::scenario::{Place, Scenario};

/// A round that takes longer never ends. Shrinking has a limit of its own, below this.
const STUCK: Duration = Duration::from_secs(150);

#[test]
fn in_place() {
    search(Place::Here, 3_000);
}

#[test]
fn on_an_executor() {
    search(Place::Ticked, 3_000);
}

#[test]
fn on_four_threads() {
    search(Place::Threads, 1_000);
}

/// Runs all rounds on a thread of its own, and fails if one of them never ends.
fn search(place: Place, rounds: u64) {
    silence_planned_panics();
    static CURRENT: AtomicU64 = AtomicU64::new(0);
    let (sender, receiver) = channel();
    let searching = thread::spawn(move || {
        let told = run_all(place, rounds, |seed| {
            CURRENT.store(seed, Ordering::Relaxed);
            let _ = sender.send(None);
        });
        let _ = sender.send(Some(told));
    });
    loop {
        match receiver.recv_timeout(STUCK) {
            Ok(None) => {}
            Ok(Some(told)) => {
                let _ = searching.join();
                assert!(told.is_empty(), "{told}");
                return;
            }
            Err(RecvTimeoutError::Timeout) => {
                let seed = CURRENT.load(Ordering::Relaxed);
                panic!("a poll never returns: {}", command(place, seed));
            }
            Err(RecvTimeoutError::Disconnected) => panic!("the search panicked"),
        }
    }
}

/// What was found, in words; nothing if all went well.
fn run_all(place: Place, rounds: u64, begins: impl Fn(u64)) -> String {
    let (begin, skip) = (Instant::now(), seed::skip());
    let mut found: BTreeMap<&str, String> = BTreeMap::new();
    let (mut count, mut events) = (0u64, 0);
    for seed in seed::seeds(place, rounds) {
        begins(seed);
        let scenario = Scenario::random(seed, place);
        for _ in 0..seed::repeats(place) {
            count += 1;
            let history = run::run(&scenario);
            events += history.events.len();
            let Some(breach) = model::check(&history, &skip) else {
                continue;
            };
            if !found.contains_key(breach.guarantee) {
                let (guarantee, after) = (breach.guarantee, begin.elapsed());
                let told = tell(history, breach, after);
                eprintln!("{told}");
                found.insert(guarantee, told);
            }
            if !seed::goes_on() {
                return found.into_values().collect();
            }
            break;
        }
    }
    let (name, took) = (place.name(), begin.elapsed());
    println!("{name}: {count} rounds, {events} events, {took:.1?}");
    found.into_values().collect()
}

/// The command that runs one seed again.
fn command(place: Place, seed: u64) -> String {
    let name = place.name();
    format!("NEAP_SEARCH_SEED={seed} cargo test --all-features --test search {name}")
}

/// A breach, shrunk, with the command that repeats it.
fn tell(history: History, breach: Breach, after: Duration) -> String {
    let command = command(history.scenario.place, history.scenario.seed);
    let mut told = format!(
        "{}: {}\n  found after {after:.1?}; run it again with\n  {command}\n",
        breach.guarantee, breach.how
    );
    let (history, breach) = shrink::shrink(history, breach);
    told += &format!("shrunk: {}\n{}", breach.how, history.scenario.summary());
    for event in &history.events {
        told += &format!("  {:>4} ms {:?}\n", event.at, event.what);
    }
    told + &format!("  {:?}\n", history.ending)
}

/// Panics that are planned are not printed; all others are.
fn silence_planned_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let payload = info.payload();
            let text = payload.downcast_ref::<&str>().copied();
            let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
            let planned = text.is_some_and(|text| text.starts_with(PLANNED));
            if !planned && !payload.is::<Payload>() {
                print(info);
            }
        }));
    });
}
