//! What order costs: services that need others, started, stopped and joined; and a look at a group.
//!
//! `cargo bench --bench plan`

#![allow(missing_docs, reason = "criterion's macro makes a public function")]

use std::hint::black_box;
use std::task::{Context, Waker};

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use futures_lite::future::{self, FutureExt};
use neap::{Group, Handle, Run, ServiceId};

/// A group in place whose services each need some that were added before.
fn layered(services: usize, needs: usize) -> (Run<'static>, Handle<'static>) {
    let mut group = Group::new();
    let mut ids: Vec<ServiceId> = Vec::with_capacity(services);
    for index in 0..services {
        let mut added = group.add("service", |scope| async move {
            scope.stopped().await;
        });
        // Ten layers, each on the one below.
        let (layer, width) = (index * 10 / services, services / 10);
        for step in 0..if layer == 0 { 0 } else { needs } {
            added = added.needs(ids[(layer - 1) * width + (index * 7 + step * 13) % width]);
        }
        ids.push(added.id());
    }
    let handle = group.handle();
    (group.run(), handle)
}

fn poll(run: &mut Run<'_>) {
    let polled = run.poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending());
}

/// From the first `add` to the outcome.
fn whole(c: &mut Criterion) {
    let mut benches = c.benchmark_group("start, stop and join, ten layers");
    for needs in [1, 10] {
        benches.throughput(Throughput::Elements(1000));
        let id = BenchmarkId::new("1000 services", format!("{needs} needs each"));
        benches.bench_function(id, |bencher| {
            bencher.iter(|| {
                let (mut run, handle) = layered(1000, needs);
                // In place the whole start is a matter of a few polls.
                while future::block_on(future::poll_once(handle.started())).is_none() {
                    poll(&mut run);
                }
                handle.stop();
                black_box(future::block_on(run).unwrap());
            });
        });
    }
    benches.finish();
}

fn status(c: &mut Criterion) {
    let mut benches = c.benchmark_group("status");
    for needs in [0, 10] {
        benches.throughput(Throughput::Elements(1000));
        let id = BenchmarkId::new("1000 services", format!("{needs} needs each"));
        benches.bench_function(id, |bencher| {
            let (mut run, handle) = layered(1000, needs);
            poll(&mut run);
            bencher.iter_batched(|| (), |()| handle.status(), BatchSize::SmallInput);
        });
    }
    benches.finish();
}

criterion_group!(benches, whole, status);
criterion_main!(benches);
