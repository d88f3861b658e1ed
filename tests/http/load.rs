//! Stops under load: no connection is reset and no request is lost, on every runtime.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use neap::http::{App, Server};

use crate::door::app;
use crate::http_support::{Client, ClientCounts, PATIENCE, eventually, run_on};
use crate::runtimes::{Runtime, beside_all};

fn server() -> Server<impl App> {
    Server::new(app(), "127.0.0.1:0")
}

#[test]
fn i01_no_connection_the_kernel_accepted_is_reset() {
    beside_all(|runtime| {
        // Longer than the connect of a client that comes between the filter and the close.
        let running = run_on(runtime, server().new_conn_grace(PATIENCE));
        let (addr, counts) = (running.addr, ClientCounts::default());
        let ended = thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| storm(addr, &counts));
            }
            eventually("the storm", || {
                counts.answered.load(Ordering::Relaxed) > 1000
            });
            running.stop()
        });
        counts.check();
        assert!(ended.result.is_ok(), "{ended:?}");
    });
}

/// Connects many times before the first request, so that the kernel's queue is never empty.
fn storm(addr: SocketAddr, counts: &ClientCounts) {
    loop {
        let connected: Vec<_> = (0..32).map_while(|_| Client::connect(addr).ok()).collect();
        let refused = connected.len() < 32;
        for mut client in connected {
            counts.request(&mut client);
        }
        if refused {
            return;
        }
    }
}

/// Stops a server under the load of 64 clients, `NEAP_STOPS` times (3 by default).
fn stops(runtime: Runtime, client: impl Fn(SocketAddr, &ClientCounts) + Sync) {
    let stops = std::env::var("NEAP_STOPS").map_or(3, |stops| stops.parse().unwrap());
    for stop in 0..stops {
        let running = run_on(runtime, server());
        let (addr, counts) = (running.addr, ClientCounts::default());
        let ended = thread::scope(|scope| {
            for _ in 0..64 {
                scope.spawn(|| client(addr, &counts));
            }
            eventually("the load", || {
                counts.answered.load(Ordering::Relaxed) > 200 + 7 * stop
            });
            running.stop()
        });
        counts.check();
        assert!(ended.report.is_clean(), "{ended:?}");
    }
}

#[test]
fn i12_clients_that_send_back_to_back_lose_nothing() {
    beside_all(|runtime| {
        stops(runtime, |addr, counts| {
            // A client that comes late is refused, which is as good as an answer.
            let Ok(mut client) = Client::connect(addr) else {
                return;
            };
            while counts.request(&mut client) {}
        });
    });
}

#[test]
fn i12_clients_that_pause_lose_nothing() {
    beside_all(|runtime| {
        stops(runtime, |addr, counts| {
            let Ok(mut client) = Client::connect(addr) else {
                return;
            };
            let mut pause = addr.port() as u64;
            while counts.request(&mut client) {
                pause = (pause * 31 + 7) % 4001;
                thread::sleep(Duration::from_micros(pause));
            }
        });
    });
}

#[test]
fn i12_clients_with_a_connection_per_request_lose_nothing() {
    beside_all(|runtime| {
        stops(runtime, |addr, counts| {
            while let Ok(mut client) = Client::connect(addr) {
                counts.request(&mut client);
            }
            counts.refused.fetch_add(1, Ordering::Relaxed);
        });
    });
}
