//! Groups as services of other groups.

use std::fmt;
use std::future::pending;
use std::time::Duration;

use futures_lite::future;
use neap::test::{Clock, Event, Recorder};
use neap::{OnFailure, Scope};

use crate::runtimes::{Gate, on_all};
use crate::support::{Notes, stop_once_started};

const LONG: Duration = Duration::from_secs(10 * 3600);
/// Each second of it is a step of the clock.
const SHORT: Duration = Duration::from_secs(10);

#[test]
fn a_nested_group_follows_the_stop_and_the_deadline_of_its_service() {
    on_all(|runtime| async move {
        let notes = Notes::new();
        let (inner_notes, started) = (notes.clone(), Gate::new());
        let ready = started.clone();
        let mut inner = runtime.group().drain_timeout(Duration::MAX);
        inner.add("inner", move |scope| async move {
            ready.open();
            inner_notes.note(scope.stopped().await.to_string());
            assert!(scope.remaining().unwrap() <= Duration::from_secs(5));
        });
        let mut outer = runtime.group().drain_timeout(Duration::from_secs(5));
        let handle = outer.handle();
        outer.add("nested", inner.into_service());
        outer.add("stopper", move |_| async move {
            started.pass().await;
            handle.stop();
        });
        outer.run().await.unwrap();
        assert_eq!(notes.all(), ["request"]);
    });
}

#[test]
fn g09_a_nested_group_s_deadline_is_within_that_of_the_service_it_is() {
    on_all(|runtime| async move {
        let clock = Clock::new();
        let (outer, own, inner) = (LONG, LONG / 2, LONG / 4);
        // The timeout of the group, of the service, of the nested group: the shortest counts.
        for (own, inner, expected) in [
            (own, inner, inner),
            (own, LONG * 2, own),
            (LONG * 3, LONG * 2, outer),
        ] {
            let (seen, deadlines) = async_channel::unbounded();
            let mut nested = runtime.group().drain_timeout(inner);
            nested = nested.clock(&clock);
            nested.add("worker", |scope| async move {
                scope.stopped().await;
                seen.try_send((
                    scope.deadline(),
                    scope.token().deadline(),
                    scope.remaining(),
                ))
                .unwrap();
            });
            let mut group = runtime.group().drain_timeout(outer);
            group = group.clock(&clock);
            group
                .add("nested", nested.into_service())
                .drain_timeout(own);
            stop_once_started(&mut group);
            group.run().await.unwrap();
            let deadline = Some(clock.now() + expected);
            assert_eq!(
                deadlines.recv().await.unwrap(),
                (deadline, deadline, Some(expected))
            );
        }
    });
}

#[test]
fn g09_a_nested_group_is_over_by_the_deadline_of_the_outer_one() {
    on_all(|runtime| async move {
        let (clock, recorder) = (Clock::new(), Recorder::new());
        let mut nested = runtime.group().drain_timeout(SHORT * 2);
        nested = nested.clock(&clock).record(&recorder);
        nested.add("deaf", |_| pending::<()>());
        let mut group = runtime.group().drain_timeout(SHORT);
        group = group.clock(&clock);
        group.add("nested", nested.into_service());
        let handle = group.handle();
        let test = async {
            handle.started().await.unwrap();
            handle.stop();
            recorder
                .wait_for(|event| *event == Event::Stopped("deaf".into()))
                .await;
            clock.advance(SHORT).await;
        };
        let (ended, ()) = future::zip(group.run(), test).await;
        ended.unwrap_err();
        recorder
            .wait_for(|event| *event == Event::Cancelled("deaf".into()))
            .await;
    });
}

#[test]
fn a_nested_group_is_ready_when_all_its_services_are() {
    on_all(|runtime| async move {
        let (notes, gate) = (Notes::new(), Gate::new());
        let mut inner = runtime.group();
        let (noted, passed) = (notes.clone(), gate.clone());
        inner.add("slow", |scope| async move {
            scope.starting();
            passed.pass().await;
            noted.note("ready");
            scope.ready();
            scope.stopped().await;
        });
        let mut group = runtime.group();
        let nested = group.add("inner", inner.into_service()).id();
        let (noted, handle) = (notes.clone(), group.handle());
        let after = |_: Scope<'static>| async move {
            noted.note("after");
            handle.stop();
        };
        group.add("after", after).needs(nested);
        let noted = notes.clone();
        group.add("opener", |_| async move {
            for _ in 0..20 {
                future::yield_now().await;
            }
            noted.note("opening");
            gate.open();
        });
        group.run().await.unwrap();
        assert_eq!(notes.all(), ["opening", "ready", "after"]);
    });
}

/// An error that panics when it is dropped.
#[derive(Debug)]
struct Bomb;

impl fmt::Display for Bomb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a bomb")
    }
}

impl std::error::Error for Bomb {}

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("the drop of an error");
    }
}

#[test]
fn g03_a_failure_that_a_nested_group_ignores_is_none_of_the_outer_one() {
    on_all(|runtime| async move {
        let (mut inner, mut outer) = (runtime.group(), runtime.group());
        let weak = inner.add("weak", async |_| Err(Bomb));
        weak.on_failure(OnFailure::Ignore);
        outer.add("nested", inner.into_service());
        outer.run().await.unwrap();
    });
}
