//! A group, or the future of its run, that is dropped.

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_lite::future;
use neap::{Cause, Group, Task};

use crate::runtimes::on_all;
use crate::support::Notes;

#[test]
fn g11_dropping_run_cancels_every_service() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        let (notes, handle) = (Notes::new(), group.handle());
        let running = Arc::new(AtomicUsize::new(0));
        for _ in 0..2 {
            let (notes, running) = (notes.clone(), Arc::clone(&running));
            group.add("service", move |scope| async move {
                let child = notes.on_drop("child");
                scope.spawn(async move {
                    let _child = child;
                    pending::<()>().await;
                });
                let _own = notes.on_drop("service");
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
            notes.wait_for(4).await;
        }
        let mut events = notes.all();
        events.sort();
        assert_eq!(events, ["child", "child", "service", "service"]);
        assert_eq!(handle.cause(), Some(Cause::Dropped));
        assert!(handle.token().is_stopped());
    });
}

#[test]
fn g11_a_group_that_is_dropped_without_run_leaves_nothing() {
    on_all(|runtime| async move {
        let notes = Notes::new();
        let mut group = runtime.group();
        let (guard, token) = (notes.on_drop("dropped"), group.handle().token());
        group.add("service", move |scope| async move {
            let _guard = guard;
            scope.stopped().await;
        });
        drop(group);
        assert_eq!(notes.all(), ["dropped"]);
        assert_eq!(token.cause(), Some(Cause::Dropped));
    });
}

/// An executor that has to be asked for everything: the tasks, in the order in which they came.
type Tasks = Arc<Mutex<Vec<Option<Task<'static>>>>>;

/// Polls every task once.
fn poll_all(tasks: &Tasks) {
    for index in 0.. {
        let taken = tasks.lock().unwrap().get_mut(index).map(Option::take);
        let Some(taken) = taken else { return };
        let pending = taken.and_then(|mut task| {
            let polled = future::block_on(future::poll_once(&mut task));
            polled.is_none().then_some(task)
        });
        tasks.lock().unwrap()[index] = pending;
    }
}

#[test]
fn a_service_whose_task_was_dropped_has_ended_once_its_children_have() {
    let tasks = Tasks::default();
    let spawned = Arc::clone(&tasks);
    let mut group = Group::on(move |task| spawned.lock().unwrap().push(Some(task)));
    let (notes, handle) = (Notes::new(), group.handle());
    let child = notes.on_drop("child");
    let parent = group.add("parent", move |scope| async move {
        scope.spawn(async move {
            let _child = child;
            pending::<()>().await;
        });
        let guard = scope.guard();
        scope.spawn(async move {
            let _guard = guard;
            pending::<()>().await;
        });
    });
    let id = parent.id();
    let mut run = group.run();
    assert!(future::block_on(future::poll_once(&mut run)).is_none());
    poll_all(&tasks);
    drop(run);
    // The task of the service is the first, and so is dropped before its children.
    let left = std::mem::take(&mut *tasks.lock().unwrap());
    assert_eq!(left.len(), 3);
    for task in left {
        let ended = future::block_on(future::poll_once(handle.ended(id)));
        assert!(ended.is_none(), "there is a child");
        drop(task);
    }
    future::block_on(handle.ended(id));
    assert_eq!(notes.all(), ["child"]);
}
