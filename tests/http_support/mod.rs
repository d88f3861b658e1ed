//! A server in a thread of its own, and clients on plain sockets.

#![allow(dead_code, unreachable_pub, unused_imports)]

pub mod axum_app;
pub mod axum_door;
mod client;
mod client_counts;
mod handler_gate;
pub mod in_memory;
#[cfg(feature = "tls")]
#[path = "../tls/pems.rs"]
pub mod pems;
#[cfg(feature = "proxy-protocol")]
mod proxied;
#[cfg(feature = "tide")]
pub mod tide_app;
#[cfg(feature = "tls")]
mod tls;

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use futures_lite::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use neap::http::{App, Report, Server};
use neap::{Error, Group, Handle, Outcome};

use crate::runtimes::Runtime;

pub use client::{Answer, Client};
pub use client_counts::ClientCounts;
pub use handler_gate::HandlerGate;
#[cfg(feature = "tide")]
pub use tide_app::app;

/// How long anything may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A running server.
pub struct Running {
    pub addr: SocketAddr,
    pub handle: Handle<'static>,
    thread: Option<JoinHandle<Result<Outcome, Error>>>,
    reports: Receiver<Report>,
}

/// How a server ended.
#[derive(Debug)]
pub struct Ended {
    pub result: Result<Outcome, Error>,
    /// The time since the call of `stop` or `wait`.
    pub took: Duration,
    pub report: Report,
}

/// Runs a server in place, in a group with a drain timeout of ten seconds.
pub fn run<A: App + 'static>(server: Server<A>) -> Running {
    run_on(Runtime::InPlaceOnSmol, server)
}

/// Runs a server on this runtime, in a group with a drain timeout of ten seconds.
pub fn run_on<A: App + 'static>(runtime: Runtime, server: Server<A>) -> Running {
    run_in(runtime, runtime.group(), server)
}

/// Runs a server in a group that is on this runtime.
pub fn run_in<A: App + 'static>(
    runtime: Runtime,
    group: Group<'static>,
    server: Server<A>,
) -> Running {
    let (report, reports) = channel();
    let server = server.on_drained(move |drained| drop(report.send(drained)));
    #[cfg(feature = "tls")]
    let server = tls::secure(server);
    #[cfg(feature = "proxy-protocol")]
    let server = proxied::require(server);
    let server = server.bind().unwrap();
    let addr = server.local_addrs()[0].tcp().unwrap();
    let mut group = group;
    let (started, start) = channel();
    let service = server.into_service();
    group.add("http", move |scope| {
        started.send(()).unwrap();
        service(scope)
    });
    let handle = group.handle();
    let thread = thread::spawn(move || runtime.block_on(group.run()));
    // After a stop that comes before the start there would be nothing to test.
    start.recv_timeout(PATIENCE).unwrap();
    Running {
        addr,
        handle,
        thread: Some(thread),
        reports,
    }
}

impl Running {
    /// Returns a new connection.
    pub fn connect(&self) -> Client {
        Client::connect(self.addr).unwrap()
    }

    /// Waits for the server's end.
    pub fn wait(self) -> Ended {
        self.wait_since(Instant::now())
    }

    fn wait_since(mut self, start: Instant) -> Ended {
        let thread = self.thread.take().unwrap();
        eventually("the server's end", || thread.is_finished());
        Ended {
            result: thread.join().unwrap(),
            took: start.elapsed(),
            report: self.reports.recv_timeout(PATIENCE).unwrap(),
        }
    }

    /// Stops the server and waits for its end.
    pub fn stop(self) -> Ended {
        let start = Instant::now();
        self.handle.stop();
        self.wait_since(start)
    }

    /// Cancels the server and waits for its end. There is no report if it has not begun to drain.
    pub fn cancel(mut self) -> Result<Outcome, Error> {
        self.handle.cancel();
        let thread = self.thread.take().unwrap();
        eventually("the server's end", || thread.is_finished());
        thread.join().unwrap()
    }

    /// Returns true if the port refuses connections.
    pub fn refuses(&self) -> bool {
        TcpStream::connect(self.addr)
            .is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.handle.cancel();
    }
}

/// Waits until `done` returns true. It is called often.
#[track_caller]
pub fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < PATIENCE, "{what} does not come");
        thread::sleep(Duration::from_micros(200));
    }
}

/// Sends each byte back.
async fn echo(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut buffer = [0; 64];
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        if stream.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
