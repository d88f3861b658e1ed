//! What a stop does to connections: one test for each invariant of `neap::http`, named after it.

#![cfg(feature = "tide")]

mod http_support;

use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use http_support::{Answer, Client, PATIENCE, Running, app, eventually, run, run_in};
use neap::Group;
use neap::http::Server;

/// What a busy machine may take beyond what the invariants allow.
const SLACK: Duration = Duration::from_millis(600);

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn server() -> Server<tide::Server<()>> {
    Server::new(app(), "127.0.0.1:0")
}

/// A client that has had one answer, and waits.
fn idle(running: &Running) -> Client {
    let mut client = running.connect();
    assert_eq!(client.get("/hello").answer().text(), "Hello World!");
    client
}

/// How the clients of one stop fared.
#[derive(Debug, Default)]
struct Fared {
    answered: AtomicUsize,
    refused: AtomicUsize,
    lost: AtomicUsize,
}

impl Fared {
    /// Sends one whole request and notes what comes; true if the connection goes on.
    fn request(&self, client: &mut Client) -> bool {
        if client
            .stream
            .write_all(b"GET /hello HTTP/1.1\r\nhost: a\r\n\r\n")
            .is_err()
        {
            self.lost.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        match client.try_answer() {
            Ok(Some(answer)) => {
                assert_eq!(answer.text(), "Hello World!");
                self.answered.fetch_add(1, Ordering::Relaxed);
                !answer.closes()
            }
            Ok(None) | Err(_) => {
                self.lost.fetch_add(1, Ordering::Relaxed);
                false
            }
        }
    }

    #[track_caller]
    fn check(&self) {
        assert_eq!(self.lost.load(Ordering::Relaxed), 0, "{self:?}");
        assert!(self.answered.load(Ordering::Relaxed) > 0, "{self:?}");
    }
}

#[test]
fn i01_no_connection_the_kernel_accepted_is_reset() {
    // Longer than a connect may take that falls between the filter and the close.
    let running = run(server().new_conn_grace(PATIENCE));
    let (addr, fared) = (running.addr, Fared::default());
    let ended = thread::scope(|scope| {
        for _ in 0..8 {
            // Many connects ahead of the first request, so that the kernel's queue is never empty.
            scope.spawn(|| {
                loop {
                    let connected: Vec<_> =
                        (0..32).map_while(|_| Client::connect(addr).ok()).collect();
                    let refused = connected.len() < 32;
                    for mut client in connected {
                        fared.request(&mut client);
                    }
                    if refused {
                        return;
                    }
                }
            });
        }
        eventually("the storm", || {
            fared.answered.load(Ordering::Relaxed) > 2000
        });
        running.stop()
    });
    fared.check();
    assert!(ended.result.is_ok(), "{ended:?}");
}

#[test]
fn i02_bytes_in_a_socket_at_the_stop_are_answered() {
    let running = run(server());
    let mut idle: Vec<_> = (0..50).map(|_| idle(&running)).collect();
    let mut blocker = running.connect();
    blocker.get("/block/300");
    thread::sleep(millis(50));
    // The server's only thread is held up: no task runs, and nothing is accepted.
    let mut fresh: Vec<_> = (0..50).map(|_| running.connect()).collect();
    for client in idle.iter_mut().chain(&mut fresh) {
        client.get("/hello");
    }
    running.handle.stop();
    assert_eq!(blocker.answer().text(), "block done");
    for client in idle.iter_mut().chain(&mut fresh) {
        assert_eq!(client.answer().text(), "Hello World!");
    }
    let ended = running.wait();
    assert!(ended.report.is_clean(), "{ended:?}");
}

#[test]
fn i03_after_the_listener_closes_connect_is_refused() {
    let running = run(server());
    let mut client = running.connect();
    client.get("/slow/1500");
    assert!(!running.refuses());
    running.handle.stop();
    eventually("the closed door", || running.refuses());
    assert_eq!(client.answer().text(), "slow done");
    running.wait();
}

#[test]
fn i04_every_head_after_the_stop_says_close() {
    // Longer than a connect may take that falls between the filter and the close.
    let running = run(server().idle_grace(PATIENCE));
    let mut busy = running.connect();
    busy.get("/slow/400");
    let mut stream = running.connect();
    stream.send("GET /slow/300 HTTP/1.0\r\nconnection: keep-alive\r\n\r\n");
    let mut half = running.connect();
    half.send("GET /hello HTTP/1.1\r\nho");
    let mut idle: Vec<_> = (0..10).map(|_| idle(&running)).collect();
    thread::sleep(millis(50));
    running.handle.stop();
    eventually("the closed door", || running.refuses());
    half.send("st: a\r\n\r\n");
    let late = idle.iter_mut().map(|client| client.get("/hello"));
    for client in late.chain([&mut busy, &mut stream, &mut half]) {
        let answer: Answer = client.answer();
        assert!(
            answer.closes() && !answer.head.contains("keep-alive"),
            "{answer:?}"
        );
        assert!(client.is_closed());
    }
    running.wait();
}

#[test]
fn i05_without_a_handler_the_drain_is_as_short_as_the_grace() {
    // No connection: at once.
    let ended = run(server()).stop();
    assert!(ended.took < SLACK, "{ended:?}");

    // Idle for longer than the grace, with peers that close: at once.
    let running = run(server().idle_grace(millis(50)));
    let clients: Vec<_> = (0..20).map(|_| idle(&running)).collect();
    thread::sleep(millis(100));
    running.handle.stop();
    for mut client in clients {
        assert!(client.is_closed());
    }
    let ended = running.wait();
    assert!(ended.took < SLACK, "{ended:?}");
    assert_eq!(ended.report.idle_closed, 20);

    // Without a byte, kept alive and with half a head: by the longest of the three and a linger.
    let running = run(server()
        .new_conn_grace(millis(200))
        .idle_grace(millis(300))
        .drain_head_timeout(millis(400))
        .linger(millis(100)));
    let (fresh, idle) = (running.connect(), idle(&running));
    let mut half = running.connect();
    half.send("GET / HTTP/1.1\r\n");
    let ended = running.stop();
    assert!(ended.took < millis(400 + 100) + SLACK, "{ended:?}");
    assert!(ended.took >= millis(400), "{ended:?}");
    assert_eq!(half.answer().status, 408);
    drop((fresh, idle));
}

#[test]
fn i06_stopped_by_the_deadline_whatever_the_peers_do() {
    let group = Group::new()
        .drain_timeout(millis(300))
        .cancel_timeout(millis(500));
    let running = run_in(group, server().drain_head_timeout(PATIENCE));
    let mut stalled = running.connect();
    stalled.send("POST /read HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhell");
    let mut half = running.connect();
    half.send("GET / HTTP/1.1\r\n");
    let mut deaf = running.connect();
    deaf.get("/bytes/50000000");
    let mut events = running.connect();
    assert!(events.get("/events").head().unwrap().is_some());
    thread::sleep(millis(50));
    let ended = running.stop();
    assert!(ended.took < millis(300 + 500 + 100) + SLACK, "{ended:?}");
    let cut = ended.report.cut;
    assert_eq!(
        (cut.active, cut.head, cut.responding),
        (1, 1, 2),
        "{ended:?}"
    );
    for client in [&mut stalled, &mut half] {
        let answer = client.answer();
        assert_eq!((answer.status, answer.closes()), (503, true));
        assert_eq!(answer.body, b"");
    }
    // No last chunk: a cut shows as a cut.
    let cut = deaf.try_answer().unwrap_err();
    assert!(matches!(
        cut.kind(),
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset
    ));
}

#[test]
fn i07_a_large_response_arrives_whole_with_garbage_behind_its_request() {
    let running = run(server());
    let mut client = running.connect();
    client.send("GET /bytes/8000000 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    client.send("garbage ".repeat(4000));
    thread::sleep(millis(100));
    client.send("garbage ".repeat(4000));
    let answer = client.answer();
    assert_eq!(answer.body.len(), 8_000_000);
    assert!(client.is_closed());

    // And when it is the stop that makes it close.
    let mut client = running.connect();
    client.get("/slow/200").send("garbage ".repeat(100));
    running.handle.stop();
    assert_eq!(client.answer().text(), "slow done");
    assert!(client.is_closed());
    running.wait();
}

#[test]
fn i08_a_second_stop_cancels() {
    let running = run(server());
    let mut client = running.connect();
    client.get("/slow/20000");
    let mut upload = running.connect();
    upload.send("POST /read HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n");
    thread::sleep(millis(50));
    running.handle.stop();
    thread::sleep(millis(50));
    running.handle.cancel();
    let ended = running.wait();
    assert!(ended.took < millis(500 + 100) + SLACK, "{ended:?}");
    assert_eq!(ended.report.cut.active, 2, "{ended:?}");
    assert_eq!(client.answer().status, 503);
    assert_eq!(upload.answer().status, 503);
}

#[test]
fn i09_a_lame_duck_serves_and_says_close() {
    let running = run(server().lame_duck(millis(700)));
    let mut early = idle(&running);
    let mut told = running.connect();
    told.get("/until-stop");
    assert_eq!(running.connect().get("/ready").answer().status, 200);
    let stopped = Instant::now();
    running.handle.stop();
    eventually("a readiness of 503", || {
        running.connect().get("/ready").answer().status == 503
    });
    let answer = running.connect().get("/hello").answer();
    assert_eq!((answer.status, answer.closes()), (200, true));
    let answer = early.get("/hello").answer();
    assert_eq!((answer.status, answer.closes()), (200, true));
    // Handlers are told once the drain begins.
    assert_eq!(told.answer().text(), "true");
    assert!(stopped.elapsed() >= millis(700));
    running.wait();
}

#[test]
fn i10_an_upgrade_in_the_drain_is_counted_and_cut() {
    let mut app = app();
    app.at("/late")
        .get(|request: tide::Request<()>| async move {
            use neap::http::RequestExt;
            request.stop_token().stopped().await;
            let mut response = tide::Response::new(101);
            let inner: &mut http_types::Response = response.as_mut();
            let upgrade = inner.recv_upgrade().await;
            async_std::task::spawn(async move {
                use futures_lite::AsyncReadExt;
                let mut connection = upgrade.await.unwrap();
                let _ = connection.read(&mut [0]).await;
            });
            Ok(response)
        });
    let group = Group::new().drain_timeout(millis(500));
    let running = run_in(group, Server::new(app, "127.0.0.1:0"));
    let mut early = running.connect();
    let answer = early.get("/upgrade").send("ping").answer();
    assert_eq!((answer.status, answer.closes()), (101, false));
    assert_eq!(early.take(4).unwrap(), b"ping");
    let mut late = running.connect();
    late.get("/late");
    thread::sleep(millis(50));
    running.handle.stop();
    let ended = running.wait();
    assert!(ended.took >= millis(400), "{ended:?}");
    assert_eq!(ended.report.cut.upgraded, 2, "{ended:?}");
    assert_eq!(late.answer().status, 101);
    assert!(late.is_closed());
    assert!(early.is_closed());
}

#[test]
fn i11_nothing_is_left_and_stops_are_safe_at_any_time() {
    // Before it serves.
    let server = server().bind().unwrap();
    let addr = server.local_addrs()[0].tcp().unwrap();
    let mut group = Group::new();
    group.add("http", server.into_service());
    group.handle().stop();
    async_io::block_on(group.run()).unwrap();
    assert!(Client::connect(addr).is_err());

    // A hundred at once.
    let running = run(self::server());
    let clients: Vec<_> = (0..20).map(|_| idle(&running)).collect();
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
}

/// How many descriptors of this process belong to a server that listened at `addr`.
#[cfg(target_os = "linux")]
fn descriptors(addr: std::net::SocketAddr) -> usize {
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

/// One stop under 64 clients that do the same; `NEAP_STOPS` of them, or a few.
#[track_caller]
fn stops(client: impl Fn(std::net::SocketAddr, &Fared) + Sync) {
    let stops = std::env::var("NEAP_STOPS").map_or(10, |stops| stops.parse().unwrap());
    for stop in 0..stops {
        let running = run(server());
        let (addr, fared) = (running.addr, Fared::default());
        let ended = thread::scope(|scope| {
            for _ in 0..64 {
                scope.spawn(|| client(addr, &fared));
            }
            eventually("the load", || {
                fared.answered.load(Ordering::Relaxed) > 200 + 7 * stop
            });
            running.stop()
        });
        fared.check();
        assert!(ended.report.is_clean(), "{ended:?}");
    }
}

#[test]
fn i12_clients_that_send_back_to_back_lose_nothing() {
    stops(|addr, fared| {
        let mut client = Client::connect(addr).unwrap();
        while fared.request(&mut client) {}
    });
}

#[test]
fn i12_clients_that_pause_lose_nothing() {
    stops(|addr, fared| {
        let mut client = Client::connect(addr).unwrap();
        let mut pause = addr.port() as u64;
        while fared.request(&mut client) {
            pause = (pause * 31 + 7) % 4001;
            thread::sleep(Duration::from_micros(pause));
        }
    });
}

#[test]
fn i12_clients_with_a_connection_per_request_lose_nothing() {
    stops(|addr, fared| {
        while let Ok(mut client) = Client::connect(addr) {
            fared.request(&mut client);
        }
        fared.refused.fetch_add(1, Ordering::Relaxed);
    });
}

#[test]
fn i13_a_handler_that_panics_costs_its_connection_only() {
    let running = run(server());
    let mut other = idle(&running);
    let mut client = running.connect();
    let answer = client.get("/panic").answer();
    assert_eq!((answer.status, answer.closes()), (500, true));
    assert!(client.is_closed());
    assert_eq!(other.get("/hello").answer().status, 200);
    assert!(running.stop().result.is_ok());

    // Or the group, if it is so set: the client has its answer all the same.
    let running = run(server().panics_fail(true));
    let answer = running.connect().get("/panic").answer();
    assert_eq!((answer.status, answer.closes()), (500, true));
    let error = running.wait().result.unwrap_err().to_string();
    assert!(
        error.contains("`http`") && error.contains("as asked"),
        "{error}"
    );
}
