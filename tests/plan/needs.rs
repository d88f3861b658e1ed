//! What a service may need: services of its own group, and only those that can still be ready.

use std::future::pending;
use std::time::Duration;

use futures_lite::future;
use neap::{Exit, Group, Scope, ServiceOptions, State};

use crate::runtimes::{Gate, on_all};
use crate::support::{Notes, exit_of, exits, never_started, noting};

#[test]
fn g07_needing_a_service_of_another_group_is_an_error_and_nothing_starts() {
    on_all(|runtime| async move {
        let foreign = Group::new().add("db", |_| async {}).id();
        let mut group = runtime.group();
        let handle = group.handle();
        group.add("first", never_started);
        group.add("http", never_started).needs(foreign);
        let error = group.run().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "service `http` failed: it needs a service of another group"
        );
        let first = exit_of(error.outcome().unwrap(), "first");
        assert!(matches!(first, Exit::NotStarted));
        drop(handle);

        let mut group = runtime.group();
        let handle = group.handle();
        group.add("first", move |_| async move {
            let options = ServiceOptions::new().needs(foreign);
            let refused = handle.add_with("http", options, |_| async {}).unwrap_err();
            assert_eq!(
                refused.to_string(),
                "service `http` was refused: it needs a service of another group"
            );
        });
        group.run().await.unwrap();
    });
}

#[test]
fn g07_a_service_cannot_need_itself() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        let added = group.add("narcissus", never_started);
        let id = added.id();
        added.needs(id);
        let error = group.run().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "service `narcissus` failed: it needs itself"
        );
    });
}

#[test]
fn g07_holds_for_services_that_are_added_while_the_group_runs() {
    on_all(|runtime| async move {
        let (mut group, notes) = (runtime.group(), Notes::new());
        let gate = Gate::new();
        let (noted, passed) = (notes.clone(), gate.clone());
        let db = group
            .add("db", |scope| async move {
                scope.starting();
                passed.pass().await;
                noted.note("db ready");
                scope.ready();
                scope.stopped().await;
                noted.note("db stopped");
            })
            .id();
        let (noted, handle) = (notes.clone(), group.handle());
        group.race("adder", async move {
            let options = ServiceOptions::new().needs(db);
            let late = noting(&noted, "late");
            handle.add_with("late", options.clone(), late).unwrap();
            gate.open();
            noted.wait_for(2).await;
            let later = noting(&noted, "later");
            handle.add_with("later", options, later).unwrap();
            handle.started().await.unwrap();
            handle.stop();
        });
        group.run().await.unwrap();
        let events = notes.all();
        assert_eq!(events[..3], ["db ready", "late up", "later up"]);
        assert_eq!(events.last().unwrap(), "db stopped");
    });
}

#[test]
fn g07_a_service_is_not_started_if_what_it_needs_ended_before_it_was_ready() {
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
        let exits = exits(error.outcome().unwrap());
        assert_eq!(exits[..3], ["cancelled", "not started", "not started"]);
    });
}
