//! Guarantee 2, and what `stop_one` promises: it stops one service, and says whether that was news.

use futures_lite::future;
use neap::{Group, OnExit, Scope};

use crate::story::{Flag, poll};

#[test]
fn stopping_one_that_has_ended_is_no_news() {
    let mut group = Group::new();
    let handle = group.handle();
    let job = group.add("job", |_| async {}).id();
    group.add("server", |scope: Scope<'static>| async move {
        scope.stopped().await;
    });
    let mut run = group.run();
    for _ in 0..5 {
        assert!(poll(&mut run).is_none());
    }
    assert!(!handle.stop_one(job), "it has ended");
    handle.stop();
    assert!((0..100).any(|_| poll(&mut run).is_some()));
}

#[test]
fn g02_one_that_is_stopped_alone_does_not_stop_the_group_by_its_end() {
    let (stopped, mut group) = (Flag::default(), Group::new());
    let cache = group.add("cache", |scope: Scope<'static>| async move {
        scope.stopped().await;
    });
    let cache = cache.on_exit(OnExit::Stop).id();
    let (handle, seen) = (group.handle(), stopped.clone());
    group.add("operator", move |_| async move {
        assert!(handle.stop_one(cache));
        for _ in 0..10 {
            future::yield_now().await;
        }
        if handle.is_stopped() {
            seen.set();
        }
    });
    let mut run = group.run();
    let ended = (0..100).find_map(|_| poll(&mut run));
    ended.expect("`run` does not return").unwrap();
    assert!(!stopped.is_set(), "`stop_one` leaves the group running");
}
