//! What a server logs: each record has the target `neap` and the key `event`.

use std::future::pending;
use std::sync::mpsc::channel;
use std::sync::{Mutex, Once};
use std::time::Duration;

use futures_lite::future;
use http_types::{Error, Request, Response};
use log::{LevelFilter, Log, Metadata, Record};
use neap::Group;
use neap::http::{Server, from_tide_fn, service, tide_service};
use neap::test::Clock;

use crate::http_support::{PATIENCE, run};

/// Keeps the records of the whole process, so also those of the tests beside this one.
struct Keeper(Mutex<Vec<Kept>>);

#[derive(Debug)]
struct Kept {
    target: String,
    event: Option<String>,
    service: Option<String>,
    peer: Option<String>,
    text: String,
}

static KEEPER: Keeper = Keeper(Mutex::new(Vec::new()));

impl Log for Keeper {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let key = |key: &str| {
            let value = record.key_values().get(key.into());
            value.map(|value| value.to_string())
        };
        let kept = Kept {
            target: record.target().to_owned(),
            event: key("event"),
            service: key("service"),
            peer: key("peer"),
            text: record.args().to_string(),
        };
        self.0.lock().unwrap().push(kept);
    }

    fn flush(&self) {}
}

/// Panics when it is dropped.
struct Explosive;

impl Drop for Explosive {
    fn drop(&mut self) {
        panic!("as it is dropped");
    }
}

fn keep() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&KEEPER).unwrap();
        log::set_max_level(LevelFilter::Debug);
    });
}

#[test]
fn g19_a_drain_has_one_record_a_second_with_the_connections_in_it() {
    keep();
    let app = from_tide_fn(|_| async { Ok(Response::new(200)) });
    let server = Server::new(app, "127.0.0.1:0").drain_head_timeout(Duration::from_millis(1500));
    let running = run(server);
    let mut half = running.connect();
    half.send("GET /half HT");
    // Answered after the other has been accepted, and most likely read.
    running.connect().get("/").answer();
    running.stop();

    let kept = KEEPER.0.lock().unwrap();
    let is_it = |record: &&Kept| record.text.contains("1 connection: 1 in a head, added at ");
    let records: Vec<_> = kept.iter().filter(is_it).collect();
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!(records[0].event.as_deref(), Some("still draining"));
}

#[test]
fn each_record_has_the_target_and_an_event() {
    keep();
    // Not by tide, which makes a response of an error.
    let app = from_tide_fn(|request: Request| async move {
        match request.url().path() {
            "/panic" => panic!("as asked"),
            "/error" => Err(Error::from_str(500, "as asked")),
            "/early" => Ok(Response::new(100)),
            _ => {
                let mut response = Response::new(200);
                response.insert_header("x-broken", "a\r\nb");
                Ok(response)
            }
        }
    });
    let running = run(Server::new(app, "127.0.0.1:0").lame_duck(Duration::from_millis(10)));
    for (path, status) in [
        ("/panic", 500),
        ("/error", 500),
        ("/early", 500),
        ("/field", 200),
    ] {
        assert_eq!(running.connect().get(path).answer().status, status);
    }
    running.stop();

    let kept = KEEPER.0.lock().unwrap();
    for record in kept.iter() {
        assert!(!record.target.starts_with("neap::http"), "{record:?}");
        assert!(
            record.target != "neap" || record.event.is_some(),
            "{record:?}"
        );
    }
    for event in [
        "handler panicked",
        "request failed",
        "response not final",
        "lame duck",
        "connections drained",
    ] {
        let is_it = |record: &Kept| {
            let is_event = record.event.as_deref() == Some(event);
            is_event && record.service.as_deref() == Some("http")
        };
        assert!(kept.iter().any(is_it), "{event}");
    }
    let left_out = |record: &Kept| record.event.as_deref() == Some("field left out");
    assert!(kept.iter().any(left_out));
}

#[test]
fn a_panic_of_a_handler_that_is_cut_has_a_record_with_service_and_peer() {
    keep();
    let (started, start) = channel();
    let app = from_tide_fn(move |_| {
        let started = started.clone();
        async move {
            let _explosive = Explosive;
            started.send(()).unwrap();
            pending().await
        }
    });
    let running = run(Server::new(app, "127.0.0.1:0"));
    let mut client = running.connect();
    client.get("/");
    start.recv_timeout(PATIENCE).unwrap();
    drop(running.cancel());

    let kept = KEEPER.0.lock().unwrap();
    let is_it = |record: &&Kept| record.text.ends_with("as it is dropped");
    let records: Vec<_> = kept.iter().filter(is_it).collect();
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!(records[0].event.as_deref(), Some("handler panicked"));
    assert_eq!(records[0].service.as_deref(), Some("http"));
    let peer = client.stream.local_addr().unwrap().to_string();
    assert_eq!(records[0].peer.as_deref(), Some(&*peer));
}

#[test]
fn a_server_that_is_full_says_so_once_in_a_while() {
    keep();
    let (started, start) = channel();
    let app = from_tide_fn(move |_| {
        let started = started.clone();
        async move {
            started.send(()).unwrap();
            pending().await
        }
    });
    let server = Server::new(app, "127.0.0.1:0");
    let running = run(server.max_in_flight(1).max_connections(2));
    let (mut first, mut second) = (running.connect(), running.connect());
    first.get("/");
    start.recv_timeout(PATIENCE).unwrap();
    for _ in 0..3 {
        assert_eq!(second.get("/").answer().status, 503);
    }
    let record = |event: &str| {
        let kept = KEEPER.0.lock().unwrap();
        let records = kept
            .iter()
            .filter(|record| record.event.as_deref() == Some(event));
        let texts: Vec<_> = records.map(|record| record.text.clone()).collect();
        assert!(texts.len() < 2, "{texts:?}");
        texts.into_iter().next()
    };
    let text = record("requests turned away").unwrap();
    assert!(text.contains("`http` has 1 in flight"), "{text}");
    crate::http_support::eventually("the record", || record("connections full").is_some());
    let text = record("connections full").unwrap();
    assert!(text.contains("`http` has 2 connections"), "{text}");
    drop(running.cancel());
    // Nothing is left untold at the end.
    let told = records("requests turned away", "http");
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].contains(": 2 turned away"), "{told:?}");
}

/// Returns the records of this event and service.
fn records(event: &str, service: &str) -> Vec<String> {
    let kept = KEEPER.0.lock().unwrap();
    let is_it = |kept: &&Kept| {
        kept.event.as_deref() == Some(event) && kept.service.as_deref() == Some(service)
    };
    kept.iter()
        .filter(is_it)
        .map(|kept| kept.text.clone())
        .collect()
}

#[test]
fn a_lame_duck_or_a_spread_that_leaves_no_time_to_drain_is_told_once() {
    keep();
    let seconds = Duration::from_secs;
    let long = Duration::MAX;
    // The name, the lame duck, the spread, the drain timeouts of the server and of the group, and the time that
    // there is, if that is too short.
    for (name, lame_duck, spread, own, group, told) in [
        ("lame", 10, 0, None, seconds(10), Some("10s")),
        ("longer", 60, 0, None, seconds(10), Some("10s")),
        ("spread", 0, 10, None, seconds(10), Some("10s")),
        ("both", 4, 6, None, seconds(10), Some("10s")),
        ("own", 4, 6, Some(seconds(6)), long, Some("10s")),
        ("fits", 9, 0, None, seconds(10), None),
        ("neither", 0, 0, None, Duration::ZERO, None),
        ("for ever", 9, 9, None, long, None),
    ] {
        let app = from_tide_fn(async |_| Ok(Response::new(200)));
        let mut server = Server::new(app, "127.0.0.1:0")
            .lame_duck(seconds(lame_duck))
            .spread(seconds(spread));
        if let Some(own) = own {
            server = server.drain_timeout(own);
        }
        let clock = Clock::new();
        let mut group = Group::new().clock(&clock).drain_timeout(group);
        group.add(name, server.into_service());
        let handle = group.handle();
        let stop = async {
            handle.started().await.unwrap();
            handle.stop();
        };
        let _ = clock.block_on(future::zip(group.run(), stop));
        let records = records("drain too short", name);
        assert_eq!(
            records.len(),
            usize::from(told.is_some()),
            "{name}: {records:?}"
        );
        let is_right =
            |told| records[0].starts_with(&format!("`{name}` has {told} from the stop on: "));
        assert!(told.is_none_or(is_right), "{records:?}");
    }
}

#[test]
fn the_records_of_a_tide_app_in_a_router_have_the_same_keys() {
    keep();
    let app = from_tide_fn(async |_| Err::<Response, _>(Error::from_str(502, "in a router")));
    let router = axum::Router::new().fallback_service(tide_service(app));
    let running = run(Server::new(service(router), "127.0.0.1:0"));
    let mut client = running.connect();
    assert_eq!(client.get("/").answer().status, 502);
    let kept = KEEPER.0.lock().unwrap();
    let records = kept
        .iter()
        .filter(|kept| kept.text.ends_with("in a router"));
    let records: Vec<_> = records.collect();
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!(records[0].event.as_deref(), Some("request failed"));
    assert_eq!(records[0].service.as_deref(), Some("http"));
    let peer = client.stream.local_addr().unwrap().to_string();
    assert_eq!(records[0].peer.as_deref(), Some(&*peer));
}
