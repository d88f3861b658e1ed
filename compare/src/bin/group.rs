//! The group alone: what it costs to start N services that wait for the stop, and to stop and
//! join them.
//!
//! `cargo run --release --bin group -- --services 100000 --rounds 9`
//!
//! `--only tokio` measures those alone whose name has it.
//!
//! Rounds are interleaved, each peer once in each; the table has medians. Bytes are those that the
//! peer asked of the allocator and still holds when all services wait.

use std::alloc::System;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// One measurement.
#[derive(Clone, Copy)]
struct Figures {
    start: Duration,
    stop: Duration,
    bytes: usize,
}

/// Measures from its making on.
struct Meter {
    region: Region<'static, System>,
    since: Instant,
}

impl Meter {
    fn new() -> Meter {
        Meter {
            region: Region::new(ALLOCATOR),
            since: Instant::now(),
        }
    }

    /// All services wait; what follows is the stop.
    fn started(&self) -> (Duration, usize, Instant) {
        let start = self.since.elapsed();
        let change = self.region.change();
        let bytes = change
            .bytes_allocated
            .saturating_sub(change.bytes_deallocated);
        (start, bytes, Instant::now())
    }
}

/// How many services have come to wait.
static WAITING: AtomicUsize = AtomicUsize::new(0);

async fn until_all_wait(services: usize, mut yielding: impl AsyncFnMut()) {
    while WAITING.load(Ordering::Relaxed) < services {
        yielding().await;
    }
}

fn neap_in_place(services: usize) -> Figures {
    neap(services, neap::Group::new(), |run| {
        futures_lite::future::block_on(run)
    })
}

fn neap_on_executor(services: usize) -> Figures {
    let executor = Arc::new(async_executor::Executor::new());
    let spawner = Arc::clone(&executor);
    neap(
        services,
        neap::Group::on(move |task| spawner.spawn(task).detach()),
        move |run| futures_lite::future::block_on(executor.run(run)),
    )
}

fn neap(
    services: usize,
    mut group: neap::Group<'static>,
    drive: impl FnOnce(neap::Run<'static>) -> Result<neap::Outcome, neap::Error>,
) -> Figures {
    let meter = Meter::new();
    let handle = group.handle();
    for _ in 0..services {
        group.add("service", |scope| async move {
            WAITING.fetch_add(1, Ordering::Relaxed);
            scope.stopped().await;
        });
    }
    let (sender, receiver) = std::sync::mpsc::channel();
    group.add("driver", move |_| async move {
        until_all_wait(services, async || futures_lite::future::yield_now().await).await;
        sender.send(meter.started()).unwrap();
        handle.stop();
    });
    let outcome = drive(group.run()).unwrap();
    let (start, bytes, stopped) = receiver.recv().unwrap();
    assert_eq!(outcome.reports().len(), services + 1);
    drop(outcome);
    let stop = stopped.elapsed();
    Figures { start, stop, bytes }
}

fn swansong(services: usize) -> Figures {
    let executor = async_executor::Executor::new();
    futures_lite::future::block_on(executor.run(async {
        let meter = Meter::new();
        let swansong = swansong::Swansong::new();
        for _ in 0..services {
            let guard = swansong.guard();
            let stop = swansong.interrupt(std::future::pending::<()>());
            executor
                .spawn(async move {
                    WAITING.fetch_add(1, Ordering::Relaxed);
                    stop.await;
                    drop(guard);
                })
                .detach();
        }
        until_all_wait(services, async || futures_lite::future::yield_now().await).await;
        let (start, bytes, stopped) = meter.started();
        swansong.shut_down().await;
        Figures {
            start,
            stop: stopped.elapsed(),
            bytes,
        }
    }))
}

fn tokio_util_1(services: usize) -> Figures {
    tokio_util(
        services,
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap(),
    )
}

fn tokio_util_2(services: usize) -> Figures {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    tokio_util(services, builder.worker_threads(2).build().unwrap())
}

fn tokio_util(services: usize, runtime: tokio::runtime::Runtime) -> Figures {
    runtime.block_on(async {
        let meter = Meter::new();
        let token = tokio_util::sync::CancellationToken::new();
        let tracker = tokio_util::task::TaskTracker::new();
        for _ in 0..services {
            let token = token.clone();
            tracker.spawn(async move {
                WAITING.fetch_add(1, Ordering::Relaxed);
                token.cancelled().await;
            });
        }
        tracker.close();
        until_all_wait(services, async || tokio::task::yield_now().await).await;
        let (start, bytes, stopped) = meter.started();
        token.cancel();
        tracker.wait().await;
        Figures {
            start,
            stop: stopped.elapsed(),
            bytes,
        }
    })
}

fn graceful_shutdown(services: usize) -> Figures {
    use tokio_graceful_shutdown::{SubsystemBuilder, SubsystemHandle, Toplevel};
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let meter = Meter::new();
        let (sender, receiver) = std::sync::mpsc::channel();
        let top = Toplevel::new(async move |top: &mut SubsystemHandle| {
            for _ in 0..services {
                top.start(SubsystemBuilder::new(
                    "service",
                    async |handle: &mut SubsystemHandle| {
                        WAITING.fetch_add(1, Ordering::Relaxed);
                        handle.on_shutdown_requested().await;
                        Ok::<_, std::io::Error>(())
                    },
                ));
            }
            until_all_wait(services, async || tokio::task::yield_now().await).await;
            sender.send(meter.started()).unwrap();
            top.request_shutdown();
        });
        top.handle_shutdown_requests(Duration::from_secs(60))
            .await
            .unwrap();
        let (start, bytes, stopped) = receiver.recv().unwrap();
        Figures {
            start,
            stop: stopped.elapsed(),
            bytes,
        }
    })
}

/// A peer: its name, and what measures it.
type Peer = (&'static str, fn(usize) -> Figures);

const PEERS: &[Peer] = &[
    ("neap in place, 1 thread", neap_in_place),
    ("neap on async-executor, 1 thread", neap_on_executor),
    ("swansong on async-executor, 1 thread", swansong),
    ("tokio-util token + tracker, 1 thread", tokio_util_1),
    ("tokio-util token + tracker, 2 threads", tokio_util_2),
    ("tokio-graceful-shutdown, 2 threads", graceful_shutdown),
];

fn median<T: Ord + Copy>(mut values: Vec<T>) -> T {
    values.sort_unstable();
    values[values.len() / 2]
}

fn main() -> Result<(), lexopt::Error> {
    use lexopt::prelude::*;
    let (mut services, mut rounds) = (100_000usize, 9usize);
    let mut only = String::new();
    let mut parser = lexopt::Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            Long("services") => services = parser.value()?.parse()?,
            Long("rounds") => rounds = parser.value()?.parse()?,
            Long("only") => only = parser.value()?.string()?,
            _ => return Err(arg.unexpected()),
        }
    }
    let peers: Vec<_> = PEERS
        .iter()
        .filter(|(name, _)| name.contains(&only))
        .collect();
    let mut figures = vec![Vec::new(); peers.len()];
    for round in 1..=rounds {
        eprint!("\rround {round} of {rounds}");
        for ((_, measure), figures) in peers.iter().zip(&mut figures) {
            WAITING.store(0, Ordering::Relaxed);
            figures.push(measure(services));
        }
    }
    eprintln!();
    println!(
        "| {services} services, median of {rounds} rounds | start, ns | stop and join, ns | bytes |"
    );
    println!("|---|---|---|---|");
    for ((name, _), figures) in peers.iter().zip(figures) {
        let per = |total: u128| total / services as u128;
        let start = per(median(figures.iter().map(|f| f.start.as_nanos()).collect()));
        let stop = per(median(figures.iter().map(|f| f.stop.as_nanos()).collect()));
        let bytes = per(median(figures.iter().map(|f| f.bytes as u128).collect()));
        println!("| {name} | {start} | {stop} | {bytes} |");
    }
    Ok(())
}
