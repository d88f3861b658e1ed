//! Races that were lost once, each run over and over with pauses at random in the core.
//!
//! `RUSTFLAGS='--cfg neap_chaos' cargo test --release --no-default-features --test chaos`
//!
//! | variable | meaning |
//! |---|---|
//! | `NEAP_CHAOS_SECONDS` | how long each test goes on, instead of 10 |
//! | `NEAP_CHAOS_SEED` | the first seed, instead of 0 |

#![cfg(neap_chaos)]

use std::env;
use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use async_executor::Executor;
use futures_lite::future;
use neap::{Group, Handle, Scope, ServiceId, ServiceOptions};

/// A round that takes longer never ends.
const STUCK: Duration = Duration::from_secs(5);

/// An executor that four threads run, for good.
fn executor() -> &'static Executor<'static> {
    static EXECUTOR: OnceLock<Executor<'static>> = OnceLock::new();
    static RUNNING: OnceLock<()> = OnceLock::new();
    let executor = EXECUTOR.get_or_init(Executor::new);
    RUNNING.get_or_init(|| {
        for _ in 0..4 {
            thread::spawn(move || future::block_on(executor.run(pending::<()>())));
        }
    });
    executor
}

/// A group whose services have all the time there is: one that is not told never ends.
fn group() -> Group<'static> {
    Group::on(|task| executor().spawn(task).detach())
        .drain_timeout(Duration::MAX)
        .cancel_timeout(Duration::MAX)
}

/// What is noted of a service.
#[derive(Clone, Default)]
struct Mark(Arc<AtomicBool>);

impl Mark {
    fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

fn variable(name: &str, default: u64) -> u64 {
    let value = env::var(name).ok();
    value.map_or(default, |value| value.parse().unwrap())
}

/// Runs a story again and again, each time with a seed of its own, until the time is over or the
/// story says what is wrong.
fn repeat(story: fn(u64) -> Result<(), String>) {
    let first = variable("NEAP_CHAOS_SEED", 0);
    let time = Duration::from_secs(variable("NEAP_CHAOS_SECONDS", 10));
    let begin = Instant::now();
    let mut seed = first;
    while begin.elapsed() < time {
        neap::chaos::seed(seed);
        if let Err(wrong) = story(seed) {
            let (rounds, took) = (seed - first + 1, begin.elapsed());
            panic!("{wrong}; seed {seed}, round {rounds}, after {took:.1?}");
        }
        seed += 1;
    }
    println!("{} rounds in {:.1?}", seed - first, begin.elapsed());
}

/// Runs a group beside what acts on it from threads of their own; an error if it hangs.
fn run(group: Group<'static>, acts: Vec<Box<dyn FnOnce() + Send>>) -> Result<(), String> {
    let (ended, end) = channel();
    let handle = group.handle();
    let start = Arc::new(Barrier::new(acts.len() + 1));
    let begin = Arc::clone(&start);
    thread::spawn(move || {
        begin.wait();
        let _ = ended.send(future::block_on(group.run()).is_ok());
    });
    let acting: Vec<_> = acts
        .into_iter()
        .map(|act| {
            let begin = Arc::clone(&start);
            thread::spawn(move || {
                begin.wait();
                act();
            })
        })
        .collect();
    let ended = end.recv_timeout(STUCK);
    if ended.is_err() {
        return Err(format!("the group hangs:\n{}", handle.status()));
    }
    for thread in acting {
        thread.join().map_err(|_| "an act panicked".to_owned())?;
    }
    Ok(())
}

/// Adds a service that is ready once its thread says so; returns the word to say.
fn add_slow(group: &mut Group<'static>, name: &'static str, ready: &Mark) -> (ServiceId, Word) {
    let (word, words) = async_channel::bounded::<()>(1);
    let ready = ready.clone();
    let id = group
        .add(name, move |scope: Scope<'static>| {
            scope.starting();
            async move {
                let _ = words.recv().await;
                ready.set();
                scope.ready();
                scope.stopped().await;
            }
        })
        .background()
        .id();
    (id, word)
}

type Word = async_channel::Sender<()>;

/// Defect 1: one that needs two services is added while both become ready.
fn ready_while_added(seed: u64) -> Result<(), String> {
    let mut group = group();
    if seed % 2 == 0 {
        group = group.limit(2);
    }
    let (first, second, wrong) = (Mark::default(), Mark::default(), Mark::default());
    let (one, say_one) = add_slow(&mut group, "first", &first);
    let (two, say_two) = add_slow(&mut group, "second", &second);
    let handle = group.handle();
    let (done, is_done) = async_channel::bounded::<()>(1);
    group.add("until", move |_| async move {
        let _ = is_done.recv().await;
    });
    let broken = wrong.clone();
    let add = move || {
        let options = ServiceOptions::new().needs(one).needs(two);
        let added = handle.add_with("user", options, move |_| {
            if !first.is_set() || !second.is_set() {
                broken.set();
            }
            done.close();
            async {}
        });
        assert!(added.is_ok());
    };
    let one = move || assert!(say_one.close());
    let two = move || assert!(say_two.close());
    run(group, vec![Box::new(add), Box::new(one), Box::new(two)])?;
    if wrong.is_set() {
        return Err("the user started before both were ready".to_owned());
    }
    Ok(())
}

#[test]
fn g07_a_service_starts_once_both_needs_are_ready_whenever_it_is_added() {
    repeat(ready_while_added);
}

/// Defect 1: one is added that needs a service which is being stopped alone.
fn stopped_while_needed(_: u64) -> Result<(), String> {
    let mut group = group();
    let (told, wrong) = (Mark::default(), Mark::default());
    let is_told = told.clone();
    // It is there for as long as it may come to be needed.
    let (decided, is_decided) = async_channel::bounded::<()>(1);
    let needed = group.add("needed", move |scope: Scope<'static>| async move {
        scope.stopped().await;
        is_told.set();
        let _ = is_decided.recv().await;
    });
    let needed = needed.id();
    let (adder, stopper, end) = (group.handle(), group.handle(), group.handle());
    let broken = wrong.clone();
    let add = move || {
        let options = ServiceOptions::new().needs(needed);
        let user = move |scope: Scope<'static>| async move {
            if told.is_set() {
                broken.set();
            }
            scope.stopped().await;
            future::yield_now().await;
            if told.is_set() {
                broken.set();
            }
        };
        // It may come too late.
        let _ = adder.add_with("user", options, user);
        decided.close();
    };
    let stop = move || {
        stopper.stop_one(needed);
        end.stop();
    };
    run(group, vec![Box::new(add), Box::new(stop)])?;
    if wrong.is_set() {
        return Err("the needed was told before its user ended".to_owned());
    }
    Ok(())
}

#[test]
fn g07_a_service_is_told_after_all_that_need_it_whenever_they_are_added() {
    repeat(stopped_while_needed);
}

/// Defect 2: the last user of a background service ends together with the last of the foreground.
fn last_two_end_together(_: u64) -> Result<(), String> {
    let mut group = group();
    let (done, is_done) = async_channel::bounded::<()>(1);
    let needed = group
        .add("needed", |scope: Scope<'static>| async move {
            scope.stopped().await;
        })
        .background()
        .id();
    group
        .add("user", move |_| async move {
            let _ = is_done.recv().await;
        })
        .background()
        .needs(needed);
    group.add("last", move |scope: Scope<'static>| async move {
        scope.stopped().await;
        done.close();
    });
    let handle = group.handle();
    run(group, vec![Box::new(move || assert!(handle.stop()))])
}

#[test]
fn g16_a_needed_background_service_is_told_whoever_ends_last() {
    repeat(last_two_end_together);
}

/// Defect 3: the stop is awaited by a thread that then cancels.
fn cancelled_at_the_stop(_: u64) -> Result<(), String> {
    let mut group = group();
    let needed = group
        .add("needed", |_: Scope<'static>| pending::<()>())
        .id();
    group
        .add("user", |scope: Scope<'static>| async move {
            scope.stopped().await;
        })
        .needs(needed);
    let (handle, canceller) = (group.handle(), group.handle());
    let cancel = move || cancel_at_the_stop(&canceller);
    let stop = move || assert!(handle.stop());
    run(group, vec![Box::new(cancel), Box::new(stop)])
}

fn cancel_at_the_stop(handle: &Handle<'static>) {
    future::block_on(handle.token().stopped());
    handle.cancel();
}

#[test]
fn g12_a_cancel_does_not_overtake_the_stop() {
    repeat(cancelled_at_the_stop);
}

/// One of two that may not run at once stops the group and ends.
fn turn_after_the_stop(_: u64) -> Result<(), String> {
    let (mut group, started) = (group().limit(1), Mark::default());
    let (handle, is_started) = (group.handle(), started.clone());
    group.add("first", |_| async move {
        handle.stop();
    });
    group.add("second", move |_| async move { is_started.set() });
    run(group, Vec::new())?;
    if started.is_set() {
        return Err("the second started for a turn that came after the stop".to_owned());
    }
    Ok(())
}

#[test]
fn g17_nothing_that_waits_starts_after_the_stop() {
    repeat(turn_after_the_stop);
}
