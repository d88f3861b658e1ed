//! A service that is cancelled alone and holds on is abandoned after its time, and the group goes on.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_lite::future::yield_now;
use neap::{Cause, Group, Scope};

use crate::runtimes::{Gate, on_all};
use crate::support::{Notes, exits};

const SHORT: Duration = Duration::from_millis(5);

/// A service that never lets go.
async fn hold(scope: Scope<'static>) {
    std::mem::forget(scope.guard());
    pending::<()>().await;
}

/// Runs a group in which a service was abandoned, to the end of the others, and returns the ends.
async fn run(group: Group<'static>) -> Vec<String> {
    let error = group.run().await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    let outcome = error.outcome().unwrap();
    assert_eq!(*outcome.cause(), Cause::Ended);
    exits(outcome)
}

#[test]
fn g10_one_that_is_cancelled_alone_and_holds_on_is_abandoned_and_the_group_goes_on() {
    on_all(|runtime| async move {
        let (group, notes) = (runtime.group(), Notes::new());
        let mut group = group.cancel_timeout(SHORT);
        let (held, noted) = (group.add("held", hold).id(), notes.clone());
        group.add("operator", async move |scope: Scope<'static>| {
            let handle = scope.handle();
            handle.started().await.unwrap();
            assert!(handle.cancel_one(held));
            handle.ended(held).await;
            noted.note("operator goes on");
            assert!(!scope.is_stopped());
        });
        assert_eq!(run(group).await, ["abandoned", "finished"]);
        assert_eq!(notes.all(), ["operator goes on"]);
    });
}

#[test]
fn g10_one_that_is_stopped_alone_and_holds_on_is_abandoned_after_its_time() {
    on_all(|runtime| async move {
        let mut group = runtime.group().cancel_timeout(SHORT);
        let held = group.add("held", hold).drain_timeout(SHORT).id();
        group.add("operator", async move |scope: Scope<'static>| {
            scope.handle().started().await.unwrap();
            assert!(scope.handle().stop_one(held));
            scope.handle().ended(held).await;
            assert!(!scope.is_stopped());
        });
        assert_eq!(run(group).await, ["abandoned", "finished"]);
    });
}

#[test]
fn g10_a_nested_group_one_of_which_holds_on_is_over_too() {
    on_all(|runtime| async move {
        let mut inner = runtime.group().cancel_timeout(SHORT);
        inner.add("held", hold);
        let mut group = runtime.group().cancel_timeout(SHORT);
        let inner = group.add("inner", inner.into_service()).id();
        group.add("operator", async move |scope: Scope<'static>| {
            let handle = scope.handle();
            handle.started().await.unwrap();
            assert!(handle.cancel_one(inner));
            handle.ended(inner).await;
            assert!(!scope.is_stopped());
        });
        // Abandoned or cancelled, as the runtime drops it.
        drop(group.run().await);
    });
}

#[test]
fn g07_those_above_one_that_is_abandoned_are_abandoned_before() {
    on_all(|runtime| async move {
        let mut group = runtime.group().cancel_timeout(SHORT).drain_timeout(SHORT);
        let below = group.add("below", hold).id();
        let above = group.add("above", hold).needs(below).id();
        group.add("operator", async move |scope: Scope<'static>| {
            let handle = scope.handle();
            handle.started().await.unwrap();
            assert!(handle.cancel_one(below));
            handle.ended(above).await;
            handle.ended(below).await;
        });
        assert_eq!(run(group).await, ["abandoned", "abandoned", "finished"]);
    });
}

#[test]
fn started_returns_when_one_that_was_starting_is_abandoned() {
    on_all(|runtime| async move {
        let mut group = runtime.group().cancel_timeout(SHORT);
        let (holds, held_on) = (Gate::new(), Gate::new());
        let opens = holds.clone();
        let held = group.add("held", async move |scope: Scope<'static>| {
            scope.starting();
            std::mem::forget(scope.guard());
            opens.open();
            pending::<()>().await;
        });
        let (held, opens) = (held.id(), held_on.clone());
        group.add("waiter", async move |scope: Scope<'static>| {
            let _ = scope.handle().started().await;
            opens.open();
        });
        group.add("operator", async move |scope: Scope<'static>| {
            holds.pass().await;
            assert!(scope.handle().cancel_one(held));
            scope.handle().ended(held).await;
            held_on.pass().await;
        });
        assert_eq!(run(group).await, ["abandoned", "finished", "finished"]);
    });
}

#[test]
fn g17_one_that_is_abandoned_gives_up_its_turn() {
    on_all(|runtime| async move {
        let mut group = runtime.group().cancel_timeout(SHORT).limit(1);
        let holds = Gate::new();
        let opens = holds.clone();
        let held = group.add("held", async move |scope: Scope<'static>| {
            std::mem::forget(scope.guard());
            opens.open();
            pending::<()>().await;
        });
        let (held, handle) = (held.id(), group.handle());
        group.add("next", async |_| {});
        let operator = async {
            holds.pass().await;
            assert!(handle.cancel_one(held));
        };
        let (ends, ()) = futures_lite::future::zip(run(group), operator).await;
        assert_eq!(ends, ["abandoned", "finished"]);
    });
}

#[test]
fn one_that_lets_go_after_it_was_abandoned_changes_nothing() {
    on_all(|runtime| async move {
        let mut group = runtime.group().cancel_timeout(SHORT);
        let guard = Arc::new(Mutex::new(None));
        let kept = Arc::clone(&guard);
        let held = group.add("held", async move |scope: Scope<'static>| {
            *kept.lock().unwrap() = Some(scope.guard());
            pending::<()>().await;
        });
        let held = held.id();
        group.add("operator", async move |scope: Scope<'static>| {
            let handle = scope.handle();
            while guard.lock().unwrap().is_none() {
                yield_now().await;
            }
            assert!(handle.cancel_one(held));
            handle.ended(held).await;
            drop(guard.lock().unwrap().take());
            let late = handle.add("late", async |scope: Scope<'static>| {
                async_io::Timer::after(SHORT).await;
                assert!(!scope.is_stopped());
            });
            handle.ended(late.unwrap()).await;
            assert!(!scope.is_stopped());
        });
        assert_eq!(run(group).await, ["abandoned", "finished"]);
    });
}
