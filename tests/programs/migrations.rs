//! Programs of five other libraries, said with neap: the guide has a page for each.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_lite::future;
use neap::{Cause, OnExit, Scope, StopSource, UntilExt};

use crate::runtimes::on_all;

/// Go's errgroup: fetch several things with a limit, give up at the first error.
///
/// ```go
/// g, ctx := errgroup.WithContext(ctx)
/// g.SetLimit(2)
/// for _, url := range urls { g.Go(func() error { return fetch(ctx, url) }) }
/// err := g.Wait()
/// ```
#[test]
fn from_errgroup() {
    async fn fetch(url: &str) -> Result<(), String> {
        future::yield_now().await;
        if url.is_empty() {
            return Err("an empty address".into());
        }
        Ok(())
    }
    on_all(|runtime| async move {
        let mut group = runtime.group().limit(2);
        for url in ["a", "b", "", "c"] {
            group.race(format!("fetch {url}"), fetch(url));
        }
        let error = group.run().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "service `fetch ` failed: an empty address"
        );
    });
}

/// tokio-util: a token, a tracker, and `select!`.
///
/// ```ignore
/// let (token, tracker) = (CancellationToken::new(), TaskTracker::new());
/// for _ in 0..3 {
///     let token = token.clone();
///     tracker.spawn(async move {
///         loop { select! { _ = token.cancelled() => break, _ = work() => {} } }
///     });
/// }
/// token.cancel();
/// tracker.close();
/// tracker.wait().await;
/// ```
#[test]
fn from_tokio_util() {
    on_all(|runtime| async move {
        let (mut group, worked) = (runtime.group(), Arc::new(AtomicU32::new(0)));
        for _ in 0..3 {
            let worked = worked.clone();
            group.add("worker", async move |scope: Scope<'static>| {
                let token = scope.token();
                while future::yield_now().until(&token).await.is_some() {
                    worked.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let handle = group.handle();
        group.race("operator", async move {
            while worked.load(Ordering::Relaxed) < 30 {
                future::yield_now().await;
            }
            handle.stop();
        });
        group.run().await.unwrap();
    });
}

/// tokio-graceful-shutdown: nested subsystems, signals, a time limit.
///
/// ```ignore
/// Toplevel::new(async |s| {
///     s.start(SubsystemBuilder::new("parent", async |s: &mut SubsystemHandle| {
///         s.start(SubsystemBuilder::new("child", child));
///         s.on_shutdown_requested().await;
///         Ok(())
///     }));
/// })
/// .catch_signals()
/// .handle_shutdown_requests(Duration::from_secs(1)).await?;
/// ```
#[test]
fn from_tokio_graceful_shutdown() {
    async fn child(scope: Scope<'_>) {
        scope.stopped().await;
    }
    on_all(|runtime| async move {
        let mut parent = runtime.group();
        parent.add("child", child);
        parent.add("self", async |scope: Scope<'static>| {
            scope.stopped().await;
        });
        let (sender, signals) = async_channel::bounded(1); // `signal::termination()?` in a program
        let mut group = runtime
            .group()
            .stop_on(signals)
            .drain_timeout(Duration::from_secs(1));
        group.add("parent", parent.into_service());
        sender
            .try_send(Cause::Signal(neap::signal::Signal::Term))
            .unwrap();
        let outcome = group.run().await.unwrap();
        assert_eq!(outcome.cause().to_string(), "SIGTERM");
    });
}

/// swift-service-lifecycle: services in order, one that ends the group well.
///
/// ```swift
/// let group = ServiceGroup(configuration: .init(
///     services: [
///         .init(service: database),
///         .init(service: job, successTerminationBehavior: .gracefullyShutdownGroup),
///     ],
///     gracefulShutdownSignals: [.sigterm], logger: logger))
/// try await group.run()
/// ```
#[test]
fn from_swift_service_lifecycle() {
    on_all(|runtime| async move {
        let mut group = runtime.group();
        let database = group.add("database", async |scope: Scope<'static>| {
            scope.stopped().await;
        });
        let database = database.id();
        group
            .add("job", async |_| {})
            .needs(database)
            .on_exit(OnExit::Stop);
        let outcome = group.run().await.unwrap();
        assert_eq!(*outcome.cause(), Cause::Finished("job".into()));
    });
}

/// swansong: a token whose guards hold up the end.
///
/// ```ignore
/// let swansong = Swansong::new();
/// let guard = swansong.guard();
/// thread::spawn(move || { work(); drop(guard) });
/// let stream = swansong.interrupt(stream);
/// swansong.shut_down().await;
/// ```
#[test]
fn from_swansong() {
    use futures_lite::{StreamExt, stream};
    on_all(|runtime| async move {
        let (sender, receiver) = std::sync::mpsc::channel();
        let mut group = runtime.group();
        group.add("work", async move |scope: Scope<'static>| {
            let guard = scope.guard();
            std::thread::spawn(move || {
                sender.send("done").unwrap();
                drop(guard);
            });
            let mut stream = stream::repeat(()).until(&scope.token());
            while stream.next().await.is_some() {
                scope.stop();
                future::yield_now().await;
            }
        });
        group.run().await.unwrap();
        assert_eq!(receiver.try_recv(), Ok("done"));
    });

    // Without a group, a token is one too.
    let source = StopSource::new();
    let token = source.token();
    let thread = std::thread::spawn(move || token.wait_blocking());
    source.stop("the song is over");
    assert_eq!(thread.join().unwrap(), Cause::from("the song is over"));
}
