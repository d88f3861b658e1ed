//! What stops a group: a request before it runs, items of its sources, its last service.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_lite::future;
use neap::Cause;

use crate::runtimes::{Gate, on_all};
use crate::support::{Notes, exits};

#[test]
fn g05_a_stop_before_run_is_remembered_and_nothing_starts() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        let started = Arc::new(AtomicBool::new(false));
        for _ in 0..3 {
            let started = Arc::clone(&started);
            group.add("late", move |_| {
                started.store(true, Ordering::SeqCst);
                async {}
            });
        }
        group.handle().stop();
        let outcome = group.run().await.unwrap();
        assert_eq!(*outcome.cause(), Cause::Requested);
        assert_eq!(exits(&outcome), ["not started"; 3]);
        assert!(!started.load(Ordering::SeqCst));
    });
}

#[test]
fn g05_an_item_that_is_there_before_run_is_remembered_too() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        group.add("late", |_| async { Err("started") });
        group = group.stop_on(futures_lite::stream::once(Cause::Requested));
        let outcome = group.run().await.unwrap();
        assert_eq!(exits(&outcome), ["not started"]);
    });
}

#[test]
fn g12_a_second_item_of_a_source_cancels_at_once() {
    on_all(|runtime| async move {
        let mut group = runtime.group().drain_timeout(Duration::MAX);
        let (sender, receiver) = async_channel::unbounded();
        group = group.stop_on(receiver);
        group.add("deaf", move |scope| async move {
            sender.try_send(Cause::Requested).unwrap();
            scope.stopped().await;
            sender.try_send(Cause::Requested).unwrap();
            pending::<()>().await;
        });
        let error = group.run().await.unwrap_err();
        assert!(error.is_timeout());
        assert_eq!(error.service(), Some("deaf"));
    });
}

#[test]
fn g12_an_item_that_finds_the_group_stopping_is_its_source_s_first() {
    on_all(|runtime| async move {
        let mut group = runtime.group().drain_timeout(Duration::MAX);
        let (sender, receiver) = async_channel::unbounded();
        group = group.stop_on(receiver.clone());
        let handle = group.handle();
        group.add("draining", move |scope| async move {
            handle.stop();
            scope.stopped().await;
            sender.try_send(Cause::Dropped).unwrap();
            while !receiver.is_empty() {
                future::yield_now().await;
            }
        });
        let outcome = group.run().await.unwrap();
        assert_eq!(*outcome.cause(), Cause::Requested);
    });
}

#[test]
fn g15_an_empty_group_ends_at_once_and_well() {
    on_all(|runtime| async move {
        let outcome = runtime.group().run().await.unwrap();
        assert_eq!(*outcome.cause(), Cause::Ended);
        assert_eq!(outcome.reports().len(), 0);

        // A source of stops does not keep it alive.
        let mut group = runtime.group();
        group = group.stop_on(futures_lite::stream::pending::<Cause>());
        group.run().await.unwrap();
    });
}

#[test]
fn g16_a_background_service_does_not_keep_the_group_alive_and_is_stopped_last() {
    on_all(|runtime| async move {
        let (mut group, notes) = (runtime.group(), Notes::new());
        let (metrics, worker) = (notes.clone(), notes.clone());
        let (handle, started) = (group.handle(), Gate::new());
        let ready = started.clone();
        group
            .add("metrics", move |scope| async move {
                ready.open();
                scope.stopped().await;
                metrics.note("metrics stopped");
            })
            .background();
        group.add("worker", move |scope| async move {
            started.pass().await;
            handle.stop();
            scope.stopped().await;
            for _ in 0..10 {
                future::yield_now().await;
            }
            worker.note("worker ended");
        });
        let outcome = group.run().await.unwrap();
        assert_eq!(*outcome.cause(), Cause::Requested);
        assert_eq!(notes.all(), ["worker ended", "metrics stopped"]);

        let mut group = runtime.group();
        group.race("alone", pending::<()>()).background();
        let outcome = group.run().await.unwrap();
        assert_eq!(*outcome.cause(), Cause::Ended);
    });
}
