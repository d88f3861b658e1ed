//! The scope of a service: its children, its guards and its stop.

use std::thread;
use std::time::Duration;

use neap::{Cause, Exit, Scope};

use crate::runtimes::{Gate, on_all};
use crate::support::Notes;

#[test]
fn g09_children_are_joined_before_their_service_counts_as_ended() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        let (notes, gate) = (Notes::new(), Gate::new());
        let (child, opener) = (notes.clone(), gate.clone());
        group.add("parent", move |scope| async move {
            let inner = scope.clone();
            scope.spawn(async move {
                gate.pass().await;
                child.note("child");
                // A child can have children, after its service has returned, too.
                inner.spawn(async move { child.note("grandchild") });
            });
        });
        group.add("opener", move |_| async move { opener.open() });
        group.run().await.unwrap();
        assert_eq!(notes.all(), ["child", "grandchild"]);
    });
}

#[test]
fn a_guard_keeps_the_service_from_ending() {
    on_all(|runtime| async move {
        let (notes, mut group) = (Notes::new(), runtime.group());
        let noted = notes.clone();
        let service = |scope: Scope<'static>| async move {
            let guard = scope.guard().unwrap();
            std::thread::spawn(move || {
                for _ in 0..100 {
                    std::thread::yield_now();
                }
                noted.note("the thread is done");
                drop(guard);
            });
        };
        group.add("service", service);
        group.run().await.unwrap();
        notes.note("ended");
        assert_eq!(notes.all(), ["the thread is done", "ended"]);
    });
}

#[test]
fn a_service_whose_guard_is_held_too_long_is_abandoned() {
    on_all(|runtime| async move {
        let mut group = runtime
            .group()
            .drain_timeout(Duration::from_millis(5))
            .cancel_timeout(Duration::from_millis(5));
        let (sender, receiver) = async_channel::unbounded();
        let service = |scope: Scope<'static>| async move {
            sender.try_send((scope.guard().unwrap(), scope)).unwrap();
        };
        group.add("service", service);
        let handle = group.handle();
        group.add("end", |_| async move {
            handle.started().await.unwrap();
            handle.stop();
        });
        let error = group.run().await.unwrap_err();
        let report = error.outcome().unwrap().reports().next().unwrap();
        assert!(matches!(report.exit(), Exit::Abandoned));
        let (_held, scope) = receiver.recv().await.unwrap();
        assert!(scope.guard().is_none());
    });
}

#[test]
fn a_scope_s_stop_reaches_children_threads_and_nested_executors() {
    // The fast way is for the service's own task; a nested executor within it, a child, a thread
    // and a combinator with wakers of its own have to be reached as well.
    on_all(|runtime| async move {
        let mut group = runtime.group();
        let (handle, notes) = (group.handle(), Notes::new());
        let noting = notes.clone();
        group.add("service", move |scope| async move {
            let (child, inner, note) = (scope.clone(), scope.clone(), noting.clone());
            scope.spawn(async move {
                child.stopped().await;
                note.note("stopped");
            });
            let token = scope.token();
            let thread = thread::spawn(move || token.wait_blocking());
            let executor = async_executor::Executor::new();
            let nested = executor.spawn(async move {
                inner.stopped().await;
            });
            handle.stop();
            executor.run(nested).await;
            noting.note("stopped");
            scope.stopped().await;
            assert_eq!(thread.join().unwrap(), Cause::Requested);
            noting.note("stopped");
        });
        group.run().await.unwrap();
        assert_eq!(notes.all(), ["stopped"; 3]);
    });
}
