//! Server-sent events through both doors: they end at the stop between two events, without a second runtime.

#![cfg(feature = "http")]

#[path = "../http_support/mod.rs"]
mod http_support;
#[path = "../runtimes/mod.rs"]
mod runtimes;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_lite::{StreamExt, future, stream};
use neap::http::{self, App, EventStream, RequestContext, Server, ServerEvent};
use neap::test::{Clock, Network};

use crate::http_support::in_memory::{Client, Site, at_once, serve};
use crate::runtimes::limited;

/// Makes the response of `/events`.
type Make = Arc<dyn Fn(&RequestContext) -> EventStream + Send + Sync>;

fn of_axum(make: Make) -> impl App + 'static {
    use ::axum::{Extension, Router, routing::get};

    let events =
        async move |Extension(context): Extension<RequestContext>| make(&context).response();
    http::service(Router::new().route("/events", get(events)))
}

#[cfg(feature = "tide")]
fn of_tide(make: Make) -> impl App + 'static {
    tide_app(make)
}

#[cfg(feature = "tide")]
fn of_tide_service(make: Make) -> impl App + 'static {
    http::service(http::tide_service(tide_app(make)))
}

#[cfg(feature = "tide")]
fn tide_app(make: Make) -> ::tide::Server<()> {
    use neap::http::RequestExt;

    let mut app = ::tide::new();
    app.at("/events").get(move |request: ::tide::Request<()>| {
        let make = Arc::clone(&make);
        async move { Ok(make(request.context().unwrap())) }
    });
    app
}

/// An event of three lines, and its text.
fn event(number: usize) -> ServerEvent {
    ServerEvent::new(format!("{number}\n{}\nend", "x".repeat(3000))).id(number.to_string())
}

/// Returns the events of a whole response, without their chunks.
#[track_caller]
fn body(answer: &str) -> String {
    let (head, mut rest) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let mut body = String::new();
    loop {
        let (size, behind) = rest.split_once("\r\n").expect("a chunk");
        let size = usize::from_str_radix(size, 16).unwrap();
        body += &behind[..size];
        rest = &behind[size + 2..];
        if size == 0 {
            assert_eq!(rest, "");
            return body;
        }
    }
}

async fn ask(site: &Site) -> Client {
    let mut client = site.connect().await;
    client.send("GET /events HTTP/1.1\r\nhost: a\r\n\r\n").await;
    client
}

fn a_stop_ends_it_behind_a_whole_event<A: App + 'static>(app: fn(Make) -> A) {
    for is_busy in [false, true] {
        let (network, clock) = at_once();
        let pace = clock.clone();
        let make: Make = Arc::new(move |context| {
            let pace = pace.clone();
            let numbers = stream::unfold(0, move |number| {
                let pause = (!is_busy).then(|| pace.sleep(Duration::from_secs(1)));
                async move {
                    if let Some(pause) = pause {
                        pause.await;
                    }
                    Some((event(number), number + 1))
                }
            });
            let last = ServerEvent::default().retry(Duration::from_secs(2));
            http::events(context, numbers).last(last)
        });
        // The answer said nothing of a close, so its connection is idle behind it.
        let server = |address| Server::new(app(make), address).idle_grace(Duration::ZERO);
        let story = async |site: Site| {
            let mut client = ask(&site).await;
            site.sleep(3500).await;
            let begin = site.clock.now();
            site.handle.stop();
            let answer = client.end().await.unwrap();
            (answer, site.clock.now() - begin)
        };
        let (ended, (answer, took)) = serve((network, clock), server, story);
        ended.result.unwrap();
        assert!(took < Duration::from_millis(500), "{took:?}");
        let head = answer.split("\r\n\r\n").next().unwrap();
        for field in [
            "content-type: text/event-stream",
            "cache-control: no-cache",
            "x-accel-buffering: no",
        ] {
            assert!(head.contains(field), "{head}");
        }
        let body = body(&answer);
        let events = body
            .strip_suffix("retry: 2000\n\n")
            .expect("the last event");
        let count = events.matches("\n\n").count();
        assert!(if is_busy { count > 1 } else { count == 3 }, "{count}");
        let expected: String = (0..count).map(|number| event(number).to_string()).collect();
        assert_eq!(events, expected);
    }
}

fn an_idle_stream_is_kept_alive<A: App + 'static>(app: fn(Make) -> A) {
    let (network, clock) = at_once();
    let pace = clock.clone();
    let make: Make = Arc::new(move |context| {
        let pause = pace.sleep(Duration::from_secs(25));
        let once = async move {
            pause.await;
            ServerEvent::new("late")
        };
        // The event puts the next comment off.
        let events = stream::once_future(once).chain(stream::pending());
        http::events(context, events).keep_alive(Duration::from_secs(10))
    });
    let server = |address| Server::new(app(make), address);
    let story = async |site: Site| {
        let mut client = ask(&site).await;
        site.sleep(34_900).await;
        let before = site.handle.clone();
        before.stop();
        client.end().await.unwrap()
    };
    let (ended, answer) = serve((network, clock), server, story);
    ended.result.unwrap();
    assert_eq!(body(&answer), ":\n\n:\n\ndata: late\n\n");
}

fn one_without_keep_alive_waits<A: App + 'static>(app: fn(Make) -> A) {
    for never in [Duration::MAX, Duration::ZERO] {
        let make: Make =
            Arc::new(move |context| http::events(context, stream::pending()).keep_alive(never));
        let server = |address| Server::new(app(make), address);
        let story = async |site: Site| {
            let mut client = ask(&site).await;
            site.sleep(1_000_000).await;
            site.handle.stop();
            client.end().await.unwrap()
        };
        let (ended, answer) = serve(at_once(), server, story);
        ended.result.unwrap();
        assert_eq!(body(&answer), "");
    }
}

/// Sends random events, at a random pace, over a connection of random width, and stops at a random moment.
fn a_random_stop_ends_it_behind_a_whole_event<A: App + 'static>(app: fn(Make) -> A) {
    for seed in 0..60 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let capacity = *rng.choice(&[7, 300, 64 * 1024, 1024 * 1024]).unwrap();
        let longest = if capacity < 1000 { 300 } else { 200_000 };
        let all: Vec<_> = (0..30)
            .map(|number| {
                let length = rng.usize(..longest);
                let length = rng.choice([0, 1, length]).unwrap();
                let event = ServerEvent::new("x\n".repeat(length / 8)).id(number.to_string());
                let event = event.event("a\r\ndata: b");
                (event, *rng.choice(&[0, 0, 1, 40]).unwrap())
            })
            .collect();
        let (clock, stop) = (Clock::new(), rng.u64(..400));
        let texts: Vec<_> = all.iter().map(|(event, _)| event.to_string()).collect();
        let pace = clock.clone();
        let make: Make = Arc::new(move |context| {
            let (pace, all) = (pace.clone(), all.clone());
            let events = stream::iter(all).then(move |(event, pause)| {
                let pause = (pause > 0).then(|| pace.sleep(Duration::from_millis(pause)));
                async move {
                    if let Some(pause) = pause {
                        pause.await;
                    }
                    event
                }
            });
            http::events(context, events.chain(stream::pending())).last(ServerEvent::comment("end"))
        });
        let server = |address| Server::new(app(make), address);
        let story = async |site: Site| {
            let mut client = ask(&site).await;
            let stop = async {
                site.sleep(stop).await;
                site.handle.stop();
            };
            future::zip(client.end(), stop).await.0.unwrap()
        };
        let (ended, answer) = serve((Network::with_capacity(capacity), clock), server, story);
        ended.result.unwrap();
        let body = body(&answer);
        let mut rest = body.strip_suffix(": end\n\n").expect("the last event");
        for text in &texts {
            match rest.strip_prefix(&**text) {
                Some(behind) => rest = behind,
                None => break,
            }
        }
        assert_eq!(rest, "", "seed {seed}");
    }
}

fn one_that_ends_has_no_last_event<A: App + 'static>(app: fn(Make) -> A) {
    let make: Make = Arc::new(|context| {
        http::events(context, stream::iter([event(0), event(1)])).last(ServerEvent::new("bye"))
    });
    let server = |address| Server::new(app(make), address);
    let story = async |site: Site| {
        let mut client = site.connect().await;
        client
            .send("GET /events HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            .await;
        client.end().await.unwrap()
    };
    let (ended, answer) = serve(at_once(), server, story);
    ended.result.unwrap();
    assert_eq!(body(&answer), format!("{}{}", event(0), event(1)));
}

/// Counts itself out as it is dropped.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn a_client_that_leaves_has_its_stream_dropped<A: App + 'static>(app: fn(Make) -> A) {
    let count = Arc::new(AtomicUsize::new(0));
    let streams = Arc::clone(&count);
    let make: Make = Arc::new(move |context| {
        streams.fetch_add(1, Ordering::Relaxed);
        let counted = Counted(Arc::clone(&streams));
        let never = stream::once_future(async move {
            let _counted = counted;
            std::future::pending().await
        });
        http::events(context, never)
    });
    let server = |address| Server::new(app(make), address);
    let story = async |site: Site| {
        let client = ask(&site).await;
        site.sleep(10).await;
        assert_eq!(count.load(Ordering::Relaxed), 1);
        drop(client);
        site.sleep(10).await;
        assert_eq!(count.load(Ordering::Relaxed), 0);
    };
    serve(at_once(), server, story).0.result.unwrap();
}

macro_rules! through_both_doors {
    ($($name:ident),+ $(,)?) => {
        mod axum {$(
            #[test]
            fn $name() {
                super::limited(|| super::$name(super::of_axum));
            }
        )+}

        #[cfg(feature = "tide")]
        mod tide {$(
            #[test]
            fn $name() {
                super::limited(|| super::$name(super::of_tide));
                super::no_thread_is_of_another_runtime();
            }
        )+}

        #[cfg(feature = "tide")]
        mod tide_service {$(
            #[test]
            fn $name() {
                super::limited(|| super::$name(super::of_tide_service));
                super::no_thread_is_of_another_runtime();
            }
        )+}
    };
}

through_both_doors!(
    a_stop_ends_it_behind_a_whole_event,
    an_idle_stream_is_kept_alive,
    a_random_stop_ends_it_behind_a_whole_event,
    one_without_keep_alive_waits,
    one_that_ends_has_no_last_event,
    a_client_that_leaves_has_its_stream_dropped,
);

/// No test of this binary spawns a task on async-std, so its threads would be those of an SSE handler.
#[cfg(feature = "tide")]
fn no_thread_is_of_another_runtime() {
    let threads = std::fs::read_dir("/proc/self/task");
    for thread in threads.into_iter().flatten().flatten() {
        let name = std::fs::read_to_string(thread.path().join("comm")).unwrap_or_default();
        assert!(!name.starts_with("async-std"), "{name}");
    }
}
