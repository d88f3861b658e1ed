//! Readiness is that of the whole program: of all services of the group, and of the groups around it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use neap::http::Server;
use neap::{Handle, Restart, Scope, restart};

use crate::door::app;
use crate::http_support::{Client, Running, eventually, run, run_in};
use crate::runtimes::{ALL, Gate, Runtime, limited};

/// Returns the answer of a health check: its status and its text.
fn ask(addr: SocketAddr, path: &str) -> (u16, String) {
    let answer = Client::connect(addr).unwrap().get(path).answer();
    (answer.status, answer.text().to_owned())
}

fn starting() -> (u16, String) {
    (503, "starting".into())
}

fn ready() -> (u16, String) {
    (200, "ready".into())
}

#[track_caller]
fn becomes_ready(running: &Running) {
    eventually("readiness", || ask(running.addr, "/ready") == ready());
}

/// Says when it is ready: once the gate is open.
async fn migrate(scope: Scope<'_>, gate: Gate) {
    scope.starting();
    gate.pass().await;
}

#[test]
fn a_server_alone_is_ready_from_its_first_request_on() {
    limited(|| {
        for _ in 0..20 {
            let running = run(Server::new(app(), "127.0.0.1:0"));
            assert_eq!(ask(running.addr, "/ready"), ready());
            drop(running.cancel());
        }
    });
}

#[test]
fn a_program_is_ready_once_all_of_its_services_have_started() {
    limited(|| {
        for runtime in ALL {
            let (first, second) = (Gate::new(), Gate::new());
            let mut group = runtime.group();
            for gate in [first.clone(), second.clone()] {
                group.add("migration", move |scope| migrate(scope, gate));
            }
            let running = run_in(runtime, group, Server::new(app(), "127.0.0.1:0"));
            for gate in [&first, &second] {
                assert_eq!(ask(running.addr, "/ready"), starting(), "{runtime:?}");
                assert_eq!(ask(running.addr, "/live"), (200, "live".into()));
                assert_eq!(ask(running.addr, "/ready/server"), ready());
                assert_eq!(ask(running.addr, "/hello").0, 200);
                gate.open();
            }
            becomes_ready(&running);
            running.stop().result.unwrap();
        }
    });
}

#[test]
fn a_service_that_is_added_later_takes_no_readiness_away() {
    limited(|| {
        let running = run(Server::new(app(), "127.0.0.1:0"));
        becomes_ready(&running);
        let gate = Gate::new();
        let late = gate.clone();
        let id = running
            .handle
            .add("late", move |scope| migrate(scope, late));
        assert!(id.is_ok());
        assert_eq!(ask(running.addr, "/ready"), ready());
        gate.open();
        running.stop().result.unwrap();
    });
}

#[test]
fn a_restart_takes_no_readiness_away_but_one_before_the_start_does() {
    limited(|| {
        let (runtime, runs) = (Runtime::InPlaceOnSmol, Arc::new(AtomicUsize::new(0)));
        let gates = [Gate::new(), Gate::new(), Gate::new()];
        let (counted, passed) = (Arc::clone(&runs), gates.clone());
        let policy = Restart::on_failure().backoff(Duration::ZERO, Duration::ZERO);
        // The first run fails before it is ready, the second after, and the third waits.
        let service = restart(policy, move |scope: Scope<'static>| {
            let run = counted.fetch_add(1, Ordering::Relaxed);
            let gate = passed[run.min(2)].clone();
            async move {
                scope.starting();
                if run == 1 {
                    scope.ready();
                }
                gate.pass().await;
                Err::<(), _>("as asked")
            }
        });
        let mut group = runtime.group();
        group.add("cache", service);
        let running = run_in(runtime, group, Server::new(app(), "127.0.0.1:0"));
        assert_eq!(ask(running.addr, "/ready"), starting());
        gates[0].open();
        becomes_ready(&running);
        gates[1].open();
        eventually("the third run", || runs.load(Ordering::Relaxed) == 3);
        assert_eq!(ask(running.addr, "/ready"), ready());
        drop(running.cancel());
    });
}

/// A group with a server that is restarted each time that the next gate opens.
struct Restarted {
    addr: SocketAddr,
    gates: std::vec::IntoIter<Gate>,
    runs: Arc<AtomicUsize>,
    handle: Handle<'static>,
    thread: thread::JoinHandle<()>,
}

impl Restarted {
    fn run(gates: Vec<Gate>) -> Restarted {
        let mut group = Runtime::InPlaceOnSmol.group();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let mut passed = gates.clone().into_iter();
        let runs = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&runs);
        let policy = Restart::on_failure().backoff(Duration::ZERO, Duration::ZERO);
        let service = restart(policy, move |scope: Scope<'static>| {
            let server = Server::new(app(), listener.try_clone().unwrap()).into_service();
            let fail = passed.next();
            counted.fetch_add(1, Ordering::Relaxed);
            async move {
                let serving = server(scope.clone());
                let failed = async {
                    match fail {
                        Some(gate) => gate.pass().await,
                        None => std::future::pending().await,
                    }
                    Err(std::io::Error::other("as asked"))
                };
                futures_lite::future::or(serving, failed).await
            }
        });
        group.add("http", service);
        Restarted {
            addr,
            gates: gates.into_iter(),
            runs,
            handle: group.handle(),
            thread: thread::spawn(move || {
                // It is cancelled.
                let _ = Runtime::InPlaceOnSmol.block_on(group.run());
            }),
        }
    }

    #[track_caller]
    fn becomes_ready(&self) {
        // A connection of the server before may end without an answer.
        eventually("readiness", || {
            let mut client = Client::connect(self.addr).unwrap();
            let _ = client.try_send("GET /ready HTTP/1.1\r\nhost: a\r\n\r\n");
            let answer = client.try_answer().ok().flatten();
            answer.is_some_and(|answer| answer.text() == "ready")
        });
    }

    /// Has the server fail, and waits until it runs again.
    #[track_caller]
    fn restart(&mut self) {
        let before = self.runs.load(Ordering::Relaxed);
        self.gates.next().unwrap().open();
        eventually("another run", || self.runs.load(Ordering::Relaxed) > before);
    }

    fn cancel(self) {
        self.handle.cancel();
        self.thread.join().unwrap();
    }
}

#[test]
fn a_server_that_is_restarted_is_ready_again() {
    limited(|| {
        let mut running = Restarted::run(vec![Gate::new(), Gate::new()]);
        for _ in 0..2 {
            running.becomes_ready();
            running.restart();
        }
        running.becomes_ready();
        running.cancel();
    });
}

#[test]
fn the_groups_around_it_count_too() {
    limited(|| {
        for runtime in ALL {
            let (gate, beside) = (Gate::new(), Gate::new());
            let server = Server::new(app(), "127.0.0.1:0").bind().unwrap();
            let addr = server.local_addrs()[0].tcp().unwrap();
            let (mut inner, mut outer) = (runtime.group(), runtime.group());
            inner.add("http", server.into_service());
            let slow = beside.clone();
            inner.add("cache", move |scope| migrate(scope, slow));
            outer.add("web", inner.into_service());
            let slow = gate.clone();
            outer.add("migration", move |scope| migrate(scope, slow));
            let handle = outer.handle();
            let thread = thread::spawn(move || runtime.block_on(outer.run()));
            for gate in [&beside, &gate] {
                assert_eq!(ask(addr, "/ready"), starting(), "{runtime:?}");
                gate.open();
            }
            eventually("readiness", || ask(addr, "/ready") == ready());
            handle.stop();
            thread.join().unwrap().unwrap();
        }
    });
}

#[test]
fn a_server_that_is_stopped_last_says_that_the_group_stops() {
    limited(|| {
        for is_nested in [false, true] {
            let runtime = Runtime::InPlaceOnSmol;
            let server = Server::new(app(), "127.0.0.1:0").bind().unwrap();
            let addr = server.local_addrs()[0].tcp().unwrap();
            let mut group = runtime.group();
            let admin = if is_nested {
                let mut inner = runtime.group();
                inner.add("http", server.into_service());
                group.add("admin", inner.into_service()).id()
            } else {
                group.add("admin", server.into_service()).id()
            };
            let gate = Gate::new();
            let held = gate.clone();
            let work = move |_| async move { held.pass().await };
            group.add("work", work).needs(admin);
            let handle = group.handle();
            let thread = thread::spawn(move || runtime.block_on(group.run()));
            eventually("readiness", || ask(addr, "/ready") == ready());
            handle.stop();
            assert_eq!(ask(addr, "/ready"), (503, "stopping".into()), "{is_nested}");
            // It goes on until the other has ended.
            assert_eq!(ask(addr, "/ready/server"), ready());
            gate.open();
            thread.join().unwrap().unwrap();
        }
    });
}

#[test]
fn a_stop_amid_the_start_is_a_stop() {
    limited(|| {
        let (runtime, gate) = (Runtime::InPlaceOnSmol, Gate::new());
        let slow = gate.clone();
        let mut group = runtime.group();
        group.add("migration", move |scope| migrate(scope, slow));
        let server = Server::new(app(), "127.0.0.1:0").lame_duck(Duration::from_secs(60));
        let running = run_in(runtime, group, server);
        assert_eq!(ask(running.addr, "/ready"), starting());
        running.handle.stop();
        for path in ["/ready", "/ready/server"] {
            assert_eq!(ask(running.addr, path), (503, "stopping".into()));
        }
        assert_eq!(ask(running.addr, "/live"), (200, "live".into()));
        gate.open();
        drop(running.cancel());
    });
}

#[test]
fn a_restart_of_the_server_does_not_wait_for_a_service_that_was_added_later() {
    limited(|| {
        let mut running = Restarted::run(vec![Gate::new()]);
        running.becomes_ready();
        let late = Gate::new();
        let held = late.clone();
        let added = running
            .handle
            .add("late", move |scope| migrate(scope, held));
        assert!(added.is_ok());
        assert_eq!(ask(running.addr, "/ready"), ready());
        running.restart();
        running.becomes_ready();
        late.open();
        running.cancel();
    });
}

#[test]
fn a_service_that_warms_up_beside_its_server_is_not_ready() {
    limited(|| {
        let server = Server::new(app(), "127.0.0.1:0").bind().unwrap();
        let addr = server.local_addrs()[0].tcp().unwrap();
        let gate = Gate::new();
        let held = gate.clone();
        let mut group = Runtime::InPlaceOnSmol.group();
        group.add("web", move |scope: Scope<'static>| async move {
            scope.starting();
            let warm = async {
                held.pass().await;
                scope.ready();
                std::future::pending().await
            };
            futures_lite::future::or(server.into_service()(scope.clone()), warm).await
        });
        let handle = group.handle();
        let thread = thread::spawn(move || Runtime::InPlaceOnSmol.block_on(group.run()));
        assert_eq!(ask(addr, "/ready"), starting());
        gate.open();
        eventually("readiness", || ask(addr, "/ready") == ready());
        handle.cancel();
        drop(thread.join().unwrap());
    });
}
