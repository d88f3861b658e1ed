//! The group alone: services that wait for the stop, started, stopped and joined.
//!
//! `cargo bench --bench group`. For bytes, and for setting the figures beside a peer's, see
//! `examples/cost.rs`.

#![allow(missing_docs, reason = "criterion's macro makes a public function")]

use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use futures_lite::future::{self, FutureExt};
use neap::{Group, Handle, Run};

/// A group in place whose services all wait for its stop once it has been polled.
fn waiting(services: usize) -> (Run<'static>, Handle<'static>) {
    let mut group = Group::new();
    for _ in 0..services {
        group.add("service", |scope| async move {
            scope.stopped().await;
        });
    }
    let handle = group.handle();
    (group.run(), handle)
}

fn poll(run: &mut Run<'_>) {
    assert!(
        run.poll(&mut Context::from_waker(Waker::noop()))
            .is_pending()
    );
}

fn start(c: &mut Criterion) {
    let mut benches = c.benchmark_group("start");
    for services in [1, 1_000, 100_000] {
        benches.throughput(Throughput::Elements(services as u64));
        benches.bench_function(BenchmarkId::from_parameter(services), |bencher| {
            bencher
                .iter_custom(|rounds| (0..rounds).map(|_| time_start(services)).sum::<Duration>());
        });
    }
    benches.finish();
}

fn time_start(services: usize) -> Duration {
    let begin = Instant::now();
    let (mut run, _handle) = waiting(services);
    poll(&mut run);
    begin.elapsed()
}

fn stop_and_join(c: &mut Criterion) {
    let mut benches = c.benchmark_group("stop and join");
    for services in [1, 1_000, 100_000] {
        benches.throughput(Throughput::Elements(services as u64));
        benches.bench_function(BenchmarkId::from_parameter(services), |bencher| {
            let waiting = || {
                let (mut run, handle) = waiting(services);
                poll(&mut run);
                (run, handle)
            };
            let stop = |(run, handle): (Run<'static>, Handle<'static>)| {
                handle.stop();
                drop(black_box(future::block_on(run)));
            };
            bencher.iter_batched(waiting, stop, BatchSize::PerIteration);
        });
    }
    benches.finish();
}

/// What the group adds to a poll of a service: the same future, with and without it.
fn poll_of_a_service(c: &mut Criterion) {
    static POLLS: AtomicUsize = AtomicUsize::new(0);
    let polls = 100_000;
    let work = move || {
        let mut left = polls;
        future::poll_fn(move |cx| {
            POLLS.fetch_add(1, Ordering::Relaxed);
            if left == 0 {
                return std::task::Poll::Ready(());
            }
            left -= 1;
            cx.waker().wake_by_ref();
            std::task::Poll::Pending
        })
    };
    let mut benches = c.benchmark_group("poll");
    benches.throughput(Throughput::Elements(polls as u64));
    benches.bench_function("in a group in place", |bencher| {
        bencher.iter(|| {
            let mut group = Group::new();
            group.add("service", |_| work());
            future::block_on(group.run()).map(drop)
        });
    });
    benches.bench_function("in an async-executor", |bencher| {
        bencher.iter(|| {
            let executor = async_executor::Executor::new();
            future::block_on(executor.run(executor.spawn(work())));
        });
    });
    benches.finish();
}

criterion_group! {
    name = group;
    config = Criterion::default().sample_size(20).warm_up_time(Duration::from_millis(500));
    targets = start, stop_and_join, poll_of_a_service
}
criterion_main!(group);
