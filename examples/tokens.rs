//! A source of stops and its tokens, without a group: for a library that is to end its own work.
//!
//! ```text
//! cargo run --example tokens
//! ```
//!
//! It ends by itself.

#[path = "support/help.rs"]
mod help;

use std::time::Duration;

use futures_lite::{StreamExt, future};
use neap::{Cause, StopSource, StopToken, UntilExt};
use smol::Timer;

/// Counts ticks until it is told to stop.
async fn count(name: &str, stop: StopToken) -> usize {
    let ticks = Timer::interval(Duration::from_millis(50));
    let count = ticks.until(&stop).count().await;
    println!(
        "{name}: {count} ticks, {:?}",
        stop.cause().map(|cause| cause.to_string())
    );
    count
}

fn main() {
    help::on_request(include_str!("tokens.rs"));
    let source = StopSource::new();
    // A child stops with its parent, or before it; a parent does not stop with its child.
    let child = source.child();
    let (all, one) = (source.token(), child.token());
    let stops = async move {
        Timer::after(Duration::from_millis(220)).await;
        assert!(child.stop("enough of that"));
        assert!(!child.stop("too late: the first cause stays"));
        Timer::after(Duration::from_millis(220)).await;
        source.stop("the song is over");
    };
    let counts = future::zip(count("all", all.clone()), count("one", one));
    let ((counted, of_one), ()) = smol::block_on(future::zip(counts, stops));
    assert!(of_one <= counted);
    assert_eq!(all.cause(), Some(Cause::from("the song is over")));
}
