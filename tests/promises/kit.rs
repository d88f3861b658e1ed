//! What the test kit promises: the clock never goes backwards, and the recorder can be looked at.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use futures_lite::future;
use neap::Group;
use neap::test::{Clock, Recorder};

use crate::story::{LIMIT, NEVER, poll, within};

#[test]
fn the_clock_never_goes_backwards() {
    let clock = Clock::new();
    clock.advance(Duration::from_secs(5));
    let before = clock.now();
    // Refusing so long a time is as good as stopping at the end of it.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(clock.advance(Duration::MAX))));
    assert!(clock.now() >= before);
}

#[test]
fn a_sleep_by_the_hand_clock_may_be_for_ever() {
    let clock = Clock::new();
    drop(clock.sleep(Duration::MAX));
}

#[test]
fn a_nested_group_goes_by_the_clock_of_the_group_it_is_in() {
    let clock = Clock::new();
    let mut inner = Group::new().drain_timeout(NEVER);
    inner.add("deaf", |_| std::future::pending::<()>());
    let handle = inner.handle();
    let mut outer = Group::new().clock(&clock);
    outer.add("inner", inner.into_service());
    let mut run = outer.run();
    assert!(poll(&mut run).is_none());
    handle.stop();
    assert!(poll(&mut run).is_none());
    clock.advance(2 * NEVER);
    let ended = (0..100).find_map(|_| poll(&mut run));
    assert!(ended.is_some(), "it waits by another clock");
}

#[test]
fn the_closure_of_wait_for_may_look_at_the_recorder() {
    let ended = within(LIMIT, || {
        let recorder = Recorder::new();
        let mut group = Group::new().record(&recorder);
        group.add("job", |_| async {});
        let look = recorder.clone();
        let wait = recorder.wait_for(move |_| look.events().len() > 1);
        future::block_on(future::zip(group.run(), wait)).0.is_ok()
    });
    assert_eq!(ended, Some(true), "it waits for itself");
}
