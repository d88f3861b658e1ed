//! A group, or the future of its run, that is dropped.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_lite::future;
use neap::Cause;

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
