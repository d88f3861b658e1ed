//! What a stop does to connections: at least one test for each guarantee of `neap::http`, with its
//! number in the name, on every runtime.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use crate::door::app;
use crate::http_support::in_memory::{Site, at_once, serve_in};
use crate::http_support::{Client, HandlerGate, PATIENCE, Running, eventually, run_in, run_on};
use crate::runtimes::{beside_all, limited};
use neap::Group;
use neap::http::{App, Server};

/// How much longer than guaranteed the code may take, since it is not optimised.
const SLACK: Duration = Duration::from_millis(100);

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn server() -> Server<impl App> {
    Server::new(app(), "127.0.0.1:0")
}

/// Checks a time limit that a busy machine may break: one of eight tries must keep it.
#[track_caller]
fn within(limit: Duration, story: impl Fn() -> Duration) {
    let mut tried = Vec::new();
    while tried.last().is_none_or(|took| *took > limit) {
        assert!(tried.len() < 8, "longer than {limit:?}: {tried:?}");
        tried.push(story());
    }
}

/// Returns a client that has had one answer, and waits.
fn idle(running: &Running) -> Client {
    let mut client = running.connect();
    assert_eq!(client.get("/hello").answer().text(), "Hello World!");
    client
}

#[test]
fn i02_bytes_in_a_socket_at_the_stop_are_answered() {
    beside_all(|runtime| {
        let running = run_on(runtime, server());
        let mut idle: Vec<_> = (0..50).map(|_| idle(&running)).collect();
        let (mut blocker, gate) = (running.connect(), HandlerGate::new());
        blocker.get(&gate.blocking_path());
        gate.wait();
        // A server on one thread is blocked: no task runs, and nothing is accepted.
        let mut fresh: Vec<_> = (0..50).map(|_| running.connect()).collect();
        for client in idle.iter_mut().chain(&mut fresh) {
            client.begin("/hello");
        }
        running.handle.stop();
        gate.open();
        assert_eq!(blocker.answer().text(), "through the gate");
        for client in idle.iter_mut().chain(&mut fresh) {
            assert_eq!(client.answer().text(), "Hello World!");
        }
        drop((idle, fresh, blocker));
        let ended = running.wait();
        assert!(ended.report.is_clean(), "{ended:?}");
    });
}

#[test]
fn i03_after_the_listener_closes_connect_is_refused() {
    beside_all(|runtime| {
        let running = run_on(runtime, server());
        let (mut client, gate) = (running.connect(), HandlerGate::new());
        client.get(&gate.path());
        gate.wait();
        assert!(!running.refuses());
        running.handle.stop();
        eventually("the closed port", || running.refuses());
        gate.open();
        assert_eq!(client.answer().text(), "through the gate");
        drop(client);
        running.wait();
    });
}

#[test]
fn i04_every_head_after_the_stop_says_close() {
    beside_all(|runtime| {
        // Longer than the connect of a client that comes between the filter and the close.
        let running = run_on(runtime, server().idle_grace(PATIENCE));
        let mut busy = running.connect();
        busy.get("/until-stop");
        let mut old = running.connect();
        old.send("GET /until-stop HTTP/1.0\r\nconnection: keep-alive\r\n\r\n");
        let mut half = running.connect();
        half.send("GET /hello HTTP/1.1\r\nho");
        let mut idle: Vec<_> = (0..10).map(|_| idle(&running)).collect();
        running.handle.stop();
        eventually("the closed port", || running.refuses());
        half.send("st: a\r\n\r\n");
        let late = idle.iter_mut().map(|client| client.get("/hello"));
        for client in late.chain([&mut busy, &mut old, &mut half]) {
            let answer = client.answer();
            assert!(
                answer.closes() && !answer.head.contains("keep-alive"),
                "{answer:?}"
            );
            assert!(client.is_closed());
        }
        drop((idle, busy, old, half));
        running.wait();
    });
}

#[test]
fn i05_without_a_connection_the_drain_ends_at_once() {
    beside_all(|runtime| {
        within(SLACK, || run_on(runtime, server()).stop().took);
    });
}

#[test]
fn i05_with_long_idle_connections_the_drain_ends_once_they_close() {
    beside_all(|runtime| {
        within(millis(50) + SLACK, || {
            let running = run_on(runtime, server().idle_grace(millis(50)));
            let clients: Vec<_> = (0..20).map(|_| idle(&running)).collect();
            // Longer than the grace.
            thread::sleep(millis(60));
            running.handle.stop();
            for mut client in clients {
                assert!(client.is_closed());
            }
            let ended = running.wait();
            assert_eq!(ended.report.idle_closed, 20);
            ended.report.took
        });
    });
}

#[test]
fn i05_without_a_handler_the_drain_is_as_short_as_the_grace() {
    beside_all(|runtime| {
        // Without a byte, kept alive, and with half a head: the longest of the three times and a linger.
        within(millis(200 + 50) + SLACK, || {
            let running = run_on(
                runtime,
                server()
                    .new_conn_grace(millis(100))
                    .idle_grace(millis(150))
                    .drain_head_timeout(millis(200))
                    .linger(millis(50)),
            );
            let (fresh, idle) = (running.connect(), idle(&running));
            let mut half = running.connect();
            half.send("GET / HTTP/1.1\r\n");
            let ended = running.stop();
            assert!(ended.report.took >= millis(200), "{ended:?}");
            assert_eq!(half.answer().status, 408);
            drop((fresh, idle));
            ended.took
        });
    });
}

#[test]
fn i06_stopped_by_the_deadline_whatever_the_peers_do() {
    beside_all(|runtime| {
        within(millis(300 + 500 + 100) + SLACK, || {
            let group = runtime.group().drain_timeout(millis(300));
            let group = group.cancel_timeout(millis(500));
            let running = run_in(runtime, group, server().drain_head_timeout(PATIENCE));
            let mut stalled = running.connect();
            stalled.stall();
            let mut half = running.connect();
            // Once the answer is there, the beginning behind its request has been read, too.
            half.get("/hello").send("GET / HTTP/1.1\r\n");
            assert_eq!(half.answer().status, 200);
            let mut deaf = running.connect();
            assert!(deaf.get("/bytes/50000000").head().unwrap().is_some());
            let mut events = running.connect();
            assert!(events.get("/events").head().unwrap().is_some());
            let ended = running.stop();
            let cut = ended.report.cut;
            let cut = (cut.active, cut.head, cut.responding);
            assert_eq!(cut, (1, 1, 2), "{ended:?}");
            for client in [&mut stalled, &mut half] {
                let answer = client.answer();
                assert_eq!((answer.status, answer.closes()), (503, true));
                assert_eq!(answer.body, b"");
            }
            // Not to the end: the client can tell a cut from an end.
            let cut = deaf.take(50_000_000).unwrap_err();
            assert!(matches!(
                cut.kind(),
                ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset
            ));
            ended.took
        });
    });
}

#[test]
fn i07_a_large_response_arrives_whole_with_garbage_behind_its_request() {
    beside_all(|runtime| {
        let running = run_on(runtime, server());
        let mut client = running.connect();
        client.send("GET /bytes/8000000 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        client.send("garbage ".repeat(4000));
        let head = client.head().unwrap().unwrap();
        assert!(head.contains("content-length: 8000000\r\n"), "{head}");
        client.send("garbage ".repeat(4000));
        assert_eq!(client.take(8_000_000).unwrap().len(), 8_000_000);
        assert!(client.is_closed());

        // The same if the stop is why the connection closes.
        let (mut client, gate) = (running.connect(), HandlerGate::new());
        client.get(&gate.path()).send("garbage ".repeat(100));
        gate.wait();
        running.handle.stop();
        eventually("the closed port", || running.refuses());
        gate.open();
        assert_eq!(client.answer().text(), "through the gate");
        assert!(client.is_closed());
        drop(client);
        running.wait();
    });
}

#[test]
fn i08_a_second_stop_cancels() {
    beside_all(|runtime| {
        within(millis(500 + 100) + SLACK, || {
            let running = run_on(runtime, server());
            let (mut client, gate) = (running.connect(), HandlerGate::new());
            client.get(&gate.path());
            gate.wait();
            let mut upload = running.connect();
            upload.stall();
            running.handle.stop();
            eventually("the closed port", || running.refuses());
            running.handle.cancel();
            let ended = running.wait();
            assert_eq!(ended.report.cut.active, 2, "{ended:?}");
            assert_eq!(client.answer().status, 503);
            assert_eq!(upload.answer().status, 503);
            ended.took
        });
    });
}

#[test]
fn i09_a_lame_duck_serves_and_says_close() {
    beside_all(|runtime| {
        // Longer than the test.
        let running = run_on(runtime, server().lame_duck(10 * PATIENCE));
        let mut early = idle(&running);
        assert_eq!(running.connect().get("/ready").answer().status, 200);
        running.handle.stop();
        // Readiness is that of the group, which is stopped a moment before the server is told.
        eventually("a readiness of 503", || {
            running.connect().get("/ready/server").answer().status == 503
        });
        assert_eq!(running.connect().get("/ready").answer().status, 503);
        let answer = running.connect().get("/hello").answer();
        assert_eq!((answer.status, answer.closes()), (200, true));
        let answer = early.get("/hello").answer();
        assert_eq!((answer.status, answer.closes()), (200, true));
        // A second stop does not wait for its end.
        assert!(running.cancel().unwrap_err().is_timeout());
    });
}

#[test]
fn i09_handlers_are_told_when_the_lame_duck_begins_to_drain() {
    beside_all(|runtime| {
        let running = run_on(runtime, server().lame_duck(millis(200)));
        let mut told = running.connect();
        told.get("/until-stop");
        let stopped = Instant::now();
        running.handle.stop();
        assert_eq!(told.answer().text(), "true");
        assert!(stopped.elapsed() >= millis(200));
        drop(told);
        running.wait();
    });
}

#[test]
fn i10_an_upgrade_in_the_drain_is_counted_and_cut() {
    beside_all(|runtime| {
        let group = runtime.group().drain_timeout(millis(1000));
        let running = run_in(runtime, group, server());
        let mut early = running.connect();
        let ask = |path| {
            format!(
                "GET {path} HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n"
            )
        };
        let answer = early.send(ask("/upgrade")).send("ping").answer();
        assert_eq!((answer.status, answer.closes()), (101, false));
        assert_eq!(early.take(4).unwrap(), b"ping");
        let mut late = running.connect();
        late.send(ask("/late"));
        let ended = running.stop();
        assert!(ended.took >= millis(1000), "{ended:?}");
        assert_eq!(ended.report.cut.upgraded, 2, "{ended:?}");
        assert_eq!(late.answer().status, 101);
        assert!(late.is_closed());
        assert!(early.is_closed());
    });
}

#[test]
fn i11_a_stop_before_it_serves_is_safe() {
    beside_all(|runtime| {
        let server = server().bind().unwrap();
        let addr = server.local_addrs()[0].tcp().unwrap();
        let mut group = runtime.group();
        group.add("http", server.into_service());
        group.handle().stop();
        runtime.block_on(group.run()).unwrap();
        assert!(Client::connect(addr).is_err());
    });
}

#[test]
fn i11_nothing_is_left_and_stops_are_safe_at_any_time() {
    beside_all(|runtime| {
        let running = run_on(runtime, server());
        let clients: Vec<_> = (0..20).map(|_| idle(&running)).collect();
        // A hundred at once.
        thread::scope(|scope| {
            for _ in 0..100 {
                scope.spawn(|| running.handle.stop());
            }
        });
        let addr = running.addr;
        drop(clients);
        let ended = running.wait();
        assert_eq!(ended.report.cut.total(), 0, "{ended:?}");
        #[cfg(target_os = "linux")]
        assert_eq!(descriptors(addr), 0, "{ended:?}");
        let _ = addr;
    });
}

/// Returns how many descriptors of this process belong to a server that listened at `addr`.
#[cfg(target_os = "linux")]
fn descriptors(addr: SocketAddr) -> usize {
    let local = format!(":{:04X}", addr.port());
    let table = std::fs::read_to_string("/proc/self/net/tcp").unwrap();
    let inodes: Vec<_> = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|fields| fields[1].ends_with(&local))
        .map(|fields| format!("socket:[{}]", fields[9]))
        .collect();
    let open = std::fs::read_dir("/proc/self/fd").unwrap();
    let links = open.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    links
        .filter(|link| {
            inodes
                .iter()
                .any(|inode| link.as_os_str() == inode.as_str())
        })
        .count()
}

#[test]
fn i13_a_handler_that_panics_costs_its_connection_only() {
    beside_all(|runtime| {
        let running = run_on(runtime, server());
        let mut other = idle(&running);
        let mut client = running.connect();
        let answer = client.get("/panic").answer();
        assert_eq!((answer.status, answer.closes()), (500, true));
        assert!(client.is_closed());
        assert_eq!(other.get("/hello").answer().status, 200);
        drop((client, other));
        assert!(running.stop().result.is_ok());
    });
}

#[test]
fn i13_or_the_group_if_it_is_so_set() {
    beside_all(|runtime| {
        let running = run_on(runtime, server().panics_fail(true));
        // The client has its answer in this case, too.
        let answer = running.connect().get("/panic").answer();
        assert_eq!((answer.status, answer.closes()), (500, true));
        let error = running.wait().result.unwrap_err().to_string();
        assert!(
            error.contains("`http`") && error.contains("as asked"),
            "{error}"
        );
    });
}

#[test]
fn what_is_cut_before_the_server_has_a_turn_to_drain_is_reported_too() {
    limited(|| {
        for is_deadline in [false, true] {
            let (gate, (report, reports)) = (HandlerGate::new(), channel());
            let server = |address| {
                let server = Server::new(app(), address);
                server.on_drained(move |drained| report.send(drained).unwrap())
            };
            let story = async |site: Site| {
                let mut client = site.connect().await;
                let request = format!("GET {} HTTP/1.1\r\nhost: a\r\n\r\n", gate.path());
                client.send(request).await;
                site.sleep(1).await;
                match is_deadline {
                    true => drop(site.handle.stop()),
                    false => site.handle.cancel(),
                };
                client.end().await.unwrap();
            };
            let group = Group::new().drain_timeout(Duration::ZERO);
            let _ = serve_in(group, at_once(), server, story);
            let report = reports.try_recv().unwrap();
            assert_eq!((report.found.active, report.cut.active), (1, 1), "{report}");
            assert!(!report.is_clean());
            assert!(reports.try_recv().is_err());
        }
    });
}
