//! Three layers: a database, a cache that needs it, and workers that need both.

use std::sync::{Arc, Mutex};

use futures_lite::future;
use neap::{Error, Group, Outcome, Scope};

use crate::runtimes::on_all;

/// What the layers say, in the order in which they say it.
type Lines = Arc<Mutex<Vec<String>>>;

async fn layer(name: &str, lines: Lines, scope: Scope<'_>) {
    scope.starting();
    future::yield_now().await; // connect
    lines.lock().unwrap().push(format!("{name} is up"));
    scope.ready();
    scope.stopped().await;
    lines.lock().unwrap().push(format!("{name} is down"));
}

/// The program, on any runtime.
async fn layers(mut group: Group<'_>, lines: Lines) -> Result<Outcome, Error> {
    let (one, two, three) = (lines.clone(), lines.clone(), lines);
    let db = group.add("db", |scope| layer("db", one, scope)).id();
    let cache = group
        .add("cache", |scope| layer("cache", two, scope))
        .needs(db)
        .id();
    group
        .add("workers", |scope| layer("workers", three, scope))
        .needs(db)
        .needs(cache);
    let handle = group.handle();
    group.race("operator", async move {
        if handle.started().await.is_ok() {
            handle.stop_with("enough seen");
        }
    });
    group.run().await
}

fn check(ended: Result<Outcome, Error>, lines: &Lines) {
    assert_eq!(ended.unwrap().cause().to_string(), "request (enough seen)");
    let ups = ["db is up", "cache is up", "workers is up"];
    let downs = ["workers is down", "cache is down", "db is down"];
    assert_eq!(*lines.lock().unwrap(), [ups, downs].concat());
}

#[test]
fn three_layers_start_and_stop_in_order_on_every_runtime() {
    on_all(|runtime| async move {
        let lines = Lines::default();
        check(layers(runtime.group(), lines.clone()).await, &lines);
    });
}

#[test]
fn three_layers_on_async_std_and_on_an_executor_of_ones_own() {
    let lines = Lines::default();
    let group = Group::on(async_std::task::spawn);
    let ended = async_std::task::block_on(layers(group, lines.clone()));
    check(ended, &lines);

    let lines = Lines::default();
    let executor = Arc::new(async_executor::Executor::new());
    let spawner = executor.clone();
    let group = Group::on(move |task| spawner.spawn(task));
    let ended = future::block_on(executor.run(layers(group, lines.clone())));
    check(ended, &lines);
}
