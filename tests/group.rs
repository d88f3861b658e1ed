//! The guarantees of a group, each on every runtime.

mod runtimes;

use std::future::pending;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use futures_lite::future;
use neap::{Cause, Exit, OnExit, ServiceOptions, ServiceReport};
use runtimes::{Gate, Recorder, THREADED, on, on_all};

/// What is asserted most.
fn exit_of(report: ServiceReport<'_>) -> &'static str {
    match report.exit() {
        Exit::Finished => "finished",
        Exit::Failed(_) => "failed",
        Exit::Panicked(_) => "panicked",
        Exit::Cancelled => "cancelled",
        Exit::Abandoned => "abandoned",
        Exit::NotStarted => "not started",
        _ => "something new",
    }
}

#[test]
fn g1_the_first_failure_is_recorded_before_anyone_is_told_and_is_returned() {
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
        // The follower may never have been started, which is no failure.
        assert!(
            failures == ["culprit", "follower"] || failures == ["culprit"],
            "{failures:?}"
        );
    });
}

#[test]
fn g1_of_two_that_fail_at_once_the_cause_and_the_first_failure_are_the_same() {
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
fn g1_what_a_stop_causes_is_a_failure_too() {
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
fn g2_a_service_that_finishes_well_stops_nobody() {
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
        assert!(
            outcome
                .reports()
                .all(|report| exit_of(report) == "finished")
        );
        assert!(outcome.reports().all(|report| report.stopped().is_none()));
    });
}

#[test]
fn g2_but_one_added_with_on_exit_stop_stops_all() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        group.race("long", pending::<()>());
        group.add("short", |_| async {}).on_exit(OnExit::Stop);
        let outcome = group.run().await.unwrap();
        assert_eq!(*outcome.cause(), Cause::Finished("short".into()));
    });
}

#[test]
fn g3_a_panic_of_a_service_is_its_failure_with_the_message_kept() {
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
fn g3_a_panic_of_a_child_is_the_failure_of_its_service() {
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
fn g3_a_panic_before_the_first_await_or_in_a_destructor_is_caught_too() {
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
fn g5_a_stop_before_run_is_remembered_and_nothing_starts() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        let started = Arc::new(AtomicBool::new(false));
        for _ in 0..3 {
            let started = Arc::clone(&started);
            group.add("late", move |_| {
                started.store(true, Ordering::SeqCst);
                async {}
            });
        }
        group.handle().stop();
        let outcome = group.run().await.unwrap();
        assert_eq!(*outcome.cause(), Cause::Requested);
        assert!(
            outcome
                .reports()
                .all(|report| exit_of(report) == "not started")
        );
        assert!(!started.load(Ordering::SeqCst));
    });
}

#[test]
fn g5_an_item_that_is_there_before_run_is_remembered_too() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        group.add("late", |_| async { Err("started") });
        group.stop_on(futures_lite::stream::once(Cause::Requested));
        let outcome = group.run().await.unwrap();
        assert_eq!(exit_of(outcome.reports().next().unwrap()), "not started");
    });
}

#[test]
fn g6_an_add_after_the_stop_is_refused_and_the_service_comes_back() {
    on_all(|runtime| async move {
        let group = runtime.group();
        let handle = group.handle();
        handle.stop();
        let refused = handle
            .add("late", |_| async { Err("it ran after all") })
            .unwrap_err();
        assert_eq!(
            refused.to_string(),
            "service `late` was refused: the group has been stopped"
        );
        let service = refused.into_service();
        group.run().await.unwrap();

        // It came back whole: another group can have it.
        let mut other = runtime.group();
        other.add("late", service);
        let error = other.run().await.unwrap_err();
        assert_eq!(error.to_string(), "service `late` failed: it ran after all");

        // The first group has ended by itself, which is a stop as well.
        let ended = runtime.group();
        let handle = ended.handle();
        ended.run().await.unwrap();
        assert!(handle.add("later", |_| async {}).is_err());
    });
}

#[test]
fn a_service_can_be_added_while_the_group_runs() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        let (handle, recorder) = (group.handle(), Recorder::new());
        let (first, second) = (recorder.clone(), recorder.clone());
        group.add("first", move |_| async move {
            first.note("first");
            let service = move |scope: neap::Scope<'static>| async move {
                second.note("second");
                scope.stopped().await;
            };
            handle
                .add_with("second", ServiceOptions::new().background(), service)
                .unwrap();
        });
        let outcome = group.run().await.unwrap();
        assert_eq!(outcome.reports().len(), 2);
        assert!(recorder.events().starts_with(&["first".to_owned()]));
    });
}

#[test]
fn g9_from_the_stop_on_a_service_has_until_the_deadline_and_then_is_dropped() {
    on_all(|runtime| async move {
        let timeout = Duration::from_millis(30);
        let mut group = runtime.group().drain_timeout(timeout);
        let (recorder, handle) = (Recorder::new(), group.handle());
        let (own, child, stopper) = (recorder.clone(), recorder.clone(), Gate::new());
        let ready = stopper.clone();
        group.add("deaf", move |scope| async move {
            let _own = own.on_drop("service dropped");
            let _child = child.on_drop("child dropped");
            scope.spawn(async move {
                let _child = _child;
                pending::<()>().await;
            });
            ready.open();
            pending::<()>().await;
        });
        group.add("stopper", move |_| async move {
            stopper.pass().await;
            handle.stop();
        });
        let begin = Instant::now();
        let error = group.run().await.unwrap_err();
        assert!(begin.elapsed() >= timeout);

        // `run` has waited for both drops.
        let mut events = recorder.events();
        events.sort();
        assert_eq!(events, ["child dropped", "service dropped"]);
        assert!(error.is_timeout());
        assert_eq!(error.service(), Some("deaf"));
        let straggler = error.outcome().unwrap().stragglers().next().unwrap();
        assert_eq!(exit_of(straggler), "cancelled");
        assert!(error.outcome().unwrap().drained() >= timeout);
    });
}

#[test]
fn g9_its_own_timeout_is_within_that_of_the_group() {
    on_all(|runtime| async move {
        let mut group = runtime.group().drain_timeout(Duration::MAX);
        let (recorder, gate) = (Recorder::new(), Gate::new());
        let (deaf, patient, opener) = (recorder.clone(), recorder.clone(), gate.clone());
        let second = Gate::new();
        let second_opener = second.clone();
        group
            .add("deaf", move |_| async move {
                let _guard = deaf.on_drop("deaf dropped");
                opener.open();
                pending::<()>().await;
            })
            .drain_timeout(Duration::from_millis(10));
        group.add("patient", move |scope| async move {
            second_opener.open();
            scope.stopped().await;
            assert_eq!(scope.deadline(), None, "Duration::MAX is for ever");
            // Only the other's cancellation lets this one end.
            patient.wait_for(1).await;
            patient.note("patient ended");
        });
        group.add("stopper", move |scope| async move {
            gate.pass().await;
            second.pass().await;
            scope.spawn(async { Err("stop") });
        });
        let error = group.run().await.unwrap_err();
        assert_eq!(recorder.events(), ["deaf dropped", "patient ended"]);
        let stragglers = error
            .outcome()
            .unwrap()
            .stragglers()
            .map(|report| report.name());
        assert_eq!(stragglers.collect::<Vec<_>>(), ["deaf"]);
    });
}

#[test]
fn g9_a_drain_timeout_of_zero_cancels_at_once_whoever_does_not_end_at_once() {
    on(
        &[
            runtimes::InPlace,
            runtimes::InPlaceOnSmol,
            runtimes::Executor,
        ],
        |runtime| async move {
            let mut group = runtime.group().drain_timeout(Duration::ZERO);
            group.race("race", pending::<()>());
            group.add("obedient", |scope| async move {
                scope.stopped().await;
            });
            group.add("deaf", |_| pending::<()>());
            group
                .add("short", |_| async { future::yield_now().await })
                .on_exit(OnExit::Stop);
            let error = group.run().await.unwrap_err();
            let exits: Vec<_> = error.outcome().unwrap().reports().map(exit_of).collect();
            assert_eq!(exits, ["cancelled", "finished", "cancelled", "finished"]);
            let outcome = error.outcome().unwrap();
            let stragglers: Vec<_> = outcome.stragglers().map(|report| report.name()).collect();
            assert_eq!(stragglers, ["deaf"]);
        },
    );
}

#[test]
fn g9_children_are_joined_before_their_service_counts_as_ended() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        let (recorder, gate) = (Recorder::new(), Gate::new());
        let (child, opener) = (recorder.clone(), gate.clone());
        group.add("parent", move |scope| async move {
            let inner = scope.clone();
            scope.spawn(async move {
                gate.pass().await;
                child.note("child");
                // A child can have children, after its service has returned, too.
                inner.spawn(async move { child.note("grandchild") });
            });
        });
        group.add("opener", move |_| async move { opener.open() });
        group.run().await.unwrap();
        assert_eq!(recorder.events(), ["child", "grandchild"]);
    });
}

#[test]
fn g10_one_that_blocks_its_thread_is_named_as_abandoned() {
    on(&THREADED, |runtime| async move {
        let group = runtime.group().drain_timeout(Duration::ZERO);
        let mut group = group.cancel_timeout(Duration::from_millis(20));
        let (release, blocked) = mpsc::channel::<()>();
        let (handle, gate) = (group.handle(), Gate::new());
        let opener = gate.clone();
        group.add("blocked", move |_| async move {
            opener.open();
            let _ = blocked.recv();
        });
        let stopping = std::thread::spawn(move || {
            futures_lite::future::block_on(gate.pass());
            handle.stop();
        });
        let error = group.run().await.unwrap_err();
        stopping.join().unwrap();
        let outcome = error.outcome().unwrap();
        assert_eq!(
            outcome.reports().map(exit_of).collect::<Vec<_>>(),
            ["abandoned"]
        );
        assert!(error.to_string().ends_with(": abandoned"), "{error}");
        assert_eq!(outcome.reports().next().unwrap().ended(), None);
        drop(release);
    });
}

#[test]
fn g11_dropping_run_cancels_every_service() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        let (recorder, handle) = (Recorder::new(), group.handle());
        let running = Arc::new(AtomicUsize::new(0));
        for _ in 0..2 {
            let (recorder, running) = (recorder.clone(), Arc::clone(&running));
            group.add("service", move |scope| async move {
                let child = recorder.on_drop("child");
                scope.spawn(async move {
                    let _child = child;
                    pending::<()>().await;
                });
                let _own = recorder.on_drop("service");
                running.fetch_add(1, Ordering::SeqCst);
                pending::<()>().await;
            });
        }
        let all_run = async {
            while running.load(Ordering::SeqCst) < 2 {
                future::yield_now().await;
            }
            future::yield_now().await;
        };
        future::or(async { drop(group.run().await) }, all_run).await;
        if !runtime.is_in_place() {
            recorder.wait_for(4).await;
        }
        let mut events = recorder.events();
        events.sort();
        assert_eq!(events, ["child", "child", "service", "service"]);
        assert_eq!(handle.cause(), Some(Cause::Dropped));
        assert!(handle.token().is_stopped());
    });
}

#[test]
fn g11_a_group_that_is_dropped_without_run_leaves_nothing() {
    on_all(|runtime| async move {
        let recorder = Recorder::new();
        let mut group = runtime.group();
        let (guard, token) = (recorder.on_drop("dropped"), group.handle().token());
        group.add("service", move |scope| async move {
            let _guard = guard;
            scope.stopped().await;
        });
        drop(group);
        assert_eq!(recorder.events(), ["dropped"]);
        assert_eq!(token.cause(), Some(Cause::Dropped));
    });
}

#[test]
fn g12_a_second_item_of_a_source_cancels_at_once() {
    on_all(|runtime| async move {
        let mut group = runtime.group().drain_timeout(Duration::MAX);
        let (sender, receiver) = async_channel::unbounded();
        group.stop_on(receiver);
        group.add("deaf", move |scope| async move {
            sender.try_send(Cause::Requested).unwrap();
            scope.stopped().await;
            sender.try_send(Cause::Requested).unwrap();
            pending::<()>().await;
        });
        let error = group.run().await.unwrap_err();
        assert!(error.is_timeout());
        assert_eq!(error.service(), Some("deaf"));
    });
}

#[test]
fn g12_an_item_that_finds_the_group_stopping_is_its_source_s_first() {
    on_all(|runtime| async move {
        let mut group = runtime.group().drain_timeout(Duration::MAX);
        let (sender, receiver) = async_channel::unbounded();
        group.stop_on(receiver.clone());
        let handle = group.handle();
        group.add("draining", move |scope| async move {
            handle.stop();
            scope.stopped().await;
            sender.try_send(Cause::Dropped).unwrap();
            while !receiver.is_empty() {
                future::yield_now().await;
            }
        });
        let outcome = group.run().await.unwrap();
        assert_eq!(*outcome.cause(), Cause::Requested);
    });
}

#[test]
fn g15_an_empty_group_ends_at_once_and_well() {
    on_all(|runtime| async move {
        let outcome = runtime.group().run().await.unwrap();
        assert_eq!(*outcome.cause(), Cause::Ended);
        assert_eq!(outcome.reports().len(), 0);

        // A source of stops does not keep it alive.
        let mut group = runtime.group();
        group.stop_on(futures_lite::stream::pending::<Cause>());
        group.run().await.unwrap();
    });
}

#[test]
fn g16_a_background_service_keeps_nobody_alive_and_is_stopped_last() {
    on_all(|runtime| async move {
        let (mut group, recorder) = (runtime.group(), Recorder::new());
        let (metrics, worker) = (recorder.clone(), recorder.clone());
        let (handle, started) = (group.handle(), Gate::new());
        let ready = started.clone();
        group
            .add("metrics", move |scope| async move {
                ready.open();
                scope.stopped().await;
                metrics.note("metrics told");
            })
            .background();
        group.add("worker", move |scope| async move {
            started.pass().await;
            handle.stop();
            scope.stopped().await;
            for _ in 0..10 {
                future::yield_now().await;
            }
            worker.note("worker ended");
        });
        let outcome = group.run().await.unwrap();
        assert_eq!(*outcome.cause(), Cause::Requested);
        assert_eq!(recorder.events(), ["worker ended", "metrics told"]);

        let mut group = runtime.group();
        group.race("alone", pending::<()>()).background();
        let outcome = group.run().await.unwrap();
        assert_eq!(*outcome.cause(), Cause::Ended);
    });
}

#[test]
fn g18_the_same_story_has_the_same_end_on_every_runtime() {
    on_all(|runtime| async move {
        let (mut group, started) = (runtime.group(), Recorder::new());
        let [done, obedient, race, deaf, all] = [(); 5].map(|()| started.clone());
        group.add("done", move |_| async move { done.note("done") });
        group.add("obedient", move |scope| async move {
            obedient.note("obedient");
            scope.stopped().await;
        });
        group.race("race", async move {
            race.note("race");
            pending::<()>().await;
        });
        group
            .add("deaf", move |_| async move {
                deaf.note("deaf");
                pending::<()>().await;
            })
            .drain_timeout(Duration::from_millis(1));
        group.add("culprit", move |_| async move {
            all.wait_for(4).await;
            Err("xxx")
        });
        let error = group.run().await.unwrap_err();

        assert_eq!(error.to_string(), "service `culprit` failed: xxx");
        let outcome = error.outcome().unwrap();
        let exits: Vec<_> = outcome.reports().map(exit_of).collect();
        assert_eq!(
            exits,
            ["finished", "finished", "cancelled", "cancelled", "failed"]
        );
        let stragglers: Vec<_> = outcome.stragglers().map(|report| report.name()).collect();
        assert_eq!(stragglers, ["deaf"]);
    });
}

#[test]
fn g19_stragglers_are_named_with_where_they_were_added() {
    on_all(|runtime| async move {
        let mut group = runtime.group().drain_timeout(Duration::from_millis(5));
        let started = Gate::new();
        let ready = started.clone();
        let deaf = move |_| {
            ready.open();
            pending::<()>()
        };
        let line = line!() + 1;
        group.add("deaf", deaf);
        group
            .add("short", move |_| async move { started.pass().await })
            .on_exit(OnExit::Stop);
        let error = group.run().await.unwrap_err();
        let straggler = error.outcome().unwrap().stragglers().next().unwrap();
        assert_eq!(straggler.name(), "deaf");
        assert_eq!(straggler.location().file(), file!());
        assert_eq!(straggler.location().line(), line);
        assert!(
            straggler
                .to_string()
                .contains(&format!("added at {}:{line}", file!()))
        );
    });
}

#[test]
fn a_nested_group_follows_the_stop_and_the_deadline_of_its_service() {
    on_all(|runtime| async move {
        let recorder = Recorder::new();
        let (inner_recorder, started) = (recorder.clone(), Gate::new());
        let ready = started.clone();
        let mut inner = runtime.group().drain_timeout(Duration::MAX);
        inner.add("inner", move |scope| async move {
            ready.open();
            inner_recorder.note(scope.stopped().await.to_string());
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
        assert_eq!(recorder.events(), ["request"]);
    });
}

#[test]
fn services_of_a_group_in_place_can_borrow_from_the_stack() {
    let mut lines = vec![String::new(); 3];
    let prefix = String::from("line");
    let mut group = neap::Group::new();
    for (number, line) in lines.iter_mut().enumerate() {
        let prefix = &prefix;
        group.add("writer", move |scope| async move {
            scope.spawn(async move { line.push_str(&format!("{prefix} {number}")) });
        });
    }
    future::block_on(group.run()).unwrap();
    assert_eq!(lines, ["line 0", "line 1", "line 2"]);
}

#[test]
fn a_task_that_its_executor_drops_is_a_failure_and_not_a_quiet_end() {
    let mut group = neap::Group::on(drop);
    group.add("lost", |_| async {});
    let error = future::block_on(group.run()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "service `lost` failed: its executor dropped it"
    );
}

#[test]
fn two_services_may_share_a_name() {
    let mut group = neap::Group::new();
    let first = group.add("worker", |_| async {}).id();
    let second = group.add("worker", |_| async {}).id();
    assert_ne!(first, second);
    assert_eq!(future::block_on(group.run()).unwrap().reports().len(), 2);
}

#[test]
fn many_services_all_start_and_all_end() {
    on_all(|runtime| async move {
        const SERVICES: usize = 5_000;
        let mut group = runtime.group();
        let (handle, running) = (group.handle(), Arc::new(AtomicUsize::new(0)));
        for _ in 0..SERVICES {
            let running = Arc::clone(&running);
            group.add("service", move |scope| async move {
                running.fetch_add(1, Ordering::Relaxed);
                scope.stopped().await;
            });
        }
        group.add("stopper", move |_| async move {
            while running.load(Ordering::Relaxed) < SERVICES {
                future::yield_now().await;
            }
            handle.stop();
        });
        let outcome = group.run().await.unwrap();
        assert!(
            outcome
                .reports()
                .all(|report| exit_of(report) == "finished")
        );
    });
}
