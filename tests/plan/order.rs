//! Order: services start after what they need, and stop before it, however the group ends.

use std::future::pending;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_lite::future;
use neap::{Exit, Group, Scope, StopToken};

use crate::runtimes::{AsyncStd, Gate, SmolThreads, ThreadPool, on, on_all};
use crate::support::{CHAIN, Notes, chain, exit_of, noting, stop_once_started, stragglers};

/// Adds `db`, `http` and `jobs`, each of which needs the one before.
fn add_chain<S, F>(group: &mut Group<'static>, service: impl Fn(&'static str) -> S)
where
    S: FnOnce(Scope<'static>) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let db = group.add("db", service("db")).id();
    let http = group.add("http", service("http")).needs(db).id();
    group.add("jobs", service("jobs")).needs(http);
}

#[test]
fn g07_services_start_after_what_they_need_and_stop_before_it() {
    on_all(|runtime| async move {
        let notes = Notes::new();
        let mut group = runtime.group();
        chain(&mut group, &notes);
        stop_once_started(&mut group);
        group.run().await.unwrap();
        assert_eq!(notes.all(), CHAIN);
    });
}

#[test]
fn g07_services_that_need_nothing_of_each_other_start_and_stop_together() {
    on_all(|runtime| async move {
        let (mut group, notes) = (runtime.group(), Notes::new());
        let base = group.add("base", noting(&notes, "base")).id();
        // Each waits for the other: one after the other would never end.
        let (up, stopped) = ([Gate::new(), Gate::new()], [Gate::new(), Gate::new()]);
        for (own, other) in [(0, 1), (1, 0)] {
            let (up, stopped) = (up.clone(), stopped.clone());
            let service = move |scope: Scope<'static>| async move {
                scope.starting();
                up[own].open();
                up[other].pass().await;
                scope.ready();
                scope.stopped().await;
                stopped[own].open();
                stopped[other].pass().await;
            };
            group.add("one of two", service).needs(base);
        }
        stop_once_started(&mut group);
        group.run().await.unwrap();
        assert_eq!(notes.all(), ["base up", "base stopped", "base gone"]);
    });
}

#[test]
fn g07_the_order_holds_when_cancelling() {
    on_all(|runtime| async move {
        let (mut group, notes) = (runtime.group(), Notes::new());
        add_chain(&mut group, |name| {
            let noted = notes.clone();
            move |scope: Scope<'static>| async move {
                let child = noted.on_drop(&format!("child of {name} gone"));
                scope.spawn(async move {
                    let _gone = child;
                    pending::<()>().await;
                });
                let _gone = noted.on_drop(&format!("{name} gone"));
                pending::<()>().await;
            }
        });
        let handle = group.handle();
        group.race("end", async move {
            handle.started().await.unwrap();
            handle.cancel();
        });
        let error = group.run().await.unwrap_err();
        assert!(error.is_timeout());
        // The service that cancels the group may be cancelled with it.
        let mut stragglers = stragglers(error.outcome().unwrap());
        stragglers.retain(|name| *name != "end");
        assert_eq!(stragglers, ["db", "http", "jobs"]);
        assert_in_order(&notes, &["jobs", "http", "db"]);
    });
}

/// Asserts that each service is gone, with its child, before the next one is.
fn assert_in_order(notes: &Notes, names: &[&str]) {
    let events = notes.all();
    assert_eq!(events.len(), 2 * names.len(), "{events:?}");
    for (pair, name) in events.chunks(2).zip(names) {
        assert!(pair.iter().all(|event| event.contains(name)), "{events:?}");
    }
}

#[test]
fn g07_a_needed_service_is_stopped_last_even_past_the_deadline() {
    on_all(|runtime| async move {
        let notes = Notes::new();
        let mut group = runtime.group().drain_timeout(Duration::ZERO);
        let token = Arc::new(OnceLock::new());
        let given = token.clone();
        let db = group
            .add("db", |scope| async move {
                given.set(scope.token()).unwrap();
                pending::<()>().await;
            })
            .id();
        let noted = notes.clone();
        let http = |_| async move {
            struct OnDrop(Notes, Arc<OnceLock<StopToken>>);
            impl Drop for OnDrop {
                fn drop(&mut self) {
                    let stopped = self.1.get().unwrap().is_stopped();
                    self.0.note(format!("db stopped: {stopped}"));
                }
            }
            let _looks = OnDrop(noted, token);
            pending::<()>().await;
        };
        group.add("http", http).needs(db);
        stop_once_started(&mut group);
        group.run().await.unwrap_err();
        assert_eq!(notes.all(), ["db stopped: false"]);
    });
}

#[test]
fn g07_the_order_holds_when_one_that_blocks_is_abandoned() {
    // One thread is not enough: `db` is to be dropped while another thread is blocked.
    let threaded = [SmolThreads, AsyncStd, ThreadPool];
    on(&threaded, |runtime| async move {
        let notes = Notes::new();
        let mut group = runtime
            .group()
            .drain_timeout(Duration::ZERO)
            .cancel_timeout(Duration::from_millis(300));
        let db = group.add("db", noting(&notes, "db")).id();
        let (gate, thread_gate) = std::sync::mpsc::channel::<()>();
        let noted = notes.clone();
        let blocked = |scope: Scope<'static>| async move {
            scope.starting();
            scope.ready();
            noted.note("blocked");
            let _ = thread_gate.recv();
        };
        group.add("blocked", blocked).needs(db);
        let (handle, noted) = (group.handle(), notes.clone());
        let end = async move {
            noted.wait_for(2).await;
            handle.stop();
        };
        let (ended, ()) = future::zip(group.run(), end).await;
        let error = ended.unwrap_err();
        let outcome = error.outcome().unwrap();
        assert!(matches!(exit_of(outcome, "blocked"), Exit::Abandoned));
        assert!(matches!(
            exit_of(outcome, "db"),
            Exit::Finished | Exit::Cancelled
        ));
        assert_eq!(notes.all()[..2], ["db up", "blocked"]);
        assert_eq!(notes.all().last().unwrap(), "db gone");
        drop(gate);
    });
}

#[test]
fn g07_the_order_holds_when_run_is_dropped() {
    on_all(|runtime| async move {
        let notes = Notes::new();
        let mut group = runtime.group();
        add_chain(&mut group, |name| {
            let noted = notes.clone();
            move |_: Scope<'static>| async move {
                let _gone = noted.on_drop(&format!("{name} gone"));
                noted.note("up");
                pending::<()>().await;
            }
        });
        let (handle, run) = (group.handle(), group.run());
        let up = async {
            handle.started().await.unwrap();
            None
        };
        let ended = future::or(async { Some(run.await) }, up).await;
        assert!(ended.is_none());
        if runtime.is_in_place() {
            assert_eq!(notes.all().len(), 6, "gone when the drop returns");
        }
        notes.wait_for(6).await;
        let expected = ["up", "up", "up", "jobs gone", "http gone", "db gone"];
        assert_eq!(notes.all(), expected);
    });
}

#[test]
fn g07_the_background_is_stopped_last_unless_it_needs_one_that_is_not() {
    on_all(|runtime| async move {
        let notes = Notes::new();
        let mut group = runtime.group();
        group.add("metrics", noting(&notes, "metrics")).background();
        let db = group.add("db", noting(&notes, "db")).id();
        group
            .add("prober", noting(&notes, "prober"))
            .needs(db)
            .background();
        stop_once_started(&mut group);
        group.run().await.unwrap();
        let stops: Vec<_> = notes.all().split_off(3);
        let expected = [
            "prober stopped",
            "prober gone",
            "db stopped",
            "db gone",
            "metrics stopped",
            "metrics gone",
        ];
        assert_eq!(stops, expected);
    });
}

#[test]
fn g07_the_background_is_cancelled_last() {
    on_all(|runtime| async move {
        let notes = Notes::new();
        let mut group = runtime.group().drain_timeout(Duration::ZERO);
        for name in ["metrics", "server"] {
            let noted = notes.clone();
            let deaf = move |_: Scope<'static>| async move {
                let _gone = noted.on_drop(name);
                pending::<()>().await;
            };
            let added = group.add(name, deaf);
            if name == "metrics" {
                added.background();
            }
        }
        stop_once_started(&mut group);
        group.run().await.unwrap_err();
        assert_eq!(notes.all(), ["server", "metrics"]);
    });
}
