//! The functions that a group calls at each event, on every runtime.

mod runtimes;
mod support;

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use futures_lite::future;
use neap::test::{Clock, Recorder};
use neap::{Cause, Event, Group, Handle, Occurrence, Restart, Scope, ServiceOptions, restart};
use runtimes::{Gate, THREADED, limited, on, on_all};
use support::exits;

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// All that a function was called with. Clones are the same list.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<Occurrence>>>);

impl Seen {
    fn of<'a>(group: Group<'a>) -> (Group<'a>, Seen) {
        let seen = Seen::default();
        let hook = seen.clone();
        let group = group.on_event(move |occurrence| {
            hook.0.lock().unwrap().push(occurrence.clone());
        });
        (group, seen)
    }

    fn all(&self) -> Vec<Occurrence> {
        self.0.lock().unwrap().clone()
    }

    fn events(&self) -> Vec<Event> {
        self.all().iter().map(|one| one.event().clone()).collect()
    }

    fn lines(&self) -> Vec<String> {
        self.events().iter().map(Event::to_string).collect()
    }
}

#[test]
fn a_function_is_called_at_each_event_with_the_service_and_the_time() {
    on_all(|runtime| async move {
        let (clock, group) = (Clock::new(), runtime.group());
        clock.advance(s(100));
        let (mut group, seen) = Seen::of(group.clock(&clock).drain_timeout(s(10)));
        let deaf = group.add("deaf", |_| pending::<()>()).id();
        let hand = clock.clone();
        let server = |scope: Scope<'static>| async move {
            scope.starting();
            hand.sleep(s(2)).await;
            scope.ready();
            scope.stopped().await;
            hand.sleep(s(3)).await;
        };
        let server = group.add("server", server).needs(deaf).id();
        let handle = group.handle();
        let test = async {
            clock.advance(s(5)).await;
            handle.stop();
            clock.advance(s(60)).await;
        };
        let (ended, ()) = future::zip(group.run(), test).await;
        ended.unwrap_err();
        let all = seen.all().into_iter();
        let all: Vec<_> = all
            .map(|one| (one.at().as_secs(), one.id(), one.event().clone()))
            .collect();
        let (d, w) = (Some(deaf), Some(server));
        let expected = [
            (0, d, Event::Started("deaf".into())),
            (0, d, Event::Ready("deaf".into())),
            (0, w, Event::Started("server".into())),
            (2, w, Event::Ready("server".into())),
            (5, None, Event::Stopping(Cause::Requested)),
            (5, w, Event::Stopped("server".into())),
            (8, w, Event::Ended("server".into())),
            (8, d, Event::Stopped("deaf".into())),
            (15, d, Event::Cancelled("deaf".into())),
        ];
        assert_eq!(all, expected);
    });
}

#[test]
fn a_failure_and_a_restart_have_their_text() {
    on_all(|runtime| async move {
        let (mut group, seen) = Seen::of(runtime.group());
        let policy = Restart::on_failure()
            .intensity(1, s(3600))
            .backoff(Duration::ZERO, Duration::ZERO);
        group.add("flaky", restart(policy, |_| async { Err::<(), _>("xxx") }));
        group.run().await.unwrap_err();
        let lines = seen.lines();
        assert_eq!(
            lines[..3],
            [
                "`flaky` started",
                "`flaky` failed: xxx; restarting",
                "`flaky` failed: gave up after 1 restart within 3600s: failed: xxx",
            ]
        );
        for line in ["stopping: failure of `flaky`", "`flaky` ended"] {
            let is_line = |other: &&String| *other == line;
            assert_eq!(lines.iter().filter(is_line).count(), 1, "{lines:?}");
        }
    });
}

#[test]
fn the_end_of_a_run_that_is_dropped_is_heard_of() {
    on_all(|runtime| async move {
        let (mut group, seen) = Seen::of(runtime.group());
        let one = group.add("one", |_| pending::<()>()).id();
        let handle = group.handle();
        let run = async { drop(group.run().await) };
        let started = async { handle.started().await.unwrap() };
        future::or(run, started).await;
        handle.ended(one).await;
        while !seen.lines().contains(&"`one` cancelled".to_owned()) {
            future::yield_now().await;
        }
    });
}

#[test]
fn one_that_blocks_its_thread_is_abandoned_and_has_no_other_end() {
    on(&THREADED, |runtime| async move {
        let group = runtime.group().drain_timeout(Duration::ZERO);
        let (mut group, seen) = Seen::of(group.cancel_timeout(Duration::from_millis(20)));
        let (gate, is_blocked, is_over) = (Gate::new(), Gate::new(), Gate::new());
        let (passed, blocked, over) = (gate.clone(), is_blocked.clone(), is_over.clone());
        group.add("stuck", |_| async move {
            blocked.open();
            passed.pass_blocking();
            over.open();
        });
        let handle = group.handle();
        let test = async {
            is_blocked.pass().await;
            handle.stop();
        };
        let (ended, ()) = future::zip(group.run(), test).await;
        ended.unwrap_err();
        gate.open();
        is_over.pass().await;
        std::thread::sleep(Duration::from_millis(20));
        let mut lines = seen.lines();
        // Its first poll returned after all, and so late it may or may not be said.
        lines.retain(|line| line != "`stuck` ready");
        assert_eq!(
            lines,
            [
                "`stuck` started",
                "stopping: request",
                "`stuck` stopped",
                "`stuck` abandoned",
            ]
        );
    });
}

#[test]
fn a_recorder_has_the_same_but_for_the_stop_of_the_group() {
    on_all(|runtime| async move {
        let recorder = Recorder::new();
        let (mut group, seen) = Seen::of(runtime.group().record(&recorder));
        let db = group.add("db", |scope| async move { drop(scope.stopped().await) });
        let db = db.id();
        group.add("job", |_| async { Err("xxx") }).needs(db);
        group.run().await.unwrap_err();
        let mut events = seen.events();
        events.retain(|event| event.service().is_some());
        assert_eq!(events, recorder.events());
    });
}

#[test]
fn a_panic_of_the_function_changes_nothing() {
    on_all(|runtime| async move {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        let group = runtime.group().on_event(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            panic!("in the function");
        });
        // The one after it is called all the same.
        let (mut group, seen) = Seen::of(group);
        group.add("first", |_| async {});
        group.add("second", |scope| async move { drop(scope.stopped().await) });
        let handle = group.handle();
        let (outcome, ()) = future::zip(group.run(), async {
            handle.started().await.unwrap();
            handle.stop();
        })
        .await;
        assert_eq!(exits(&outcome.unwrap()), ["finished"; 2]);
        assert_eq!(seen.all().len(), calls.load(Ordering::SeqCst));
        assert!(seen.events().contains(&Event::Ended("first".into())));
    });
}

#[test]
fn the_function_may_do_anything_with_a_handle() {
    on_all(|runtime| async move {
        let handle: Arc<OnceLock<Handle<'static>>> = Arc::default();
        let (found, calls) = (handle.clone(), AtomicUsize::new(0));
        let (mut group, seen) = Seen::of(runtime.group().on_event(move |occurrence| {
            let Some(handle) = found.get() else { return };
            let _ = handle.status().to_string();
            let options = ServiceOptions::default();
            let _ = match calls.fetch_add(1, Ordering::SeqCst) {
                0..5 => handle.add("late", |_| async {}).is_ok(),
                5..10 => handle
                    .add_with("limited", options, |scope| async move {
                        drop(scope.stopped().await);
                    })
                    .is_ok(),
                10 => handle.stop(),
                _ => occurrence.id().is_some_and(|id| handle.stop_one(id)),
            };
        }));
        handle.set(group.handle()).ok().unwrap();
        let db = group.add("db", |scope| async move { drop(scope.stopped().await) });
        let db = db.id();
        group
            .add("http", |scope| async move { drop(scope.stopped().await) })
            .needs(db);
        group.run().await.unwrap();
        assert!(seen.events().contains(&Event::Ended("db".into())));
    });
}

#[test]
fn g01_a_failure_is_the_cause_also_if_the_function_stops_the_group_for_it() {
    on_all(|runtime| async move {
        let handle: Arc<OnceLock<Handle<'static>>> = Arc::default();
        let found = handle.clone();
        let mut group = runtime.group().on_event(move |occurrence| {
            if matches!(occurrence.event(), Event::Failed(..)) {
                found.get().unwrap().cancel();
            }
        });
        handle.set(group.handle()).ok().unwrap();
        group.add("job", |_| async { Err("xxx") });
        let error = group.run().await.unwrap_err();
        let outcome = error.outcome().unwrap();
        assert_eq!(*outcome.cause(), Cause::Failed("job".into()));
    });
}

#[test]
fn a_nested_group_has_events_of_its_own() {
    on_all(|runtime| async move {
        let (mut outer, seen) = Seen::of(runtime.group());
        let (mut inner, seen_inside) = Seen::of(runtime.group());
        inner.add("job", |_| async {});
        outer.add("inner", inner.into_service());
        outer.run().await.unwrap();
        let names = |seen: &Seen| -> Vec<_> {
            let events = seen.events().into_iter();
            events
                .filter_map(|event| event.service().map(str::to_owned))
                .collect()
        };
        assert!(names(&seen).iter().all(|name| name == "inner"));
        assert!(names(&seen_inside).iter().all(|name| name == "job"));
        assert_eq!(seen_inside.events().len(), 4);
    });
}

#[test]
fn before_the_start_the_time_is_zero() {
    limited(|| {
        let (mut group, seen) = Seen::of(Group::new());
        group.add("job", |_| async {});
        drop(group);
        assert_eq!(
            seen.lines(),
            [
                "stopping: drop of the group",
                "`job` stopped",
                "`job` cancelled"
            ]
        );
        assert!(seen.all().iter().all(|one| one.at() == Duration::ZERO));
        assert_eq!(
            seen.all()[0].to_string(),
            "0.000ns: stopping: drop of the group"
        );
    });
}

#[test]
fn an_error_that_cannot_be_displayed_is_a_failure_with_the_text_of_its_panic() {
    #[derive(Debug)]
    struct Mute;
    impl std::fmt::Display for Mute {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("mute");
        }
    }
    impl std::error::Error for Mute {}
    on_all(|runtime| async move {
        let (mut group, seen) = Seen::of(runtime.group());
        group.add("job", |_| async { Err::<(), _>(Mute) });
        group.run().await.unwrap_err();
        let failed = Event::Failed("job".into(), "panicked: mute".into());
        assert!(seen.events().contains(&failed), "{:?}", seen.events());
    });
}

#[test]
fn g21_a_function_that_holds_a_handle_goes_with_its_group() {
    on_all(|runtime| async move {
        let owned = Arc::new(());
        let group = runtime.group();
        let (handle, held) = (group.handle(), Arc::clone(&owned));
        let mut group = group.on_event(move |_| {
            let _ = (handle.is_stopped(), &held);
        });
        group.add("job", async |_| {});
        group.run().await.unwrap();
        assert_eq!(Arc::strong_count(&owned), 1, "after a run");

        let group = runtime.group();
        let (handle, held) = (group.handle(), Arc::clone(&owned));
        drop(group.on_event(move |_| {
            let _ = (handle.is_stopped(), &held);
        }));
        assert_eq!(Arc::strong_count(&owned), 1, "without a run");
    });
}
