//! A test of a service: the test injects the stop, moves the clock by hand, and reads a record of events.
//!
//! ```text
//! cargo run --example testing
//! ```
//!
//! Ends by itself, at once: the seconds pass when the test moves the clock.

#[path = "support/help.rs"]
mod help;

use std::future::pending;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_lite::future;
use neap::test::{Clock, Event, Recorder};
use neap::{Cause, Group};

fn main() {
    help::on_request(include_str!("testing.rs"));
    let (clock, recorder, polls) = (Clock::new(), Recorder::new(), AtomicU32::new(0));
    let (stop, stops) = async_channel::unbounded();
    let mut group = Group::new()
        .drain_timeout(Duration::from_secs(10))
        .clock(&clock)
        .record(&recorder)
        .stop_on(stops);
    group.add("obedient", async move |scope| {
        scope.stopped().await;
    });
    group.add("deaf", |_| pending::<()>());
    group.race("poller", async {
        loop {
            clock.sleep(Duration::from_secs(5)).await;
            polls.fetch_add(1, Ordering::Relaxed);
        }
    });

    let test = async {
        recorder
            .wait_for(|event| *event == Event::Ready("deaf".into()))
            .await;
        // Returns once everything due has run: the poller has had six turns.
        clock.advance(Duration::from_secs(30)).await;
        assert_eq!(polls.load(Ordering::Relaxed), 6);
        stop.try_send(Cause::Requested).expect("the group listens");
        clock.advance(Duration::from_secs(10)).await;
    };
    let (ended, ()) = future::block_on(future::zip(group.run(), test));

    println!("{recorder}");
    let error = ended.expect_err("one of the services is deaf");
    assert!(error.is_timeout() && error.service() == Some("deaf"));
    println!("{error}");
}
