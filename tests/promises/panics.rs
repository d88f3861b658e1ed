//! Guarantee 3: no panic of the user's code goes through `run`, and the others are drained.

use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use futures_lite::future;
use neap::test::Recorder;
use neap::{Group, Restart, Scope, ServiceResult, Task, restart};

use crate::story::{Flag, poll};

/// Runs a service beside another, which has to be drained; what `run` returned, in words.
fn beside<F>(service: impl FnOnce(Scope<'static>) -> F + Send + 'static) -> String
where
    F: Future<Output: ServiceResult> + Send + 'static,
{
    let drained = Flag::default();
    let mut group = Group::new().record(&Recorder::new());
    let seen = drained.clone();
    group.add("server", |scope: Scope<'static>| async move {
        scope.stopped().await;
        future::yield_now().await;
        seen.set();
    });
    group.add("bad", service);
    let ran = catch_unwind(AssertUnwindSafe(|| future::block_on(group.run())));
    assert!(drained.is_set(), "the others were not drained");
    let Ok(Err(error)) = ran else {
        panic!("the panic went through `run`, or was no failure");
    };
    let text = catch_unwind(AssertUnwindSafe(|| error.to_string()));
    // What the user's own code does with the error is the user's.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(error)));
    text.unwrap_or_default()
}

/// An error that panics when it is converted.
struct Unconvertible;

impl From<Unconvertible> for Box<dyn Error + Send + Sync> {
    fn from(_: Unconvertible) -> Self {
        panic!("in the conversion")
    }
}

/// An error that panics when it is displayed.
#[derive(Debug)]
struct Unspeakable;

impl fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("in the display")
    }
}

impl Error for Unspeakable {}

/// An error, or a payload, that panics when it is dropped.
#[derive(Debug)]
struct Bomb;

impl fmt::Display for Bomb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a bomb")
    }
}

impl Error for Bomb {}

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(thread::panicking(), "in the drop");
    }
}

#[test]
fn g03_in_the_conversion_of_an_error() {
    let told = beside(|_| async { Err(Unconvertible) });
    assert_eq!(told, "service `bad` panicked: in the conversion");
}

#[test]
fn g03_in_the_display_of_an_error() {
    beside(|_| async { Err(Unspeakable) });
}

#[test]
fn g03_in_the_drop_of_a_panic_s_payload() {
    let told = beside(|_| async { panic_any(Bomb) });
    assert!(told.starts_with("service `bad` panicked"), "{told}");
}

#[test]
fn g03_in_the_drop_of_the_error_of_a_run_that_is_restarted() {
    let mut runs = 0;
    let policy = Restart::on_failure();
    let policy = policy.backoff(std::time::Duration::ZERO, std::time::Duration::ZERO);
    let told = beside(restart(policy, move |_| {
        runs += 1;
        let fails = runs == 1;
        async move {
            if fails {
                Err(Bomb)
            } else {
                panic!("the second run")
            }
        }
    }));
    assert!(told.starts_with("service `bad`"), "{told}");
}

#[test]
fn g03_in_the_drop_of_the_future_of_a_run_that_failed() {
    let mut group = Group::new();
    let policy = Restart::on_failure().intensity(0, std::time::Duration::from_secs(1));
    let failing = |_| {
        let bomb = Bomb;
        poll_fn(move |_| {
            let _ = &bomb;
            Poll::Ready(Err::<(), _>("the error"))
        })
    };
    group.add("job", restart(policy, failing));
    let mut run = group.run();
    let ended = (0..100).find_map(|_| poll(&mut run));
    let told = format!("{:?}", ended.expect("`run` does not return"));
    assert!(told.contains("the error"), "{told}");
    assert!(told.contains("in the drop"), "the panic is lost: {told}");
}

#[test]
fn g03_in_the_drop_of_an_error_that_nobody_reads() {
    let mut group = Group::new();
    group.add("deaf", |_| std::future::pending::<()>());
    group.add("bad", |_| async { Err(Bomb) });
    let handle = group.handle();
    let mut run = group.run();
    assert!(poll(&mut run).is_none());
    assert!(handle.is_stopped());
    let run_dropped = catch_unwind(AssertUnwindSafe(|| drop(run)));
    let handle_dropped = catch_unwind(AssertUnwindSafe(|| drop(handle)));
    assert!(run_dropped.is_ok() && handle_dropped.is_ok());
}

#[test]
fn g03_in_the_spawn_function() {
    let count = AtomicUsize::new(0);
    let mut group = Group::on(move |task| {
        assert!(count.fetch_add(1, Ordering::SeqCst) != 1, "cannot spawn");
        smol::spawn(task).detach();
    });
    for name in ["first", "second"] {
        group.add(name, |scope: Scope<'static>| async move {
            scope.stopped().await;
        });
    }
    let ran = catch_unwind(AssertUnwindSafe(|| future::block_on(group.run())));
    let error = ran.expect("the panic went through `run`").unwrap_err();
    assert!(error.to_string().starts_with("service `second`"), "{error}");
}

/// A waker that panics.
struct Broken;

impl Wake for Broken {
    fn wake(self: Arc<Self>) {
        panic!("in the waker");
    }
}

/// A waker that sets a flag.
struct Sets(Flag);

impl Wake for Sets {
    fn wake(self: Arc<Self>) {
        self.0.set();
    }
}

#[test]
fn g03_in_the_waker_of_an_executor() {
    let tasks: Arc<Mutex<Vec<Task<'static>>>> = Arc::default();
    let spawned = tasks.clone();
    let mut group = Group::on(move |task| spawned.lock().unwrap().push(task));
    let handle = group.handle();
    for name in ["first", "second"] {
        group.add(name, |scope: Scope<'static>| async move {
            scope.stopped().await;
        });
    }
    let mut run = group.run();
    assert!(poll(&mut run).is_none());
    let woken = Flag::default();
    let wakers = [
        Waker::from(Arc::new(Broken)),
        Waker::from(Arc::new(Sets(woken.clone()))),
    ];
    for (task, waker) in tasks.lock().unwrap().iter_mut().zip(&wakers) {
        let polled = Pin::new(task).poll(&mut Context::from_waker(waker));
        assert!(polled.is_pending());
    }
    handle.stop();
    let polled = catch_unwind(AssertUnwindSafe(|| poll(&mut run)));
    assert!(polled.is_ok(), "the panic went through `run`");
    assert!(woken.is_set(), "the other service was not woken");
}

#[test]
fn g03_a_long_back_off_does_not_hide_the_failure() {
    let mut group = Group::new();
    let handle = group.handle();
    let policy = Restart::on_failure();
    let policy = policy.backoff(std::time::Duration::MAX, std::time::Duration::MAX);
    let failing = |_| async { Err::<(), _>("the true error") };
    group.add("job", restart(policy, failing));
    group.add("stopper", move |_| async move {
        future::yield_now().await;
        handle.stop();
    });
    let told = format!("{:?}", future::block_on(group.run()));
    assert!(!told.contains("panicked"), "{told}");
}
