//! Guarantees 3 and 22, of the streams that stop a group: a panic of one does not go through `run`,
//! and one that is always ready does not keep the others from their turn.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::thread;

use async_channel::Receiver;
use futures_lite::{Stream, StreamExt, future, stream};
use neap::test::Clock;
use neap::{Cause, Error, Group, Outcome, Scope, StopSource};

use crate::story::{Flag, LIMIT, ms, poll, within};

#[test]
fn g22_a_source_that_is_always_ready_does_not_hang_the_group() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let ended = within(LIMIT, || {
        let source = StopSource::new();
        let mut group = Group::new();
        let sources = stream::unfold(source.token(), |token| async move {
            ASKED.fetch_add(1, Ordering::Relaxed);
            Some((token.stopped().await, token))
        });
        group = group.stop_on(sources);
        group.add("server", |scope: Scope<'static>| async move {
            scope.stopped().await;
            future::yield_now().await;
        });
        group.add("stopper", move |_| async move {
            source.stop(Cause::Requested);
        });
        future::block_on(group.run()).is_ok()
    });
    let asked = ASKED.load(Ordering::Relaxed);
    assert!(
        ended.is_some(),
        "the source was asked {asked} times, and nobody else had a turn"
    );
}

#[test]
fn g22_a_service_that_is_always_ready_does_not_keep_a_deadline_from_being_kept() {
    let (clock, gone) = (Clock::new(), Flag::default());
    let mut group = Group::new().drain_timeout(ms(10)).clock(&clock);
    let (handle, mark) = (group.handle(), crate::story::OnDrop(gone.clone()));
    group.add("busy", move |_| async move {
        let _mark = mark;
        poll_fn(|cx| {
            cx.waker().wake_by_ref();
            Poll::<()>::Pending
        })
        .await;
    });
    let mut run = group.run();
    assert!(poll(&mut run).is_none());
    handle.stop();
    assert!(poll(&mut run).is_none());
    clock.advance(ms(11));
    let ended = (0..100).find_map(|_| poll(&mut run));
    assert!(ended.is_some() && gone.is_set());
}

/// Runs a group with a source of stops that is made of a channel. Once a service is up, there is an
/// item in the channel, and no more. Returns what `run` returned.
fn run_with<S>(source: impl FnOnce(Receiver<()>) -> S + Send + 'static) -> Result<Outcome, Error>
where
    S: Stream<Item: Into<Cause>> + Send + 'static,
{
    let ended = within(LIMIT, || {
        let (drained, mut group) = (Flag::default(), Group::new());
        let (sender, receiver) = async_channel::bounded(1);
        group = group.stop_on(source(receiver));
        let seen = drained.clone();
        group.add("server", |scope: Scope<'static>| async move {
            sender.send(()).await.unwrap();
            drop(sender);
            scope.stopped().await;
            future::yield_now().await;
            seen.set();
        });
        let ran = catch_unwind(AssertUnwindSafe(|| future::block_on(group.run())));
        (ran, drained.is_set())
    });
    let (ran, was_drained) = ended.expect("the group is not stopped");
    let ended = ran.expect("the panic went through `run`");
    assert!(was_drained, "`server` was not drained");
    ended
}

/// An item that panics when it is converted.
struct Unconvertible;

impl From<Unconvertible> for Cause {
    fn from(_: Unconvertible) -> Cause {
        panic!("in the source")
    }
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(thread::panicking(), "in the drop");
    }
}

#[test]
fn g03_in_the_poll_of_a_source() {
    let ended = run_with(|items| items.map(|()| -> Cause { panic!("in the source") }));
    let told = format!("{:?}", ended.unwrap_err());
    assert!(told.contains("in the source"), "{told}");
}

#[test]
fn g03_in_the_conversion_of_what_a_source_says() {
    let ended = run_with(|items| items.map(|()| Unconvertible));
    let told = format!("{:?}", ended.unwrap_err());
    assert!(told.contains("in the source"), "{told}");
}

#[test]
fn g03_in_the_drop_of_a_source() {
    // Whether that is a failure is not promised: the source has said all that it had to say.
    let stops = |bomb: Bomb| {
        move |()| {
            let _ = &bomb;
            Cause::Requested
        }
    };
    // Dropped when it ends, during the drain.
    let _ = run_with(move |items| items.map(stops(Bomb)));
    // Dropped with the group.
    let _ = run_with(move |items| items.map(stops(Bomb)).chain(stream::pending()));
}

#[test]
fn g03_in_a_source_of_a_nested_group() {
    let mut inner = Group::new();
    inner = inner.stop_on(stream::poll_fn(|_| -> Poll<Option<Cause>> {
        panic!("in the source")
    }));
    inner.add("server", |scope: Scope<'static>| async move {
        scope.stopped().await;
    });
    let mut outer = Group::new();
    outer.add("inner", inner.into_service());
    let mut run = outer.run();
    let polls = || (0..100).find_map(|_| poll(&mut run));
    let ran = catch_unwind(AssertUnwindSafe(polls));
    let ended = ran.expect("the panic went through `run`");
    let told = format!("{:?}", ended.expect("`run` does not return"));
    assert!(told.contains("service `inner`"), "{told}");
    assert!(told.contains("in the source"), "{told}");
}
