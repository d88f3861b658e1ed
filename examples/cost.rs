//! The cost of a service that waits for the stop: time to start, time to stop and join, and bytes.
//!
//! ```text
//! cargo run --release --example cost -- 100000
//! ```
//!
//! Ends by itself. Each figure is per service, the median of nine rounds. `compare/peers` measures the
//! same for other crates.

#[path = "support/help.rs"]
mod help;

use std::alloc::System;
use std::hint::black_box;
use std::task::{Context, Waker};
use std::time::Instant;

use futures_lite::future::{self, FutureExt};
use neap::Group;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Measures one round: nanoseconds to start, nanoseconds to stop and join, bytes held.
fn measure(services: usize) -> [u128; 3] {
    let region = Region::new(ALLOCATOR);
    let begin = Instant::now();
    let mut group = Group::new();
    for _ in 0..services {
        // The future of an `async move |scope|` holds its scope twice, which is 16 bytes more.
        group.add("service", |scope| async move {
            scope.stopped().await;
        });
    }
    let handle = group.handle();
    let mut run = group.run();
    assert!(
        run.poll(&mut Context::from_waker(Waker::noop()))
            .is_pending()
    );
    let start = begin.elapsed();
    let change = region.change();
    let bytes = change.bytes_allocated - change.bytes_deallocated;

    let begin = Instant::now();
    handle.stop();
    drop(black_box(future::block_on(run)));
    [start.as_nanos(), begin.elapsed().as_nanos(), bytes as u128]
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    help::on_request(include_str!("cost.rs"));
    let services = std::env::args()
        .nth(1)
        .map_or(Ok(100_000), |number| number.parse())?;
    let rounds: Vec<_> = (0..9).map(|_| measure(services)).collect();
    let median = |figure: usize| {
        let mut values: Vec<_> = rounds.iter().map(|round| round[figure]).collect();
        values.sort_unstable();
        values[values.len() / 2] / services.max(1) as u128
    };
    println!("{services} services in place, each:");
    println!("  start          {:>6} ns", median(0));
    println!("  stop and join  {:>6} ns", median(1));
    println!("  held           {:>6} bytes", median(2));
    Ok(())
}
