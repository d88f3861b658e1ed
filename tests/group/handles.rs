//! What spawn functions return, and executors that are borrowed.

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_lite::future;
use neap::{Cause, Group, Scope, Task};
use smol::Executor;

use crate::runtimes::limited;
use crate::support::{CountingWaker, Notes, exits, poll};

async fn sleeps_a_little(_: Scope<'static>) {
    for _ in 0..3 {
        future::yield_now().await;
    }
}

#[test]
fn the_spawn_functions_of_smol_and_async_std_are_given_as_they_are() {
    for group in [
        || Group::on(smol::spawn),
        || Group::on(async_std::task::spawn),
    ] as [fn() -> Group<'static>; 2]
    {
        limited(move || {
            let mut group = group();
            group.add("service", sleeps_a_little);
            group.add("parent", |scope: Scope<'static>| async move {
                let child = scope.clone();
                scope.spawn(async move { sleeps_a_little(child).await });
            });
            let outcome = smol::block_on(group.run()).unwrap();
            assert_eq!(exits(&outcome), ["finished", "finished"]);
        });
    }
}

/// The handle of a task: counts the drops.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_handle_is_kept_until_its_task_ends_and_not_longer() {
    limited(|| {
        let (drops, tasks) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(vec![])));
        let (counted, spawned) = (drops.clone(), tasks.clone());
        let mut group = Group::on(move |task: Task<'static>| {
            spawned.lock().unwrap().push(task);
            Counted(counted.clone())
        });
        group.add("short", |_| async {});
        group.add("long", |scope: Scope<'static>| async move {
            scope.stopped().await;
        });
        group.add("deaf", |_| pending::<()>());
        let handle = group.handle();
        let (mut run, waker) = (Box::pin(group.run()), Arc::new(CountingWaker::default()));
        assert!(poll(run.as_mut(), &waker).is_pending());

        let mut tasks: Vec<_> = std::mem::take(&mut *tasks.lock().unwrap());
        for task in &mut tasks {
            let _ = poll(Pin::new(task), &waker);
        }
        // The short one has ended, and its task is still there.
        assert_eq!(drops.load(Ordering::SeqCst), 1);
        handle.stop();
        assert!(poll(run.as_mut(), &waker).is_pending());
        assert!(poll(Pin::new(&mut tasks[1]), &waker).is_ready());
        assert_eq!(drops.load(Ordering::SeqCst), 2);
        drop(tasks);
        assert_eq!(drops.load(Ordering::SeqCst), 3);
        let _ = future::block_on(run);
    });
}

#[test]
fn a_handle_that_comes_after_the_end_of_its_task_is_dropped() {
    limited(|| {
        let drops = Arc::new(AtomicUsize::new(0));
        let counted = drops.clone();
        let mut group = Group::on(move |task: Task<'static>| {
            future::block_on(task);
            Counted(counted.clone())
        });
        group.add("inline", |_| async {});
        future::block_on(group.run()).unwrap();
        assert_eq!(drops.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_panic_of_a_handle_s_destructor_changes_nothing() {
    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in a handle");
        }
    }

    limited(|| {
        let mut group = Group::on(|task: Task<'static>| {
            smol::spawn(task).detach();
            Bomb
        });
        group.add("service", sleeps_a_little);
        let outcome = smol::block_on(group.run()).unwrap();
        assert_eq!(exits(&outcome), ["finished"]);
    });
}

/// Runs a group on an executor that is borrowed, as `smol_macros` gives it.
async fn on_borrowed<'e>(executor: &Executor<'e>, group: Group<'e>) -> Vec<String> {
    let outcome = group.run_on(|task| executor.spawn(task).detach()).await;
    exits(&outcome.unwrap())
}

#[test]
fn a_group_runs_on_a_borrowed_executor() {
    limited(|| {
        let text = String::from("borrowed");
        let executor = Executor::new();
        let (notes, mut group) = (Notes::new(), Group::new());
        let handle = group.handle();
        let noted = notes.clone();
        let first = group
            .add("first", |scope| {
                let text = &text;
                async move {
                    scope.spawn(async move { noted.note(text) });
                    scope.stopped().await;
                }
            })
            .id();
        let noted = notes.clone();
        group
            .add("second", |_| async move {
                let added = |_| async move { noted.note("added") };
                handle.add("third", added).unwrap();
                while notes.all().len() < 2 {
                    future::yield_now().await;
                }
                handle.stop();
            })
            .needs(first);
        let ended = future::block_on(executor.run(on_borrowed(&executor, group)));
        assert_eq!(ended, ["finished"; 2], "what a handle added has no report");
    });
}

#[test]
fn g11_the_run_on_an_executor_is_dropped_at_any_time() {
    limited(|| {
        for polls in 0..6 {
            let (executor, notes) = (Executor::new(), Notes::new());
            let mut group = Group::new();
            let handle = group.handle();
            let guard = notes.on_drop("first");
            let first = group
                .add("first", |scope| async move {
                    let _guard = guard;
                    scope.stopped().await;
                })
                .id();
            let guard = notes.on_drop("second");
            let second = move |_: Scope<'_>| async move {
                let _guard = guard;
                pending::<()>().await;
            };
            group.add("second", second).needs(first);
            let guard = notes.on_drop("third");
            handle
                .add("third", |_| async move {
                    let _guard = guard;
                    pending::<()>().await;
                })
                .unwrap();
            let mut run = Box::pin(group.run_on(|task| executor.spawn(task)));
            let waker = Arc::new(CountingWaker::default());
            for _ in 0..polls {
                assert!(poll(run.as_mut(), &waker).is_pending());
                executor.try_tick();
            }
            drop(run);
            while executor.try_tick() {}
            let mut events = notes.all();
            events.sort();
            assert_eq!(events, ["first", "second", "third"], "after {polls} polls");
            assert_eq!(handle.cause(), Some(Cause::Dropped));
        }
    });
}

#[test]
fn g05_a_stop_before_the_run_on_an_executor_is_remembered() {
    limited(|| {
        let (executor, mut group) = (Executor::new(), Group::new());
        let first = group.add("first", |_| async {}).id();
        group.add("second", |_| async {}).needs(first);
        group.handle().add("third", |_| async {}).unwrap();
        group.handle().stop();
        let ended = future::block_on(executor.run(on_borrowed(&executor, group)));
        assert_eq!(ended, ["not started"; 3]);
    });
}

#[test]
fn the_future_of_a_run_on_an_executor_is_send() {
    fn is_send<T: Future + Send>(_: &T) {}

    let executor = Executor::new();
    is_send(&Group::new().run_on(|task| executor.spawn(task)));
    is_send(&Group::new().run());
}
