//! The ends of time.

use std::time::Duration;

use futures_lite::future;

use super::Clock;

#[test]
fn moved_as_far_as_can_be_it_stands_still_and_never_goes_back() {
    let clock = Clock::new();
    let mut before = clock.now();
    for by in [1, u64::MAX / 2_000_000_000, u64::MAX, 1, u64::MAX] {
        clock.advance(Duration::from_secs(by));
        assert!(clock.now() >= before);
        before = clock.now();
    }
    clock.advance(Duration::MAX);
    assert_eq!(clock.now(), before, "584 years are the end");
}

#[test]
fn a_sleep_without_an_end_does_not_end() {
    let clock = Clock::new();
    let mut asleep = clock.sleep(Duration::MAX);
    clock.advance(Duration::MAX);
    assert!(future::block_on(future::poll_once(&mut asleep)).is_none());
}

#[test]
fn a_sleep_to_the_end_of_the_clock_ends_there() {
    let clock = Clock::new();
    let mut asleep = clock.sleep(Duration::from_nanos(u64::MAX));
    assert!(future::block_on(future::poll_once(&mut asleep)).is_none());
    clock.advance(Duration::MAX);
    future::block_on(asleep);
}

#[test]
fn a_sleep_that_is_put_off_ends_later() {
    let clock = Clock::new();
    let mut asleep = clock.sleep(Duration::from_secs(1));
    let later = clock.now() + Duration::from_secs(2);
    asleep.set_at(later);
    clock.advance(Duration::from_secs(1));
    assert!(future::block_on(future::poll_once(&mut asleep)).is_none());
    clock.advance(Duration::from_secs(1));
    future::block_on(asleep);
}
