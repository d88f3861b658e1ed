//! Random sleepers against a plain model of who runs when.
//!
//! Each sleeps for its periods in turn, and works between two of them: yields, asks another service,
//! spawns a child, adds a service. By the clock the work takes no time. So the model is a list of
//! sleepers by the time at which they end, and a test fails if the clock moves on too early, too
//! late or past one that sleeps, or wakes two in the wrong order.
//!
//! `NEAP_CLOCK_ROUNDS` is the number of rounds on each runtime, `NEAP_CLOCK_SEED` the first seed.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_channel::Sender;
use fastrand::Rng;
use futures_lite::future;
use neap::test::Clock;
use neap::{Group, Handle, Scope};

use crate::runtimes::{Runtime, on_all};

/// What a sleeper does between two sleeps.
#[derive(Clone, Copy, Debug)]
enum Work {
    Nothing,
    Yield(u32),

    /// Asks the service of this group that answers.
    Ask(usize),

    /// Spawns a child and waits for it.
    Spawn,

    /// Adds a service to this group and waits for it.
    Add(usize),
}

/// A service that sleeps for its periods in turn.
#[derive(Clone, Debug)]
struct Sleeper {
    group: usize,
    first: u64,
    turns: Vec<(Work, u64)>,
}

/// All that is random in a round.
#[derive(Debug)]
struct Scenario {
    /// How many groups there are: the second is beside the first, the third within it.
    groups: usize,
    sleepers: Vec<Sleeper>,
    moves: Vec<u64>,

    /// True if a service of the first group moves the clock.
    is_moved_within: bool,
}

impl Scenario {
    fn random(rng: &mut Rng, runtime: Runtime) -> Scenario {
        let groups = rng.usize(1..=3);
        // Who goes to sleep first at the start is given for one group in place alone.
        let may_begin_alike = groups == 1 && runtime.is_in_place();
        let mut firsts: Vec<u64> = (1..=40).collect();
        rng.shuffle(&mut firsts);
        let sleeper = |index: usize| Sleeper {
            group: rng.usize(0..groups),
            first: if may_begin_alike {
                rng.u64(1..5)
            } else {
                firsts[index]
            },
            turns: (0..rng.usize(1..4))
                .map(|_| (Work::random(rng, groups), rng.u64(1..20)))
                .collect(),
        };
        Scenario {
            groups,
            sleepers: (0..12).map(sleeper).collect(),
            moves: (0..6).map(|_| rng.u64(0..60)).collect(),
            is_moved_within: rng.bool(),
        }
    }

    /// Returns what is to have been noted after each move.
    fn expected(&self) -> Vec<Vec<(u64, usize)>> {
        let (mut now, mut number) = (0, self.sleepers.len());
        let firsts = self.sleepers.iter().enumerate();
        let firsts = firsts.map(|(index, sleeper)| Reverse((sleeper.first, index, index, 0)));
        let mut asleep: BinaryHeap<_> = firsts.collect();
        let mut all = Vec::new();
        for by in &self.moves {
            now += by;
            let mut noted = Vec::new();
            while let Some(&Reverse((at, _, index, turn))) = asleep.peek() {
                if at > now {
                    break;
                }
                asleep.pop();
                noted.push((at, index));
                let turns = &self.sleepers[index].turns;
                let period = turns[turn % turns.len()].1;
                asleep.push(Reverse((at + period, number, index, turn + 1)));
                number += 1;
            }
            all.push(noted);
        }
        all
    }
}

impl Work {
    fn random(rng: &mut Rng, groups: usize) -> Work {
        match rng.u32(0..5) {
            0 => Work::Nothing,
            1 => Work::Yield(rng.u32(1..5)),
            2 => Work::Ask(rng.usize(0..groups)),
            3 => Work::Spawn,
            _ => Work::Add(rng.usize(0..groups)),
        }
    }
}

/// What the services of a round share.
#[derive(Clone)]
struct World {
    clock: Clock,
    start: Instant,
    handles: Vec<Handle<'static>>,

    /// Where the service of each group that answers is asked.
    asked: Vec<Sender<Sender<()>>>,

    /// Who had a turn and when, in milliseconds.
    noted: Arc<Mutex<Vec<(u64, usize)>>>,
}

impl World {
    fn new(clock: &Clock, groups: &mut [Group<'static>]) -> World {
        let answers = |group: &mut Group<'static>| {
            let (asked, questions) = async_channel::unbounded::<Sender<()>>();
            group.race("answers", async move {
                while let Ok(reply) = questions.recv().await {
                    future::yield_now().await;
                    let _ = reply.try_send(());
                }
            });
            asked
        };
        World {
            clock: clock.clone(),
            start: clock.now(),
            handles: groups.iter().map(|group| group.handle()).collect(),
            asked: groups.iter_mut().map(answers).collect(),
            noted: Arc::default(),
        }
    }

    fn note(&self, index: usize) {
        let at = (self.clock.now() - self.start).as_millis() as u64;
        self.noted.lock().unwrap().push((at, index));
    }

    /// Does some work, and notes it where it is done.
    async fn work(&self, index: usize, work: Work, scope: &Scope<'static>) {
        let (done, is_done) = async_channel::bounded(1);
        let world = self.clone();
        let elsewhere = async move {
            future::yield_now().await;
            world.note(index);
            let _ = done.try_send(());
        };
        match work {
            Work::Nothing => self.note(index),
            Work::Yield(times) => {
                for _ in 0..times {
                    future::yield_now().await;
                }
                self.note(index);
            }
            Work::Ask(group) => {
                let (reply, replied) = async_channel::bounded(1);
                let _ = self.asked[group].try_send(reply);
                let _ = replied.recv().await;
                self.note(index);
            }
            Work::Spawn => {
                scope.spawn(elsewhere);
                let _ = is_done.recv().await;
            }
            Work::Add(group) => {
                let _ = self.handles[group].add("added", |_| elsewhere);
                let _ = is_done.recv().await;
            }
        }
    }

    async fn sleep_and_work(self, index: usize, sleeper: Sleeper, scope: Scope<'static>) {
        let mut period = sleeper.first;
        for (work, next) in sleeper.turns.into_iter().cycle() {
            self.clock.sleep(Duration::from_millis(period)).await;
            self.work(index, work, &scope).await;
            period = next;
        }
    }

    /// Moves the clock, and compares what was noted with the model.
    async fn check(self, scenario: Scenario, seed: u64) {
        for (index, expected) in scenario.expected().into_iter().enumerate() {
            let by = Duration::from_millis(scenario.moves[index]);
            self.clock.advance(by).await;
            let noted = std::mem::take(&mut *self.noted.lock().unwrap());
            assert_eq!(noted, expected, "seed {seed}, move {index}: {scenario:#?}");
        }
        for handle in &self.handles {
            handle.stop();
        }
    }
}

async fn round(runtime: Runtime, seed: u64) {
    let scenario = Scenario::random(&mut Rng::with_seed(seed), runtime);
    let clock = Clock::new();
    let groups = (0..scenario.groups).map(|_| runtime.group().clock(&clock));
    let mut groups: Vec<_> = groups.collect();
    let world = World::new(&clock, &mut groups);
    for (index, sleeper) in scenario.sleepers.iter().cloned().enumerate() {
        let (group, world) = (sleeper.group, world.clone());
        groups[group].add("sleeper", move |scope: Scope<'static>| async move {
            let token = scope.token();
            let sleeping = world.sleep_and_work(index, sleeper, scope);
            token.run_until_stopped(sleeping).await;
        });
    }
    let is_moved_within = scenario.is_moved_within;
    let mut check = Some(world.check(scenario, seed));
    let mut groups = groups.into_iter();
    let mut first = groups.next().unwrap();
    if let Some(check) = check.take_if(|_| is_moved_within) {
        first.add("check", |_| check);
    }
    let second = groups.next().unwrap_or_else(|| runtime.group());
    if let Some(third) = groups.next() {
        first.add("third", third.into_service());
    }
    let beside = async {
        if let Some(check) = check {
            check.await;
        }
    };
    let runs = future::zip(first.run(), second.run());
    let ((first, second), ()) = future::zip(runs, beside).await;
    first.unwrap();
    second.unwrap();
}

/// Returns a number from the environment.
fn number(name: &str, default: u64) -> u64 {
    let value = std::env::var(name).ok();
    value.map_or(default, |value| value.parse().expect("a number"))
}

#[test]
fn who_runs_when_is_as_in_the_model() {
    on_all(|runtime| async move {
        let first = number("NEAP_CLOCK_SEED", 0);
        for seed in first..first + number("NEAP_CLOCK_ROUNDS", 100) {
            round(runtime, seed).await;
        }
    });
}
