//! Plans that are large, and plans that are random.

use std::future::pending;
use std::time::{Duration, Instant};

use fastrand::Rng;
use futures_lite::future;
use neap::test::{Event, Recorder};
use neap::{Group, Scope, ServiceId};

use crate::runtimes::on_all;
use crate::support::{Notes, stop_once_started};

const SERVICES: usize = 1000;

/// What a service of the large plan needs: ten of the layer below, of ten layers of a hundred services.
fn needed_by(index: usize) -> impl Iterator<Item = usize> {
    let steps = if index < 100 { 0..0 } else { 0..10 };
    steps.map(move |step| index / 100 * 100 - 100 + (index * 7 + step * 13) % 100)
}

#[test]
fn g07_a_thousand_services_start_and_stop_in_order_within_a_second() {
    on_all(|runtime| async move {
        let (notes, mut group) = (Notes::new(), runtime.group());
        let since = Instant::now();
        let mut ids: Vec<ServiceId> = Vec::new();
        for index in 0..SERVICES {
            let noted = notes.clone();
            let service = move |scope: Scope<'static>| async move {
                noted.note(format!("{index} up"));
                scope.stopped().await;
                noted.note(format!("{index} stopped"));
            };
            let mut added = group.add(format!("{index}"), service);
            for needed in needed_by(index) {
                added = added.needs(ids[needed]);
            }
            ids.push(added.id());
        }
        stop_once_started(&mut group);
        group.run().await.unwrap();
        let took = since.elapsed();

        let events = notes.all();
        let place = |event: String| events.iter().position(|noted| *noted == event).unwrap();
        for index in (100..SERVICES).step_by(37) {
            for needed in needed_by(index) {
                assert!(place(format!("{needed} up")) < place(format!("{index} up")));
                assert!(place(format!("{index} stopped")) < place(format!("{needed} stopped")));
            }
        }
        assert!(took < Duration::from_secs(1), "{took:?}");
    });
}

/// What a service of a random plan does.
async fn behave(scope: Scope<'static>, kind: u32, yields: usize) {
    if kind % 2 == 0 {
        scope.starting();
    }
    for _ in 0..yields {
        future::yield_now().await;
    }
    scope.ready();
    match kind {
        // Finishes by itself, drains, or has to be cancelled.
        0 | 1 => return,
        2..=5 => drop(scope.stopped().await),
        _ => pending().await,
    }
    for _ in 0..yields {
        future::yield_now().await;
    }
}

/// A group of up to 15 services that need one another at random.
struct RandomPlan {
    random: Rng,
    recorder: Recorder,
    group: Group<'static>,
    ids: Vec<ServiceId>,
    /// Pairs of indices: the first service needs the second.
    needs: Vec<(usize, usize)>,
}

impl RandomPlan {
    fn new(seed: u64, mut group: Group<'static>) -> RandomPlan {
        let (mut random, recorder) = (Rng::with_seed(seed), Recorder::new());
        if random.bool() {
            group = group.limit(random.usize(1..12));
        }
        group = group.record(&recorder);
        let (mut ids, mut needs) = (Vec::new(), Vec::new());
        for index in 0..random.usize(1..16) {
            let (kind, yields) = (random.u32(0..7), random.usize(0..5));
            let service = move |scope| behave(scope, kind, yields);
            let mut added = group.add(index.to_string(), service);
            for (below, &id) in ids.iter().enumerate() {
                if random.u32(0..4) == 0 {
                    added = added.needs(id);
                    needs.push((index, below));
                }
            }
            ids.push(added.id());
        }
        RandomPlan {
            random,
            recorder,
            group,
            ids,
            needs,
        }
    }

    /// Runs the group, and ends it at a random moment in one of three ways.
    async fn run(mut self) {
        let handle = self.group.handle();
        let (waits, how) = (self.random.usize(0..200), self.random.u32(0..4));
        let first = self.ids[0];
        let end = async {
            for _ in 0..waits {
                future::yield_now().await;
            }
            match how {
                0 => handle.cancel(),
                1 => drop(handle.stop_one(first)),
                _ => {}
            }
            handle.stop();
        };
        let (ended, ()) = future::zip(self.group.run(), end).await;
        let outcome = match &ended {
            Ok(outcome) => outcome,
            Err(error) => error.outcome().unwrap(),
        };
        assert_eq!(outcome.reports().len(), self.ids.len());
        for (above, below) in self.needs {
            check_order(&self.recorder, above.to_string(), below.to_string());
        }
    }
}

/// Asserts that `above` started once `below` was ready, and that `below` was stopped once `above` was
/// gone.
#[track_caller]
fn check_order(recorder: &Recorder, above: String, below: String) {
    let events = recorder.events();
    let place = |wanted: &[Event]| events.iter().position(|event| wanted.contains(event));
    let Some(started) = place(&[Event::Started(above.clone())]) else {
        return;
    };
    let ready = place(&[Event::Ready(below.clone()), Event::Ended(below.clone())]);
    assert!(ready.is_some_and(|ready| ready < started), "{recorder}");
    if let Some(stopped) = place(&[Event::Stopped(below)]) {
        let gone = place(&[Event::Ended(above.clone()), Event::Cancelled(above)]);
        assert!(gone.is_some_and(|gone| gone < stopped), "{recorder}");
    }
}

#[test]
fn g07_holds_for_any_plan_however_it_ends() {
    on_all(|runtime| async move {
        for seed in 0..60 {
            eprintln!("seed {seed}");
            let group = runtime.group().drain_timeout(Duration::from_millis(2));
            RandomPlan::new(seed, group).run().await;
        }
    });
}
