//! Plans that are large, and plans that are random.

use std::future::pending;
use std::time::{Duration, Instant};

use futures_lite::future;
use neap::test::{Event, Recorder};
use neap::{Scope, ServiceId};

use crate::runtimes::on_all;
use crate::support::{Notes, stop_once_started};

#[test]
fn g7_a_thousand_services_start_and_stop_in_order_within_a_second() {
    on_all(|runtime| async move {
        const SERVICES: usize = 1000;
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
            // Ten layers of a hundred, each on some of the one below.
            let mut added = group.add(format!("{index}"), service);
            for step in 0..10 {
                if index >= 100 {
                    added =
                        added.needs(ids[index / 100 * 100 - 100 + (index * 7 + step * 13) % 100]);
                }
            }
            ids.push(added.id());
        }
        stop_once_started(&mut group);
        group.run().await.unwrap();
        let took = since.elapsed();

        let events = notes.all();
        let place = |event: String| events.iter().position(|noted| *noted == event).unwrap();
        for index in (100..SERVICES).step_by(37) {
            for step in 0..10 {
                let needed = index / 100 * 100 - 100 + (index * 7 + step * 13) % 100;
                assert!(place(format!("{needed} up")) < place(format!("{index} up")));
                assert!(place(format!("{index} stopped")) < place(format!("{needed} stopped")));
            }
        }
        assert!(took < Duration::from_millis(SERVICES as u64), "{took:?}");
    });
}

/// What one of the services below does.
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

#[test]
fn g7_holds_for_any_plan_however_it_ends() {
    on_all(|runtime| async move {
        for seed in 0..60 {
            let (mut random, recorder) = (fastrand::Rng::with_seed(seed), Recorder::new());
            let mut group = runtime.group().drain_timeout(Duration::from_millis(2));
            if random.bool() {
                group = group.limit(random.usize(1..12));
            }
            group.record(&recorder);
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
            let handle = group.handle();
            let (waits, how) = (random.usize(0..200), random.u32(0..4));
            let end = async {
                for _ in 0..waits {
                    future::yield_now().await;
                }
                match how {
                    0 => handle.cancel(),
                    1 => {
                        handle.stop_one(ids[0]);
                    }
                    _ => {}
                }
                handle.stop();
            };
            let (ended, ()) = future::zip(group.run(), end).await;
            let outcome = match &ended {
                Ok(outcome) => outcome,
                Err(error) => error.outcome().unwrap(),
            };
            assert_eq!(outcome.reports().len(), ids.len());

            let events = recorder.events();
            let place = |wanted: &[Event]| events.iter().position(|event| wanted.contains(event));
            for (above, below) in needs {
                let (a, b) = (above.to_string(), below.to_string());
                let ready = place(&[Event::Ready(b.clone()), Event::Ended(b.clone())]);
                if let Some(started) = place(&[Event::Started(a.clone())]) {
                    assert!(
                        ready.is_some_and(|ready| ready < started),
                        "{seed}: {recorder}"
                    );
                    let gone = place(&[Event::Ended(a.clone()), Event::Cancelled(a)]);
                    if let Some(stopped) = place(&[Event::Stopped(b)]) {
                        assert!(
                            gone.is_some_and(|gone| gone < stopped),
                            "{seed}: {recorder}"
                        );
                    }
                }
            }
        }
    });
}
