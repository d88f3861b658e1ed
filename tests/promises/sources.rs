//! Guarantee 22: nobody who is always ready keeps the others from their turn.

use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use futures_lite::{future, stream};
use neap::test::Clock;
use neap::{Cause, Group, Scope, StopSource};

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
        group.stop_on(sources);
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
    let mut group = Group::new().drain_timeout(ms(10));
    group.clock(&clock);
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
