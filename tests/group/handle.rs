//! A handle: adding services and stopping one of them while the group runs.

use std::future::pending;
use std::time::Duration;

use neap::{Cause, Exit, Group, Scope, ServiceOptions, State};

use crate::runtimes::on_all;
use crate::support::{CHAIN, Notes, chain};

#[test]
fn g06_an_add_after_the_stop_is_refused_and_the_service_comes_back() {
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
        let (handle, notes) = (group.handle(), Notes::new());
        let (first, second) = (notes.clone(), notes.clone());
        group.add("first", move |_| async move {
            first.note("first");
            let service = move |scope: Scope<'static>| async move {
                second.note("second");
                scope.stopped().await;
            };
            handle
                .add_with("second", ServiceOptions::new().background(), service)
                .unwrap();
        });
        let outcome = group.run().await.unwrap();
        assert_eq!(outcome.reports().len(), 2);
        assert!(notes.all().starts_with(&["first".to_owned()]));
    });
}

#[test]
fn stop_one_stops_a_single_service() {
    on_all(|runtime| async move {
        let (notes, mut group) = (Notes::new(), runtime.group());
        let noted = notes.clone();
        let one = group.add("one", |scope| async move {
            noted.note(format!("one: {}", scope.stopped().await));
        });
        let one = one.id();
        let noted = notes.clone();
        group.add("other", |scope| async move {
            noted.note(format!("other: {}", scope.stopped().await));
        });
        let handle = group.handle();
        let noted = notes.clone();
        group.race("operator", async move {
            handle.started().await.unwrap();
            assert!(handle.stop_one(one));
            assert!(!handle.stop_one(one), "stopped before");
            noted.wait_for(1).await;
            assert!(!handle.is_stopped());
            assert!(!handle.stop_one(Group::new().add("foreign", |_| async {}).id()));
            handle.stop();
        });
        let outcome = group.run().await.unwrap();
        assert_eq!(*outcome.cause(), Cause::Requested);
        assert_eq!(notes.all(), ["one: request", "other: request"]);
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

#[test]
fn stop_one_stops_first_those_that_need_it() {
    on_all(|runtime| async move {
        let notes = Notes::new();
        let mut group = runtime.group();
        let [_, http, jobs] = chain(&mut group, &notes);
        let (handle, noted) = (group.handle(), notes.clone());
        group.race("operator", async move {
            handle.started().await.unwrap();
            assert!(handle.stop_one(http));
            assert!(!handle.stop_one(jobs), "stopped before `http`");
            noted.wait_for(7).await;
            noted.note("the group runs");
            handle.stop();
        });
        group.run().await.unwrap();
        let (before, after) = CHAIN.split_at(7);
        assert_eq!(notes.all(), [before, &["the group runs"], after].concat());
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
