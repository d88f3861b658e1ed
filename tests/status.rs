//! A look at a group that runs, and the stop of one service, on every runtime.

mod runtimes;

use std::future::pending;
use std::time::Duration;

use futures_lite::future;
use neap::{Cause, Exit, Group, Scope, State, Status};
use runtimes::{Recorder, Runtime, on_all};

fn states(status: &Status) -> Vec<(String, State)> {
    let services = status.services().iter();
    services
        .map(|one| (one.name().to_owned(), one.state()))
        .collect()
}

/// A service that is not to start.
async fn never_started(_: neap::Scope<'_>) {
    panic!("started");
}

#[test]
fn status_tells_each_service_its_state_and_its_children() {
    on_all(|runtime| async move {
        let mut group = runtime.group().limit(4);
        let handle = group.handle();
        assert_eq!(states(&handle.status()), []);
        group.add("ready", |scope| async move {
            scope.spawn(pending::<()>());
            scope.spawn(pending::<()>());
            scope.stopped().await;
        });
        let starting = |scope: Scope<'static>| async move {
            scope.starting();
            scope.stopped().await;
        };
        let starting = group.add("starting", starting).id();
        group.add("ended", |_| async {});
        group.add("waiting", |_| async {}).needs(starting);
        let asked = handle.clone();
        group.race("watch", async move {
            let expected = [State::Ready, State::Starting, State::Ended, State::Waiting];
            let are_as_expected = |status: &Status| {
                let states = status.services().iter().map(|one| one.state());
                states.zip(expected).all(|(is, expected)| is == expected)
            };
            while !are_as_expected(&asked.status()) {
                future::yield_now().await;
            }
            let status = asked.status();
            assert_eq!(status.services()[0].children(), 2);
            assert_eq!(status.services()[1].id(), starting);
            assert!(
                status.services()[0]
                    .location()
                    .file()
                    .ends_with("status.rs")
            );
            asked.cancel();
        });
        assert!(group.run().await.unwrap_err().is_timeout());
        assert_eq!(states(&handle.status()), [], "over");
    });
}

#[test]
fn status_is_a_table() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        let handle = group.handle();
        group.add("a service of some length", |_| async {});
        group.add("db", |_| async {});
        let table = handle.status().to_string();
        assert_eq!(
            table,
            "service                   state             for  children\n\
             a service of some length  waiting         0.0ns         0\n\
             db                        waiting         0.0ns         0"
        );
        group.run().await.unwrap();
    });
}

#[test]
fn status_tells_draining_from_cancelling() {
    on_all(|runtime| async move {
        let mut group = runtime.group().drain_timeout(Duration::from_millis(5));
        let handle = group.handle();
        group.add("slow", |scope| async move {
            scope.stopped().await;
            assert_eq!(handle.status().services()[0].state(), State::Draining);
            struct Looks(neap::Handle<'static>);
            impl Drop for Looks {
                fn drop(&mut self) {
                    assert_eq!(self.0.status().services()[0].state(), State::Cancelling);
                }
            }
            let _looks = Looks(handle);
            pending::<()>().await;
        });
        let handle = group.handle();
        group.race("end", async move {
            handle.started().await.unwrap();
            handle.stop();
        });
        assert!(group.run().await.unwrap_err().is_timeout());
    });
}

#[test]
fn stop_one_stops_a_single_service() {
    on_all(|runtime| async move {
        let (recorder, mut group) = (Recorder::new(), runtime.group());
        let noted = recorder.clone();
        let one = group.add("one", |scope| async move {
            noted.note(format!("one: {}", scope.stopped().await));
        });
        let one = one.id();
        let noted = recorder.clone();
        group.add("other", |scope| async move {
            noted.note(format!("other: {}", scope.stopped().await));
        });
        let handle = group.handle();
        let noted = recorder.clone();
        group.race("operator", async move {
            handle.started().await.unwrap();
            assert!(handle.stop_one(one));
            assert!(!handle.stop_one(one), "told before");
            noted.wait_for(1).await;
            assert!(!handle.is_stopped());
            assert!(!handle.stop_one(Group::new().add("foreign", |_| async {}).id()));
            handle.stop();
        });
        let outcome = group.run().await.unwrap();
        assert_eq!(*outcome.cause(), Cause::Requested);
        assert_eq!(recorder.events(), ["one: request", "other: request"]);
        assert!(outcome.reports().next().unwrap().stopped().is_some());
    });
}

#[test]
fn stop_one_reaches_tokens_and_threads() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        let one = |scope: Scope<'static>| async move {
            let token = scope.token();
            smol::unblock(move || assert_eq!(token.wait_blocking(), Cause::Requested)).await;
        };
        let one = group.add("one", one).id();
        let handle = group.handle();
        group.race("operator", async move {
            handle.started().await.unwrap();
            handle.stop_one(one);
        });
        assert_eq!(*group.run().await.unwrap().cause(), Cause::Ended);
    });
}

/// Three in a chain; the middle one is stopped.
fn chain(runtime: Runtime, recorder: &Recorder) -> (Group<'static>, [neap::ServiceId; 3]) {
    let mut group = runtime.group();
    let mut add = |name: &'static str, needed: Option<neap::ServiceId>| {
        let noted = recorder.clone();
        let added = group.add(name, move |scope| async move {
            scope.stopped().await;
            noted.note(name);
        });
        needed.map_or(added.id(), |needed| {
            let (id, ()) = (added.id(), drop(added.needs(needed)));
            id
        })
    };
    let db = add("db", None);
    let http = add("http", Some(db));
    let jobs = add("jobs", Some(http));
    (group, [db, http, jobs])
}

#[test]
fn stop_one_stops_first_those_that_need_it() {
    on_all(|runtime| async move {
        let recorder = Recorder::new();
        let (mut group, [_, http, jobs]) = chain(runtime, &recorder);
        let (handle, noted) = (group.handle(), recorder.clone());
        group.race("operator", async move {
            handle.started().await.unwrap();
            assert!(handle.stop_one(http));
            assert!(!handle.stop_one(jobs), "told by that");
            noted.wait_for(2).await;
            noted.note("the group runs");
            handle.stop();
        });
        group.run().await.unwrap();
        assert_eq!(recorder.events(), ["jobs", "http", "the group runs", "db"]);
    });
}

#[test]
fn one_whose_need_ended_without_being_ready_is_not_started() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        let starting = |scope: Scope<'static>| async move {
            scope.starting();
            scope.run_until_stopped(pending::<()>()).await;
            pending::<()>().await;
        };
        let db = group.add("db", starting).drain_timeout(Duration::ZERO).id();
        let http = group.add("http", never_started).needs(db).id();
        group.add("jobs", never_started).needs(http);
        let handle = group.handle();
        group.race("operator", async move {
            while handle.status().services()[0].state() != State::Starting {
                future::yield_now().await;
            }
            handle.stop_one(db);
        });
        let error = group.run().await.unwrap_err();
        let exits = error.outcome().unwrap().reports();
        let exits: Vec<_> = exits
            .take(3)
            .map(|report| report.exit().to_string())
            .collect();
        assert_eq!(exits, ["cancelled", "not started", "not started"]);
    });
}

#[test]
fn stop_one_has_the_drain_timeout_of_the_group_from_there_on() {
    on_all(|runtime| async move {
        let mut group = runtime.group().drain_timeout(Duration::from_millis(20));
        let deaf = group.add("deaf", |_| pending::<()>()).id();
        let handle = group.handle();
        group.race("operator", async move {
            handle.started().await.unwrap();
            handle.stop_one(deaf);
            while handle.status().services()[0].state() != State::Ended {
                async_io::Timer::after(Duration::from_millis(1)).await;
            }
            assert!(!handle.is_stopped());
        });
        let error = group.run().await.unwrap_err();
        assert_eq!(error.service(), Some("deaf"));
        let deaf = error.outcome().unwrap().reports().next().unwrap();
        assert!(matches!(deaf.exit(), Exit::Cancelled) && deaf.is_straggler());
    });
}
