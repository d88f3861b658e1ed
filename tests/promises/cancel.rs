//! Guarantees 10 and 12: what is cancelled is gone at once, and before `run` returns.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::task::{Context, Wake, Waker};

use async_executor::Executor;
use futures_lite::future;
use neap::test::Clock;
use neap::{Group, Handle, Scope};

use crate::story::{Flag, LIMIT, NEVER, OnDrop, ms, poll, within};

async fn obedient(scope: Scope<'static>) {
    scope.stopped().await;
}

/// Cancels when it is woken.
struct CancelOnWake(Handle<'static>);

impl Wake for CancelOnWake {
    fn wake(self: Arc<Self>) {
        self.0.cancel();
    }
}

#[test]
fn g12_a_cancel_that_overtakes_the_stop_leaves_nobody_behind() {
    // The clock never moves: a wait for the cancel timeout never ends.
    let clock = Clock::new();
    let mut group = Group::new()
        .drain_timeout(NEVER)
        .cancel_timeout(NEVER)
        .clock(&clock);
    let handle = group.handle();
    let db = group.add("db", obedient).id();
    group.add("server", obedient).needs(db);
    // On another thread this is a race; in a waker it is not.
    let mut stopped = Box::pin(handle.token().stopped());
    let waker = Waker::from(Arc::new(CancelOnWake(handle.clone())));
    let waiting = stopped.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(waiting.is_pending());
    let mut run = group.run();
    assert!(poll(&mut run).is_none());
    handle.stop();
    let ended = (0..100).find_map(|_| poll(&mut run));
    assert!(ended.is_some(), "still there:\n{}", handle.status());
}

#[test]
fn g10_a_nested_service_that_blocks_is_gone_or_named_when_run_returns() {
    let told = within(LIMIT, || {
        let (gone, (sender, blocked)) = (Flag::default(), channel::<()>());
        let mut inner = Group::on(|task| smol::spawn(task).detach()).cancel_timeout(ms(100));
        let mark = OnDrop(gone.clone());
        inner.add("blocking", move |scope: Scope<'static>| async move {
            let _mark = mark;
            scope.stopped().await;
            future::yield_now().await;
            let _ = blocked.recv();
        });
        let mut outer = Group::new().drain_timeout(ms(50)).cancel_timeout(ms(200));
        let handle = outer.handle();
        outer.add("inner", inner.into_service());
        outer.race("stopper", async move {
            handle.started().await.unwrap();
            handle.stop();
        });
        let text = format!("{:?}", future::block_on(outer.run()));
        let was_gone = gone.is_set();
        drop(sender);
        (was_gone, text)
    });
    let (was_gone, text) = told.expect("`run` does not return");
    assert!(was_gone || text.contains("blocking"), "unnamed: {text}");
}

#[test]
fn g10_a_nested_service_on_an_executor_is_dropped_before_run_returns() {
    let (gone, executor) = (Flag::default(), Arc::new(Executor::new()));
    let spawner = executor.clone();
    let mut inner = Group::on(move |task| spawner.spawn(task).detach());
    let mark = OnDrop(gone.clone());
    inner.add("deaf", move |_| async move {
        let _mark = mark;
        std::future::pending::<()>().await;
    });
    let clock = Clock::new();
    let mut outer = Group::new()
        .drain_timeout(ms(0))
        .cancel_timeout(NEVER)
        .clock(&clock);
    let handle = outer.handle();
    outer.add("inner", inner.into_service());
    let mut run = outer.run();
    assert!(poll(&mut run).is_none());
    while executor.try_tick() {}
    handle.stop();
    // The executor has its turn whenever the group has had one.
    let ended = (0..100).find_map(|_| {
        let ended = poll(&mut run);
        if ended.is_none() {
            executor.try_tick();
        }
        ended
    });
    let text = format!("{:?}", ended.expect("`run` does not return"));
    assert!(gone.is_set() || text.contains("deaf"), "unnamed: {text}");
}
