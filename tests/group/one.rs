//! One service of a group: stopped, cancelled or awaited alone.

use std::fmt;
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_lite::future::{self, yield_now};
use neap::{Cause, Exit, OnExit, OnFailure, Scope, ServiceOptions, State};

use crate::runtimes::on_all;
use crate::support::{CountingWaker, Notes, chain, never_started, poll};

#[test]
fn a_service_stops_its_group_and_says_why() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        group.add("server", async |scope: Scope<'static>| {
            assert_eq!(scope.stopped().await, Cause::from("the disk is full"));
        });
        group.add("disk", async |scope: Scope<'static>| {
            assert!(scope.stop_with("the disk is full"));
            assert!(!scope.stop());
        });
        let outcome = group.run().await.unwrap();
        assert_eq!(outcome.cause().to_string(), "request (the disk is full)");
        assert!(outcome.cause().is_request());
    });
}

#[test]
fn cancel_one_drops_a_service_and_leaves_the_group_running() {
    on_all(|runtime| async move {
        let (mut group, notes) = (runtime.group(), Notes::new());
        let noted = notes.clone();
        let deaf = group.add("deaf", async move |scope: Scope<'static>| {
            let _gone = noted.on_drop("deaf gone");
            scope.spawn(pending::<()>());
            pending::<()>().await;
        });
        let (deaf, noted) = (deaf.id(), notes.clone());
        group.add("operator", async move |scope: Scope<'static>| {
            let handle = scope.handle();
            handle.started().await.unwrap();
            assert!(handle.cancel_one(deaf));
            handle.ended(deaf).await;
            assert!(!handle.cancel_one(deaf), "it has ended");
            noted.note("operator goes on");
            assert!(!handle.is_stopped());
        });
        let outcome = group.run().await.unwrap();
        let report = outcome.reports().next().unwrap();
        assert!(matches!(report.exit(), Exit::Cancelled) && !report.is_straggler());
        assert_eq!(notes.all(), ["deaf gone", "operator goes on"]);
    });
}

#[test]
fn g07_cancel_one_stops_those_that_need_it_before() {
    on_all(|runtime| async move {
        let (mut group, notes) = (runtime.group(), Notes::new());
        let [db, ..] = chain(&mut group, &notes);
        group.add("operator", async move |scope: Scope<'static>| {
            let handle = scope.handle();
            handle.started().await.unwrap();
            assert!(handle.cancel_one(db));
            assert!(!handle.cancel_one(db), "it has been asked for");
            handle.ended(db).await;
        });
        let outcome = group.run().await.unwrap();
        let ends = [
            "db up",
            "http up",
            "jobs up",
            "jobs stopped",
            "jobs gone",
            "http stopped",
            "http gone",
            "db gone",
        ];
        assert_eq!(notes.all(), ends, "it is not told to stop, but dropped");
        assert!(matches!(
            outcome.reports().next().unwrap().exit(),
            Exit::Cancelled
        ));
    });
}

#[test]
fn cancel_one_cuts_a_drain_short() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        let deaf = group.add("deaf", async |_| pending::<()>().await).id();
        group.add("operator", async move |scope: Scope<'static>| {
            let handle = scope.handle();
            handle.started().await.unwrap();
            assert!(handle.stop_one(deaf));
            assert!(handle.cancel_one(deaf));
            handle.ended(deaf).await;
        });
        group.run().await.unwrap();
    });
}

#[test]
fn ended_returns_at_once_for_what_has_ended_and_for_what_is_not_of_the_group() {
    on_all(|runtime| async move {
        let (mut group, mut other) = (runtime.group(), runtime.group());
        let stranger = other.add("stranger", async |_| {}).id();
        let handle = group.handle();
        group.add("main", async move |scope: Scope<'static>| {
            let handle = scope.handle();
            handle.ended(stranger).await;
            let options = ServiceOptions::new().background();
            let job = handle.add_with("job", options, async |_| {}).unwrap();
            handle.ended(job).await;
            handle.ended(job).await;
        });
        let late = group.add("late", async |_| {}).id();
        group.run().await.unwrap();
        handle.ended(late).await;
    });
}

#[test]
fn ignored_failures_leave_the_group_running_and_are_in_the_outcome() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        let weak = group.add("weak", async |scope: Scope<'static>| {
            for _ in 0..2 {
                let child = scope.spawn(async { Err::<(), _>("a child") });
                assert!(child.await.is_none());
            }
            scope.stopped().await;
            panic!("itself");
        });
        let weak = weak.on_failure(OnFailure::Ignore).id();
        group.add("main", async move |scope: Scope<'static>| {
            let handle = scope.handle();
            handle.started().await.unwrap();
            handle.stop_one(weak);
            handle.ended(weak).await;
            assert!(!scope.is_stopped());
        });
        let outcome = group.run().await.unwrap();
        assert_eq!(outcome.failures().count(), 0);
        let ignored: Vec<_> = outcome.ignored_failures().collect();
        assert_eq!(ignored.len(), 1);
        assert_eq!(ignored[0].exit().to_string(), "failed: a child");
    });
}

#[test]
fn g07_what_needs_a_service_that_failed_before_it_was_ready_does_not_start() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        let first = group.add("at its first poll", async |_| Err("no"));
        let first = first.on_failure(OnFailure::Ignore).id();
        let late = group.add("while starting", async |scope: Scope<'static>| {
            scope.starting();
            futures_lite::future::yield_now().await;
            Err("no")
        });
        let late = late.on_failure(OnFailure::Ignore).id();
        group.add("a", crate::support::never_started).needs(first);
        group.add("b", crate::support::never_started).needs(late);
        group.add("main", async |_| {});
        let outcome = group.run().await.unwrap();
        let exits: Vec<_> = outcome
            .reports()
            .map(|one| one.exit().to_string())
            .collect();
        assert_eq!(
            exits,
            [
                "failed: no",
                "failed: no",
                "not started",
                "not started",
                "finished"
            ]
        );
    });
}

#[test]
fn g08_a_start_that_takes_too_long_and_is_ignored_ends_that_service_alone() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        let slow = group.add("slow", async |scope: Scope<'static>| {
            assert_eq!(scope.stopped().await, Cause::Requested);
        });
        let slow = slow
            .start_timeout(Duration::from_millis(5))
            .on_failure(OnFailure::Ignore)
            .id();
        group
            .add("above", crate::support::never_started)
            .needs(slow);
        group.add("main", async move |scope: Scope<'static>| {
            scope.handle().ended(slow).await
        });
        let outcome = group.run().await.unwrap();
        let exits: Vec<_> = outcome
            .reports()
            .map(|one| one.exit().to_string())
            .collect();
        let failed = "failed: it was not ready 5ms after its start";
        assert_eq!(exits, [failed, "not started", "finished"]);
    });
}

#[test]
fn a_mistake_in_the_plan_is_not_ignored() {
    on_all(|runtime| async move {
        let (mut group, mut other) = (runtime.group(), runtime.group());
        let stranger = other.add("stranger", async |_| {}).id();
        let lost = group.add("lost", async |_| {});
        lost.on_failure(OnFailure::Ignore).needs(stranger);
        let error = group.run().await.unwrap_err();
        let reason = "service `lost` failed: it needs a service of another group";
        assert_eq!(error.to_string(), reason);
    });
}

/// An error that is counted.
#[derive(Clone, Debug)]
struct Kept(Arc<()>);

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no")
    }
}

impl std::error::Error for Kept {}

#[test]
fn g21_ignored_failures_of_services_that_come_and_go_leave_nothing_behind() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        group.add("main", async move |scope: Scope<'static>| {
            let handle = scope.handle();
            let no = Kept(Arc::new(()));
            for _ in 0..200 {
                let options = ServiceOptions::new().on_failure(OnFailure::Ignore);
                let error = no.clone();
                let job = handle.add_with("job", options, async move |_| {
                    future::yield_now().await;
                    Err(error)
                });
                handle.ended(job.unwrap()).await;
            }
            // The last one may be about to be forgotten, by another thread.
            while handle.status().services().len() > 1 || Arc::strong_count(&no.0) > 1 {
                future::yield_now().await;
            }
        });
        let outcome = group.run().await.unwrap();
        assert_eq!(outcome.unreported(), 200);
        assert_eq!(outcome.ignored_failures().count(), 0);
    });
}

#[test]
fn g02_one_whose_failure_is_ignored_has_not_finished_well() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        let weak = group.add("weak", async |_| Err("no")).on_exit(OnExit::Stop);
        weak.on_failure(OnFailure::Ignore);
        let parent = group.add("parent", async |scope: Scope<'static>| {
            scope.spawn(async { Err::<(), _>("a child") });
        });
        let parent = parent.on_failure(OnFailure::Ignore);
        let parent = parent.on_exit(OnExit::Stop).id();
        group.add("main", async move |scope: Scope<'static>| {
            scope.handle().ended(parent).await;
            assert!(!scope.is_stopped());
        });
        assert_eq!(*group.run().await.unwrap().cause(), Cause::Ended);
    });
}

#[test]
fn g07_one_that_fails_while_it_is_stopped_has_never_been_ready() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        group.add("main", async |scope: Scope<'static>| {
            let handle = scope.handle();
            let options = ServiceOptions::new().on_failure(OnFailure::Ignore);
            let weak = handle.add_with("weak", options, async |scope: Scope<'static>| {
                scope.starting();
                scope.stopped().await;
                Err("no")
            });
            let weak = weak.unwrap();
            // Its first poll makes it wait for the stop.
            while handle.status().services()[1].state() == State::Waiting {
                future::yield_now().await;
            }
            handle.stop_one(weak);
            handle.ended(weak).await;
            let options = ServiceOptions::new().needs(weak);
            let user = handle.add_with("user", options, never_started).unwrap();
            handle.ended(user).await;
        });
        let outcome = group.run().await.unwrap();
        // The other two are unreported, as a handle added them; `never_started` has not run.
        assert_eq!((outcome.reports().len(), outcome.unreported()), (1, 2));
    });
}

#[test]
fn g21_an_end_wakes_those_alone_that_wait_for_it() {
    on_all(|runtime| async move {
        let (mut group, polls) = (runtime.group(), Arc::new(AtomicUsize::new(0)));
        let handle = group.handle();
        for _ in 0..50 {
            let job = group.add("job", async |_| {
                for _ in 0..3 {
                    yield_now().await;
                }
            });
            let (job, handle, polls) = (job.id(), handle.clone(), polls.clone());
            group.add("watch", async move |_| {
                let mut ended = pin!(handle.ended(job));
                poll_fn(|cx| {
                    polls.fetch_add(1, Ordering::Relaxed);
                    ended.as_mut().poll(cx)
                })
                .await;
            });
        }
        group.run().await.unwrap();
        let polls = polls.load(Ordering::Relaxed);
        assert!(polls <= 150, "{polls} polls for 50 ends");
    });
}

#[test]
fn g21_a_wait_for_an_end_that_is_given_up_leaves_no_waker() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        let long = group.add("long", async |scope: Scope<'static>| {
            scope.stopped().await;
        });
        let long = long.id();
        group.add("operator", async move |scope: Scope<'static>| {
            let (handle, count) = (scope.handle(), Arc::new(CountingWaker::default()));
            for _ in 0..100 {
                assert!(poll(pin!(handle.ended(long)), &count).is_pending());
            }
            assert_eq!(Arc::strong_count(&count), 1);
            scope.stop();
        });
        group.run().await.unwrap();
    });
}
