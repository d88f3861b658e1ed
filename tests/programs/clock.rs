//! Tests of services that wait: the hand clock, and nobody sleeps.

use std::cell::Cell;
use std::time::Duration;

use futures_lite::future::{block_on, zip};
use neap::test::Clock;
use neap::{Group, Restart, restart_local};

const FIVE: Duration = Duration::from_secs(5);

#[test]
fn a_poller_has_a_turn_each_five_seconds() {
    let (clock, turns) = (Clock::new(), &Cell::new(0));
    let mut group = Group::local().clock(&clock);
    group.add("poller", async |scope| {
        while scope.run_until_stopped(clock.sleep(FIVE)).await.is_some() {
            turns.set(turns.get() + 1);
        }
    });
    let handle = group.handle();
    let test = async {
        for _ in 0..3 {
            clock.advance(FIVE).await;
        }
        assert_eq!(turns.get(), 3);
        clock.advance(FIVE * 10).await;
        assert_eq!(turns.get(), 13);
        handle.stop();
    };
    block_on(zip(group.run(), test)).0.unwrap();
}

#[test]
fn a_drain_that_takes_too_long_is_cut() {
    let clock = Clock::new();
    let mut group = Group::new().clock(&clock).drain_timeout(FIVE);
    group.add("deaf", async |_| std::future::pending::<()>().await);
    let handle = group.handle();
    let test = async {
        handle.started().await.unwrap();
        handle.stop();
        clock.advance(FIVE).await;
    };
    let error = block_on(zip(group.run(), test)).0.unwrap_err();
    assert!(error.is_timeout());
}

#[test]
fn a_service_that_fails_is_back_after_a_while() {
    let (clock, runs) = (Clock::new(), &Cell::new(0));
    let mut group = Group::local().clock(&clock);
    let policy = Restart::on_failure();
    group.add(
        "flaky",
        restart_local(policy, async |scope| {
            runs.set(runs.get() + 1);
            if runs.get() < 3 {
                return Err("not yet");
            }
            scope.stopped().await;
            Ok(())
        }),
    );
    let handle = group.handle();
    let test = async {
        clock.advance(FIVE).await;
        assert_eq!(runs.get(), 3);
        handle.stop();
    };
    block_on(zip(group.run(), test)).0.unwrap();
}
