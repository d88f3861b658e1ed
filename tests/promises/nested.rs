//! Guarantee 10: what is left of nested groups is named.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use async_channel::Sender;
use async_executor::Executor;
use futures_lite::future;
use neap::{Group, Restart, Scope, restart};

use crate::story::{Flag, LIMIT, NEVER, OnDrop, ms, within};

/// Threads that run tasks, more than these stories block. They end when this is dropped.
#[derive(Clone)]
struct Pool {
    executor: Arc<Executor<'static>>,
    _open: Sender<()>,
}

impl Pool {
    fn new() -> Pool {
        let executor = Arc::new(Executor::new());
        let (_open, closed) = async_channel::bounded::<()>(1);
        for _ in 0..4 {
            let (executor, closed) = (executor.clone(), closed.clone());
            thread::spawn(move || future::block_on(executor.run(closed.recv())));
        }
        Pool { executor, _open }
    }

    /// Makes a group on these threads.
    fn group(&self) -> Group<'static> {
        let executor = self.executor.clone();
        Group::on(move |task| executor.spawn(task).detach())
    }
}

/// Adds a service that says when it has started, and blocks its thread then.
fn add_blocking(
    group: &mut Group<'static>,
    name: &'static str,
    begun: &Sender<()>,
    block: impl FnOnce() + Send + 'static,
) {
    let begun = begun.clone();
    group.add(name, move |_| async move {
        begun.send(()).await.unwrap();
        block();
    });
}

#[test]
fn g10_all_groups_that_a_service_is_made_of_are_named() {
    let left = within(LIMIT, || {
        let (pool, (begun, begins)) = (Pool::new(), async_channel::unbounded());
        let (mut one, mut two) = (pool.group(), pool.group());
        let (sender_one, blocked_one) = channel::<()>();
        let (sender_two, blocked_two) = channel::<()>();
        add_blocking(&mut one, "one", &begun, move || {
            let _ = blocked_one.recv();
        });
        add_blocking(&mut two, "two", &begun, move || {
            let _ = blocked_two.recv();
        });
        let (one, two) = (one.cancel_timeout(NEVER), two.cancel_timeout(NEVER));
        let mut outer = Group::new().drain_timeout(ms(50)).cancel_timeout(ms(100));
        outer.add("both", |scope: Scope<'static>| async move {
            let (one, two) = (one.into_service(), two.into_service());
            let _ = future::zip(one(scope.clone()), two(scope)).await;
        });
        let handle = outer.handle();
        outer.race("stopper", async move {
            begins.recv().await.unwrap();
            begins.recv().await.unwrap();
            handle.stop();
        });
        let error = future::block_on(outer.run()).unwrap_err();
        drop((sender_one, sender_two));
        let reports = error.outcome().unwrap().reports();
        let names = reports.flat_map(|report| report.left_within());
        names.cloned().collect::<Vec<_>>()
    });
    let mut left = left.expect("`run` does not return");
    left.sort();
    assert_eq!(left, ["one", "two"]);
}

/// Adds a service that blocks its thread for a while, and one that fails meanwhile.
fn add_blocking_and_failing(group: &mut Group<'static>, mark: OnDrop) {
    let (begun, begins) = async_channel::bounded(1);
    add_blocking(group, "blocking", &begun, move || {
        let _mark = mark;
        // Far longer than the timeouts of the group: it is abandoned.
        thread::sleep(ms(1000));
    });
    group.add("failing", |_| async move {
        begins.recv().await.unwrap();
        Err("refused")
    });
}

#[test]
fn g10_a_restart_does_not_hide_what_the_run_before_left() {
    let told = within(LIMIT, || {
        let (pool, gone) = (Pool::new(), Flag::default());
        let mut mark = Some(OnDrop(gone.clone()));
        let policy = Restart::on_failure().backoff(Duration::ZERO, Duration::ZERO);
        // Its first run leaves a service that blocks its thread, the second ends well.
        let nested = move |scope| {
            let mut inner = pool.group().drain_timeout(ms(20)).cancel_timeout(ms(20));
            if let Some(mark) = mark.take() {
                add_blocking_and_failing(&mut inner, mark);
            }
            inner.into_service()(scope)
        };
        let mut outer = Group::new();
        outer.add("nested", restart(policy, nested));
        let text = format!("{:?}", future::block_on(outer.run()));
        (gone.is_set(), text)
    });
    let (was_gone, text) = told.expect("`run` does not return");
    assert!(was_gone || text.contains("blocking"), "unnamed: {text}");
}
