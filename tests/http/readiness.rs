//! Waiting for a socket: no wake-up is answered by asking for the next.
//!
//! `Async::poll_readable` counts an event only if it came in another turn of the reactor than the one in
//! which the waker was registered. Where another thread drives the reactor, it is in such a turn already:
//! whoever asks again before it tries a read is told to wait for an event that has come, and asks on.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use futures_lite::future::block_on;
use neap::Group;
use neap::http::Server;

use crate::door::app;
use crate::http_support::Client;
use crate::runtimes::limited;

#[test]
fn i15_a_request_takes_a_bounded_number_of_turns() {
    limited(|| {
        let server = Server::new(app(), "127.0.0.1:0").bind().unwrap();
        let addr = server.local_addrs()[0].tcp().unwrap();
        let (turns, counted) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let shared = Arc::clone(&turns);
        let mut group = Group::new();
        group.add("http", server.into_service());
        let handle = group.handle();
        // This `block_on` polls no reactor: the thread of async-io does.
        let serving = thread::spawn(move || {
            let mut run = pin!(group.run());
            block_on(poll_fn(|cx| {
                shared.fetch_add(1, Ordering::Relaxed);
                run.as_mut().poll(cx)
            }))
        });

        const REQUESTS: u64 = 200;
        let clients = thread::scope(|scope| {
            let clients: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let mut client = Client::connect(addr).unwrap();
                        for _ in 0..REQUESTS / 4 {
                            assert_eq!(client.get("/hello").answer().body.len(), 12);
                            // The server waits for the next request in the reactor.
                            thread::sleep(Duration::from_micros(300));
                            counted.fetch_add(1, Ordering::Relaxed);
                        }
                    })
                })
                .collect();
            clients
                .into_iter()
                .map(|client| client.join().unwrap())
                .count()
        });
        assert_eq!((clients, counted.load(Ordering::Relaxed)), (4, REQUESTS));
        handle.stop();
        serving.join().unwrap().unwrap();
        let turns = turns.load(Ordering::Relaxed);
        assert!(
            turns < 10 * REQUESTS,
            "{turns} turns for {REQUESTS} requests"
        );
    });
}
