//! Guarantees 4 and 20: what tokens say, and what is stopped when `stop` returns.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use async_executor::Executor;
use futures_lite::future;
use neap::{Cause, Group, Scope, ServiceOptions, StopSource};

use crate::story::{LIMIT, command, end_within, poll, told, within};

#[test]
fn g20_the_token_of_a_service_that_has_ended_is_stopped_with_the_group() {
    let given = Arc::new(Mutex::new(None));
    let mut group = Group::new();
    let (handle, slot) = (group.handle(), given.clone());
    group.add("starter", |scope: Scope<'static>| async move {
        *slot.lock().unwrap() = Some(scope.token());
    });
    group.add("stopper", |_| async move {
        future::yield_now().await;
        handle.stop();
    });
    future::block_on(group.run()).unwrap();
    let token = given.lock().unwrap().take().unwrap();
    assert_eq!(token.cause(), Some(Cause::Requested));
}

#[test]
fn g20_the_scope_of_a_service_that_has_ended_never_says_stopped_without_a_cause() {
    let given = Arc::new(Mutex::new(None));
    let mut group = Group::new();
    let (handle, slot) = (group.handle(), given.clone());
    group.add("parent", |scope: Scope<'static>| async move {
        *slot.lock().unwrap() = Some(scope);
    });
    group.add("server", |scope: Scope<'static>| async move {
        scope.stopped().await;
    });
    let mut run = group.run();
    assert!(poll(&mut run).is_none());
    let scope = given.lock().unwrap().take().unwrap();
    assert_eq!(scope.is_stopped(), scope.cause().is_some());
    handle.stop();
    while poll(&mut run).is_none() {}
    assert_eq!(scope.cause(), Some(Cause::Requested));
    let woken = within(LIMIT, move || future::block_on(scope.stopped()));
    assert_eq!(woken, Some(Cause::Requested));
}

#[test]
fn g20_a_wait_for_the_stop_of_a_service_that_has_ended_is_woken() {
    let (given, executor) = (Arc::new(Mutex::new(None)), Arc::new(Executor::new()));
    let (slot, spawner) = (given.clone(), executor.clone());
    let mut group = Group::on(move |task| spawner.spawn(task).detach());
    let handle = group.handle();
    let (release, released) = async_channel::bounded::<()>(1);
    group.add("server", move |_| async move {
        released.recv().await.unwrap();
    });
    group.add("parent", |scope: Scope<'static>| async move {
        *slot.lock().unwrap() = Some(scope);
    });
    let mut run = group.run();
    assert!(poll(&mut run).is_none());
    while executor.try_tick() {}
    // `parent` has ended. `heir` may have its place, and waits by its scope.
    let scope: Scope<'static> = given.lock().unwrap().take().unwrap();
    let heir = move |own: Scope<'static>| async move {
        scope.stopped().await;
        release.send(()).await.unwrap();
        own.stopped().await;
    };
    // The group stops it last, so nothing else wakes it before `server` has ended.
    let background = ServiceOptions::new().background();
    handle.add_with("heir", background, heir).unwrap();
    while executor.try_tick() {}
    handle.stop();
    let ended = (0..50).any(|_| {
        let ended = poll(&mut run).is_some();
        while executor.try_tick() {}
        ended
    });
    assert!(ended, "the wait was not woken:\n{}", handle.status());
}

#[test]
fn g04_when_stop_returns_true_every_token_below_is_stopped() {
    for _ in 0..20_000 {
        let top = StopSource::new();
        let child = top.child();
        let leaves: Vec<_> = (0..64).map(|_| child.child()).collect();
        let token = leaves[63].token();
        let begin = Arc::new(Barrier::new(2));
        let other_begin = begin.clone();
        // Stops the child while `top` is being stopped: each leaves the leaves to the other.
        let other = thread::spawn(move || {
            other_begin.wait();
            child.stop(Cause::Requested);
        });
        begin.wait();
        let is_news = top.stop(Cause::Ended);
        let is_stopped = token.is_stopped();
        other.join().unwrap();
        assert!(
            !is_news || is_stopped,
            "`stop` returned, and a token below was not stopped"
        );
    }
}

#[test]
fn g04_a_child_made_on_another_thread_is_stopped_when_stop_returns() {
    for _ in 0..2_000 {
        let top = StopSource::new();
        let (token, over) = (top.token(), Arc::new(AtomicBool::new(false)));
        let is_over = over.clone();
        let maker = thread::spawn(move || {
            let mut late = 0;
            let mut children = Vec::new();
            while children.len() < 200 {
                let stopped = is_over.load(Ordering::SeqCst);
                let child = token.child();
                late += usize::from(stopped && !child.token().is_stopped());
                children.push(child);
            }
            late
        });
        top.stop(Cause::Requested);
        over.store(true, Ordering::SeqCst);
        assert_eq!(
            maker.join().unwrap(),
            0,
            "a child of a stopped source is born stopped"
        );
    }
}

#[test]
fn g04_a_long_chain_of_children_can_be_stopped_and_dropped() {
    let mut child = command("tokens", "chain").spawn().unwrap();
    let status = end_within(&mut child, LIMIT).expect("still running");
    assert!(status.success(), "{status}");
}

/// Not a test: what the child process runs, as it may overflow its stack.
#[test]
#[ignore = "run by another test, as a process of its own"]
fn child() {
    if told().as_deref() != Some("chain") {
        return;
    }
    for stops in [true, false] {
        let top = StopSource::new();
        let token = top.token();
        let mut last = top.child();
        for _ in 0..200_000 {
            last = last.child();
        }
        if stops {
            token.child().stop(Cause::Requested);
            top.stop(Cause::Requested);
            assert!(last.token().is_stopped());
        }
        drop(last);
    }
}
