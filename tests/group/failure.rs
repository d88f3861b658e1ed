//! Failures and panics: which one is returned, and whom it stops.

use std::future::pending;

use futures_lite::future;
use neap::{Cause, Group, OnExit};

use crate::runtimes::{Gate, limited, on_all};
use crate::support::exits;

#[test]
fn g01_the_first_failure_is_recorded_before_anything_is_stopped_and_is_returned() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        group.add("follower", |scope| async move {
            assert_eq!(scope.stopped().await, Cause::Failed("culprit".into()));
            Err("because of the stop")
        });
        group.add("culprit", |_| async { Err("the first") });
        let error = group.run().await.unwrap_err();

        assert_eq!(error.service(), Some("culprit"));
        assert_eq!(error.to_string(), "service `culprit` failed: the first");
        let outcome = error.outcome().unwrap();
        assert_eq!(*outcome.cause(), Cause::Failed("culprit".into()));
        let failures: Vec<_> = outcome.failures().map(|report| report.name()).collect();
        // The follower may not have been started, which is no failure.
        assert!(
            failures == ["culprit", "follower"] || failures == ["culprit"],
            "{failures:?}"
        );
    });
}

#[test]
fn g01_of_two_that_fail_at_once_the_cause_and_the_first_failure_are_the_same() {
    on_all(|runtime| async move {
        for _ in 0..50 {
            let (mut group, gate) = (runtime.group(), Gate::new());
            for name in ["a", "b", "c", "d"] {
                let gate = gate.clone();
                group.add(name, move |_| async move {
                    gate.pass().await;
                    Err(name)
                });
            }
            group.add("opener", move |_| async move { gate.open() });
            let error = group.run().await.unwrap_err();
            let outcome = error.outcome().unwrap();
            let first = error.service().unwrap().to_owned();
            assert_eq!(*outcome.cause(), Cause::Failed(first.into()));
        }
    });
}

#[test]
fn g01_what_a_stop_causes_is_a_failure_too() {
    on_all(|runtime| async move {
        let (mut group, started) = (runtime.group(), Gate::new());
        let (handle, ready) = (group.handle(), started.clone());
        group.add("sore loser", move |scope| async move {
            ready.open();
            scope.stopped().await;
            Err("interrupted")
        });
        group.add("stopper", move |_| async move {
            started.pass().await;
            handle.stop();
        });
        let error = group.run().await.unwrap_err();
        assert_eq!(*error.outcome().unwrap().cause(), Cause::Requested);
        assert_eq!(error.service(), Some("sore loser"));
    });
}

#[test]
fn g02_a_service_that_finishes_does_not_stop_the_group() {
    on_all(|runtime| async move {
        let (mut group, gate) = (runtime.group(), Gate::new());
        let opener = gate.clone();
        group.add("short", |_| async {});
        group.add("long", move |scope| async move {
            gate.pass().await;
            assert!(!scope.is_stopped());
        });
        group.add("opener", move |_| async move { opener.open() });
        let outcome = group.run().await.unwrap();
        assert_eq!(*outcome.cause(), Cause::Ended);
        assert_eq!(exits(&outcome), ["finished"; 3]);
        assert!(outcome.reports().all(|report| report.stopped().is_none()));
    });
}

#[test]
fn g02_one_added_with_on_exit_stop_stops_the_group() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        group.race("long", pending::<()>());
        group.add("short", |_| async {}).on_exit(OnExit::Stop);
        let outcome = group.run().await.unwrap();
        assert_eq!(*outcome.cause(), Cause::Finished("short".into()));
    });
}

#[test]
fn g03_a_panic_of_a_service_is_its_failure_with_the_message_kept() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        group.add("other", |scope| async move {
            assert_eq!(scope.stopped().await, Cause::Panicked("shaky".into()));
        });
        group.add("shaky", |_| async {
            if true {
                panic!("number {}", 7);
            }
        });
        let error = group.run().await.unwrap_err();
        assert_eq!(error.service(), Some("shaky"));
        assert_eq!(error.panic_message(), Some("number 7"));
        assert_eq!(error.to_string(), "service `shaky` panicked: number 7");
    });
}

#[test]
fn g03_a_panic_of_a_child_is_the_failure_of_its_service() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        group.race("other", pending::<()>());
        group.add("parent", |scope| async move {
            scope.spawn(async {
                if true {
                    panic!("the child");
                }
            });
            scope.stopped().await;
        });
        let error = group.run().await.unwrap_err();
        assert_eq!(error.to_string(), "service `parent` panicked: the child");
    });
}

#[test]
fn g03_a_panic_before_the_first_await_or_in_a_destructor_is_caught_too() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in a destructor");
        }
    }
    on_all(|runtime| async move {
        let mut group = runtime.group();
        group.add("constructor", |_| {
            if true {
                panic!("in the closure");
            }
            pending::<()>()
        });
        let error = group.run().await.unwrap_err();
        assert_eq!(error.panic_message(), Some("in the closure"));

        let mut group = runtime.group();
        let started = Gate::new();
        let ready = started.clone();
        group.race("destructor", async move {
            let _bomb = Bomb;
            ready.open();
            pending::<()>().await;
        });
        group
            .add("short", move |_| async move { started.pass().await })
            .on_exit(OnExit::Stop);
        let error = group.run().await.unwrap_err();
        assert_eq!(error.service(), Some("destructor"));
        assert_eq!(error.panic_message(), Some("in a destructor"));
    });
}

#[test]
fn a_task_that_its_executor_drops_is_a_failure_and_not_a_quiet_end() {
    limited(|| {
        let mut group = Group::on(drop);
        group.add("lost", |_| async {});
        let error = future::block_on(group.run()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "service `lost` failed: its executor dropped it"
        );
    });
}
