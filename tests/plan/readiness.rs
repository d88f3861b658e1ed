//! Readiness: when a service counts as started, and what a failed start leads to.

use std::time::Duration;

use futures_lite::future;
use neap::test::Clock;
use neap::{Cause, Exit, Group, Scope};

use crate::runtimes::{Gate, limited, on_all};
use crate::support::{Notes, exit_of, never_started, noting};

#[test]
fn g07_a_service_starts_only_once_what_it_needs_is_ready() {
    on_all(|runtime| async move {
        let (notes, gate) = (Notes::new(), Gate::new());
        let mut group = runtime.group();
        let (noted, passed) = (notes.clone(), gate.clone());
        let db = group
            .add("db", |scope| async move {
                scope.starting();
                passed.pass().await;
                noted.note("ready");
                assert!(scope.ready());
                assert!(!scope.ready(), "only the first is news");
                scope.stopped().await;
            })
            .id();
        let noted = notes.clone();
        group
            .add("http", |_| async move { noted.note("http") })
            .needs(db);
        let (noted, handle) = (notes.clone(), group.handle());
        group.race("opener", async move {
            for _ in 0..20 {
                future::yield_now().await;
            }
            noted.note("opening");
            gate.open();
            handle.started().await.unwrap();
            handle.stop();
        });
        group.run().await.unwrap();
        assert_eq!(notes.all(), ["opening", "ready", "http"]);
    });
}

#[test]
fn g07_one_that_does_not_call_starting_is_ready_after_its_first_poll() {
    on_all(|runtime| async move {
        let notes = Notes::new();
        let mut group = runtime.group();
        let noted = notes.clone();
        let first = group
            .add("first", |scope| async move {
                noted.note("first poll");
                std::thread::yield_now();
                noted.note("first poll is over");
                scope.stopped().await;
            })
            .id();
        let (noted, handle) = (notes.clone(), group.handle());
        let second = |_| async move {
            noted.note("second");
            handle.stop();
        };
        group.add("second", second).needs(first);
        group.run().await.unwrap();
        let expected = ["first poll", "first poll is over", "second"];
        assert_eq!(notes.all(), expected);
    });
}

#[test]
fn g07_a_service_that_finishes_is_ready() {
    on_all(|runtime| async move {
        let notes = Notes::new();
        let mut group = runtime.group();
        let noted = notes.clone();
        let migrations = group
            .add("migrations", |scope| async move {
                scope.starting();
                future::yield_now().await;
                noted.note("migrated");
            })
            .id();
        let noted = notes.clone();
        group
            .add("server", |_| async move { noted.note("serving") })
            .needs(migrations);
        let outcome = group.run().await.unwrap();
        assert_eq!(*outcome.cause(), Cause::Ended);
        assert_eq!(notes.all(), ["migrated", "serving"]);
    });
}

#[test]
fn a_service_added_by_a_handle_before_the_run_starts_with_the_run() {
    on_all(|runtime| async move {
        let (group, notes) = (runtime.group(), Notes::new());
        let (handle, noted) = (group.handle(), notes.clone());
        handle
            .add("early", |_| async move { noted.note("early") })
            .unwrap();
        for _ in 0..20 {
            future::yield_now().await;
        }
        notes.note("running");
        group.run().await.unwrap();
        assert_eq!(notes.all(), ["running", "early"]);
    });
}

#[test]
fn g08_a_failed_start_rolls_back_in_order() {
    on_all(|runtime| async move {
        let notes = Notes::new();
        let mut group = runtime.group();
        let db = group.add("db", noting(&notes, "db")).id();
        let http = group.add("http", noting(&notes, "http")).needs(db).id();
        let bad = |scope: Scope<'static>| async move {
            scope.starting();
            future::yield_now().await;
            Err("no such table")
        };
        let jobs = group.add("jobs", bad).needs(http).id();
        group.add("never", never_started).needs(jobs);
        let error = group.run().await.unwrap_err();
        assert_eq!(error.to_string(), "service `jobs` failed: no such table");
        let never = exit_of(error.outcome().unwrap(), "never");
        assert!(matches!(never, Exit::NotStarted));
        let expected = [
            "db up",
            "http up",
            "http stopped",
            "http gone",
            "db stopped",
            "db gone",
        ];
        assert_eq!(notes.all(), expected);
    });
}

#[test]
fn g08_a_start_that_times_out_rolls_back_in_order() {
    on_all(|runtime| async move {
        let notes = Notes::new();
        let mut group = runtime.group();
        let db = group.add("db", noting(&notes, "db")).id();
        let slow = |scope: Scope<'static>| async move {
            scope.stopped().await;
        };
        let slow = group
            .add("slow", slow)
            .needs(db)
            .start_timeout(Duration::from_millis(10))
            .id();
        group.add("never", never_started).needs(slow);
        let error = group.run().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "service `slow` failed: it was not ready 10ms after its start"
        );
        assert_eq!(
            *error.outcome().unwrap().cause(),
            Cause::Failed("slow".into())
        );
        assert_eq!(notes.all(), ["db up", "db stopped", "db gone"]);
    });
}

#[test]
fn g08_the_start_timeout_ends_once_a_service_is_ready() {
    on_all(|runtime| async move {
        let (clock, hour) = (Clock::new(), Duration::from_secs(3600));
        let mut group = runtime.group();
        group = group.clock(&clock);
        let quick = move |scope: Scope<'static>| async move {
            future::yield_now().await;
            scope.ready();
            clock.advance(hour * 2);
            for _ in 0..20 {
                future::yield_now().await;
            }
        };
        group.add("quick", quick).start_timeout(hour);
        group.run().await.unwrap();
    });
}

#[test]
fn started_waits_for_all_services_and_fails_if_one_fails_first() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        let handle = group.handle();
        group.add("failing", |scope| async move {
            scope.starting();
            future::yield_now().await;
            Err("xxx")
        });
        let (run, started) = future::zip(group.run(), handle.started()).await;
        run.unwrap_err();
        assert_eq!(started, Err(Cause::Failed("failing".into())));
        assert!(handle.started().await.is_err(), "nor later");
    });
}

#[test]
fn started_waits_until_the_group_runs() {
    limited(|| {
        let group = Group::new();
        let handle = group.handle();
        let once = future::block_on(future::poll_once(handle.started()));
        assert_eq!(once, None);
    });
}
