//! The limit on how many services run at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_lite::future;
use neap::{Scope, ServiceOptions};

use crate::runtimes::{Gate, on_all};
use crate::support::{Notes, exits, never_started};

#[test]
fn g17_at_most_n_services_run_at_once_and_all_have_their_turn() {
    on_all(|runtime| async move {
        let mut group = runtime.group().limit(3);
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        for _ in 0..50 {
            let (running, most) = (running.clone(), most.clone());
            group.add("job", |scope| async move {
                let now = running.fetch_add(1, Ordering::SeqCst) + 1;
                most.fetch_max(now, Ordering::SeqCst);
                // The first three wait for each other; a limit of less would never let them go.
                while most.load(Ordering::SeqCst) < 3 {
                    future::yield_now().await;
                }
                // The turn lasts until the children have ended too.
                scope.spawn(async move {
                    future::yield_now().await;
                    running.fetch_sub(1, Ordering::SeqCst);
                });
            });
        }
        let outcome = group.run().await.unwrap();
        assert_eq!(exits(&outcome), ["finished"; 50]);
        assert_eq!(most.load(Ordering::SeqCst), 3);
    });
}

#[test]
fn g17_the_rest_wait_their_turn_in_order() {
    on_all(|runtime| async move {
        let (notes, mut group) = (Notes::new(), runtime.group().limit(1));
        let handle = group.handle();
        for index in 0..20 {
            let noted = notes.clone();
            group.add("job", move |_| async move {
                noted.note(index.to_string());
                future::yield_now().await;
            });
        }
        let noted = notes.clone();
        let late = move |_| async move { noted.note("late") };
        handle.add("late", late).unwrap();
        group.run().await.unwrap();
        let mut expected: Vec<_> = (0..20).map(|index| index.to_string()).collect();
        expected.push("late".into());
        assert_eq!(notes.all(), expected);
    });
}

#[test]
fn g17_a_service_that_waits_for_what_it_needs_takes_no_turn() {
    on_all(|runtime| async move {
        let (notes, mut group) = (Notes::new(), runtime.group().limit(2));
        let gate = Gate::new();
        let passed = gate.clone();
        let slow = |scope: Scope<'static>| async move {
            scope.starting();
            passed.pass().await;
        };
        let slow = group.add("slow", slow).id();
        let noted = notes.clone();
        group
            .add("after", |_| async move { noted.note("after") })
            .needs(slow);
        for name in ["first", "second"] {
            let noted = notes.clone();
            group.add(name, move |_| async move { noted.note(name) });
        }
        group.add("opener", |_| async move { gate.open() });
        group.run().await.unwrap();
        assert_eq!(notes.all(), ["first", "second", "after"]);
    });
}

#[test]
fn g17_nothing_that_waits_starts_after_the_stop() {
    on_all(|runtime| async move {
        let mut group = runtime.group().limit(1);
        let handle = group.handle();
        group.add("first", |_| async move {
            future::yield_now().await;
            handle.stop();
        });
        group.add("second", never_started);
        let outcome = group.run().await.unwrap();
        assert_eq!(exits(&outcome), ["finished", "not started"]);
    });
}

#[test]
fn g17_try_add_refuses_when_the_group_is_full() {
    on_all(|runtime| async move {
        let (notes, mut group) = (Notes::new(), runtime.group().limit(2));
        let handle = group.handle();
        let noted = notes.clone();
        group.add("parent", move |_| async move {
            let (gate, passed) = (Gate::new(), notes.clone());
            let held = gate.clone();
            let second = handle.try_add("second", |_| async move {
                held.pass().await;
                passed.note("second");
            });
            second.unwrap();
            let full = handle.try_add("third", |_| async {}).unwrap_err();
            assert!(full.is_full());
            assert_eq!(
                full.to_string(),
                "service `third` was refused: as many services run as the group allows"
            );
            // To wait in order is still possible, and then there is no overtaking.
            let noted = notes.clone();
            handle
                .add("fourth", |_| async move { noted.note("fourth") })
                .unwrap();
            assert!(handle.try_add("fifth", |_| async {}).unwrap_err().is_full());
            gate.open();
            notes.wait_for(2).await;

            handle.stop();
            let stopped = handle.try_add("sixth", |_| async {}).unwrap_err();
            assert!(!stopped.is_full());
        });
        group.run().await.unwrap();
        assert_eq!(noted.all(), ["second", "fourth"]);
    });
}

#[test]
fn try_add_takes_what_a_group_without_a_limit_takes() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        let handle = group.handle();
        group.add("parent", move |_| async move {
            for _ in 0..10 {
                handle.try_add("child", |_| async {}).unwrap();
            }
        });
        let outcome = group.run().await.unwrap();
        assert_eq!(outcome.reports().len() as u64 + outcome.unreported(), 11);
    });
}

#[test]
fn a_service_in_the_background_takes_no_turn() {
    on_all(|runtime| async move {
        let mut group = runtime.group().limit(1);
        let handle = group.handle();
        group
            .add(
                "metrics",
                |scope| async move { drop(scope.stopped().await) },
            )
            .background();
        group.add("job", |_| async move {
            let options = ServiceOptions::new().background();
            let more = |scope: Scope<'static>| async move { drop(scope.stopped().await) };
            handle.add_with("more metrics", options, more).unwrap();
        });
        group.add("another", |_| async {});
        group.run().await.unwrap();
    });
}

#[test]
fn a_limit_of_zero_is_an_error_before_anything_starts() {
    on_all(|runtime| async move {
        let mut group = runtime.group().limit(0);
        let handle = group.handle();
        group.add("job", never_started);
        let error = group.run().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the limit of the group is zero: no service could run"
        );
        assert!(error.outcome().is_none() && error.service().is_none());
        assert!(handle.add("late", |_| async {}).is_err());
    });
}

#[test]
fn the_limit_can_be_set_after_services_were_added() {
    on_all(|runtime| async move {
        let (notes, mut group) = (Notes::new(), runtime.group());
        for name in ["a", "b", "c"] {
            let noted = notes.clone();
            group.add(name, move |_| async move {
                noted.note(format!("{name} starts"));
                future::yield_now().await;
                noted.note(format!("{name} ends"));
            });
        }
        group.limit(1).run().await.unwrap();
        let expected = [
            "a starts", "a ends", "b starts", "b ends", "c starts", "c ends",
        ];
        assert_eq!(notes.all(), expected);
    });
}

#[test]
fn g17_one_that_ended_before_the_start_has_no_turn() {
    on_all(|runtime| async move {
        let mut group = runtime.group().limit(1);
        let handle = group.handle();
        let early = handle.add("early", never_started).unwrap();
        assert!(handle.stop_one(early));
        // In place nothing is polled before the group runs.
        if !runtime.is_in_place() {
            handle.ended(early).await;
        }
        group.add("job", |_| async {});
        group.run().await.unwrap();
    });
}
