//! A test of a service: the test injects the stop, moves the clock by hand, and reads a record of events.
//!
//! ```text
//! cargo run --example testing
//! ```
//!
//! Ends by itself, at once: the ten seconds of the drain pass when the test moves the clock.

use std::future::pending;
use std::time::Duration;

use futures_lite::future;
use neap::test::{Clock, Event, Recorder};
use neap::{Cause, Group};

fn main() {
    let (clock, recorder) = (Clock::new(), Recorder::new());
    let (stop, stops) = async_channel::unbounded();
    let mut group = Group::new()
        .drain_timeout(Duration::from_secs(10))
        .clock(&clock)
        .record(&recorder)
        .stop_on(stops);
    group.add("obedient", |scope| async move {
        scope.stopped().await;
    });
    group.add("deaf", |_| pending::<()>());

    let test = async {
        recorder
            .wait_for(|event| *event == Event::Ready("deaf".into()))
            .await;
        stop.try_send(Cause::Requested).expect("the group listens");
        recorder
            .wait_for(|event| *event == Event::Stopped("deaf".into()))
            .await;
        clock.advance(Duration::from_secs(10));
    };
    let (ended, ()) = future::block_on(future::zip(group.run(), test));

    println!("{recorder}");
    let error = ended.expect_err("one of the services is deaf");
    assert!(error.is_timeout() && error.service() == Some("deaf"));
    println!("{error}");
}
