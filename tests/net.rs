//! Connections of any protocol: where they arrive, how they are counted, how they drain.

#![cfg(feature = "net")]

mod runtimes;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use futures_lite::{AsyncBufReadExt, AsyncWriteExt, StreamExt};
use log::{Level, LevelFilter, Log, Metadata, Record};
use neap::net::{Address, Endpoint, Server, Stream};
use neap::{Error, Group, Handle, Outcome, StopToken};
use runtimes::Gate;

const PATIENCE: Duration = Duration::from_secs(20);

/// Sends lines back, and says good-bye at the stop.
async fn echo(stream: Stream, token: StopToken) -> std::io::Result<()> {
    let mut lines = futures_lite::io::BufReader::new(&stream).lines();
    while let Some(line) = token.run_until_stopped(lines.next()).await {
        let Some(line) = line else { return Ok(()) };
        let line = line?;
        assert_ne!(line, "panic", "as asked");
        (&stream).write_all(format!("{line}\n").as_bytes()).await?;
    }
    (&stream).write_all(b"good-bye\n").await
}

struct Running {
    addrs: Vec<Endpoint>,
    handle: Handle<'static>,
    thread: JoinHandle<Result<Outcome, Error>>,
}

fn run(address: impl Into<Address>) -> Running {
    run_server(Server::new(address, echo))
}

fn run_server<H, F>(server: Server<H>) -> Running
where
    H: Fn(Stream, StopToken) -> F + Send + Sync + 'static,
    F: Future<Output = std::io::Result<()>> + Send + 'static,
{
    let server = server.bind().unwrap();
    let addrs = server.local_addrs().to_vec();
    let (started, start) = channel();
    let mut group = Group::new();
    let service = server.into_service();
    group.add("echo", move |scope| {
        started.send(()).unwrap();
        service(scope)
    });
    let handle = group.handle();
    let thread = thread::spawn(move || async_io::block_on(group.run()));
    start.recv_timeout(PATIENCE).unwrap();
    Running {
        addrs,
        handle,
        thread,
    }
}

impl Running {
    fn addr(&self) -> SocketAddr {
        self.addrs[0].tcp().unwrap()
    }

    fn connect(&self) -> TcpStream {
        connect(self.addr())
    }

    fn stop(self) -> Outcome {
        self.handle.stop();
        self.thread.join().unwrap().unwrap()
    }
}

fn connect(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

#[track_caller]
fn check_echo<S>(stream: S)
where
    for<'s> &'s S: Read + Write,
{
    (&stream).write_all(b"hello\n").unwrap();
    let mut line = String::new();
    BufReader::new(&stream).read_line(&mut line).unwrap();
    assert_eq!(line, "hello\n");
}

#[test]
fn listens_on_every_address_it_is_given() {
    let bound = TcpListener::bind("127.0.0.1:0").unwrap();
    let known = bound.local_addr().unwrap();
    let address = Address::from("localhost:0")
        .and(bound)
        .and(([127, 0, 0, 1], 0))
        .and(vec!["127.0.0.1:0", "127.0.0.1:0"]);
    let running = run(address);
    assert_eq!(running.addrs.len(), 5);
    assert_eq!(running.addrs[1].tcp(), Some(known));
    for addr in &running.addrs {
        check_echo(connect(addr.tcp().unwrap()));
    }
    running.stop();
}

#[cfg(unix)]
#[test]
fn a_unix_socket_is_bound_and_removed() {
    use std::os::unix::net::UnixStream;
    let path = std::env::temp_dir().join(format!("neap-{}.sock", std::process::id()));
    // A left-over file of a server that was killed is no obstacle, a live server is.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let running = run(path.clone());
    assert_eq!(running.addrs, [Endpoint::Unix(Some(path.clone()))]);
    check_echo(UnixStream::connect(&path).unwrap());
    let error = Address::from(format!("unix:{}", path.display()))
        .bind()
        .unwrap_err();
    assert!(
        error.to_string().contains(path.to_str().unwrap()),
        "{error}"
    );
    running.stop();
    assert!(!path.exists());
}

#[test]
fn without_a_host_it_listens_on_every_ipv4_address() {
    let running = run(":0");
    assert!(running.addr().ip().is_unspecified() && running.addr().is_ipv4());
    check_echo(connect((Ipv4Addr::LOCALHOST, running.addr().port()).into()));
    running.stop();
    // Beside a port it is more likely a setting that was left out.
    let error = Address::from(("", 80)).bind().unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot listen on port 80: the host is empty"
    );
}

#[test]
fn a_host_and_a_port_may_be_apart() {
    let address = Address::from(("127.0.0.1", 0))
        .and(("localhost".to_owned(), 0))
        .and((Ipv4Addr::LOCALHOST, 0));
    let running = run(address);
    assert_eq!(running.addrs.len(), 3);
    for addr in &running.addrs {
        check_echo(connect(addr.tcp().unwrap()));
    }
    running.stop();
}

#[test]
fn a_missing_port_is_said_so() {
    for host in ["localhost", "127.0.0.1", "[::1]", ""] {
        let error = Address::from(host).bind().unwrap_err();
        let expected = format!("cannot listen on {host}: the port is missing, as in {host}:8080");
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    }
}

#[test]
fn a_bind_error_names_service_and_address() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap();
    let mut group = Group::new();
    group.add("echo", neap::net::serve(addr, echo));
    let error = async_io::block_on(group.run()).unwrap_err().to_string();
    assert!(
        error.contains("`echo`") && error.contains(&addr.to_string()),
        "{error}"
    );
}

#[test]
fn handlers_are_told_and_waited_for() {
    let running = run("127.0.0.1:0");
    let clients: Vec<_> = (0..10).map(|_| running.connect()).collect();
    clients.iter().for_each(check_echo_ref);
    running.stop();
    for mut client in clients {
        let mut rest = String::new();
        client.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "good-bye\n");
    }
}

fn check_echo_ref(stream: &TcpStream) {
    check_echo(stream.try_clone().unwrap());
}

#[test]
fn what_the_kernel_has_accepted_is_served() {
    let (entered, enter) = channel();
    let gate = Gate::new();
    let shut = gate.clone();
    let server = Server::new("127.0.0.1:0", move |mut stream: Stream, _| {
        let (entered, shut) = (entered.clone(), shut.clone());
        async move {
            entered.send(()).unwrap();
            // Holds up the thread that accepts.
            shut.pass_blocking();
            stream.write_all(b"served\n").await
        }
    });
    let running = run_server(server);
    let mut clients = vec![running.connect()];
    enter.recv_timeout(PATIENCE).unwrap();
    clients.extend((0..20).map(|_| running.connect()));
    let addr = running.addr();
    running.handle.stop();
    gate.open();
    running.stop();
    assert!(TcpStream::connect(addr).is_err());
    for mut client in clients {
        let mut text = String::new();
        client.read_to_string(&mut text).unwrap();
        assert_eq!(text, "served\n");
    }
}

#[test]
fn more_connections_than_allowed_wait() {
    let running = run_server(Server::new("127.0.0.1:0", echo).max_connections(1));
    let first = running.connect();
    check_echo_ref(&first);
    let second = running.connect();
    (&second).write_all(b"hello\n").unwrap();
    second
        .set_read_timeout(Some(Duration::from_millis(50)))
        .unwrap();
    assert!((&second).read(&mut [0]).is_err(), "not its turn yet");
    drop(first);
    second.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!((&second).read(&mut [0; 8]).unwrap(), 6);
    running.stop();
}

#[test]
fn a_limit_of_zero_connections_is_an_error_before_anything_is_bound() {
    let path = std::env::temp_dir().join(format!("neap-zero-{}.sock", std::process::id()));
    let mut group = Group::new();
    let server = Server::new(path.clone(), echo).max_connections(0);
    group.add("echo", server.into_service());
    // Without the error it would run until it is stopped.
    group.race("too late", async {
        async_io::Timer::after(PATIENCE).await;
        Err("no error")
    });
    let error = async_io::block_on(group.run()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "service `echo` failed: the limit of connections is zero: no connection could be served"
    );
    assert!(!path.exists());
}

#[test]
fn a_handler_that_panics_costs_its_connection_only() {
    let running = run("127.0.0.1:0");
    let (good, mut bad) = (running.connect(), running.connect());
    bad.write_all(b"panic\n").unwrap();
    assert_eq!(bad.read(&mut [0]).unwrap(), 0);
    check_echo_ref(&good);
    running.stop();
}

#[test]
fn a_handler_that_does_not_end_is_dropped_at_the_deadline() {
    let mut group = Group::new().drain_timeout(Duration::from_millis(100));
    let (entered, enter) = channel();
    let server = Server::new("127.0.0.1:0", move |stream, _| {
        entered.send(()).unwrap();
        async move {
            let _stream: Stream = stream;
            futures_lite::future::pending::<()>().await
        }
    });
    let server = server.bind().unwrap();
    let mut client = connect(server.local_addrs()[0].tcp().unwrap());
    group.add("stuck", server.into_service());
    let handle = group.handle();
    let thread = thread::spawn(move || async_io::block_on(group.run()));
    enter.recv_timeout(PATIENCE).unwrap();
    handle.stop();
    let error = thread.join().unwrap().unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert_eq!(client.read(&mut [0]).unwrap_or(0), 0);
}

/// Keeps every record of the library: level, target, event, text.
#[derive(Default)]
struct Keeper(Mutex<Vec<(Level, String, String, String)>>);

static KEPT: Keeper = Keeper(Mutex::new(Vec::new()));

impl Log for Keeper {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("neap")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let event = record.key_values().get("event".into());
            let event = event.map(|event| event.to_string());
            self.0.lock().unwrap().push((
                record.level(),
                record.target().to_owned(),
                event.unwrap_or_default(),
                record.args().to_string(),
            ));
        }
    }

    fn flush(&self) {}
}

#[test]
fn every_record_has_the_target_of_the_crate_and_an_event() {
    log::set_logger(&KEPT).unwrap();
    log::set_max_level(LevelFilter::Trace);
    let running = run("127.0.0.1:0");
    let addr = running.addr();
    let mut panics = running.connect();
    panics.write_all(b"panic\n").unwrap();
    let panicking = panics.local_addr().unwrap();
    assert_eq!(panics.read(&mut [0]).unwrap(), 0);
    let mut fails = running.connect();
    fails.write_all(b"not \xff in UTF-8\n").unwrap();
    let failing = fails.local_addr().unwrap();
    assert_eq!(fails.read(&mut [0]).unwrap(), 0);
    running.stop();

    // It ends with its client, which waits until the server has said that it waits for it.
    let slow = async |stream: Stream, _| {
        futures_lite::io::BufReader::new(&stream)
            .lines()
            .count()
            .await;
        Ok(())
    };
    let running = run_server(Server::new("127.0.0.1:0", slow));
    let client = running.connect();
    (&client).write_all(b"x").unwrap();
    let waits = "`echo` waits for 1 connection";
    let is_said = || {
        KEPT.0
            .lock()
            .unwrap()
            .iter()
            .any(|(.., text)| text == waits)
    };
    running.handle.stop();
    let begin = Instant::now();
    while !is_said() && begin.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(1));
    }
    drop(client);
    running.stop();

    // The other tests of this binary log as well, unless each has a process of its own.
    let kept = KEPT.0.lock().unwrap();
    for (_, target, event, text) in &*kept {
        assert!(target == "neap" && !event.is_empty(), "{target}: {text}");
    }
    let check = |level, event: &str, beginning: String| {
        let found = kept
            .iter()
            .find(|(_, _, _, text)| text.starts_with(&beginning));
        let (found_level, _, found_event, _) = found.unwrap_or_else(|| panic!("no {beginning}"));
        assert_eq!((*found_level, found_event.as_str()), (level, event));
    };
    check(
        Level::Info,
        "listening",
        format!("`echo` listens on {addr}"),
    );
    let panicked = format!("connection from {panicking}: assertion");
    check(Level::Error, "connection panicked", panicked);
    let failed = format!("connection from {failing}: ");
    check(Level::Debug, "connection failed", failed);
    check(Level::Debug, "connections draining", waits.into());
    assert!(
        kept.iter()
            .all(|(.., text)| !text.contains("0 connections"))
    );
}

#[test]
fn a_handler_ends_in_whatever_a_service_may() {
    let mut group = Group::new();
    let unit = async |_: Stream, _| {};
    let anything = async |mut stream: Stream, _| {
        stream
            .write_all("7".parse::<u8>()?.to_string().as_bytes())
            .await?;
        anyhow::Ok(())
    };
    let message = async |_: Stream, _| Err("not today");
    group.add("unit", neap::net::serve("127.0.0.1:0", unit));
    group.add("anything", neap::net::serve("127.0.0.1:0", anything));
    group.add(
        "message",
        Server::new("127.0.0.1:0", message).into_service(),
    );
    group.handle().stop();
    futures_lite::future::block_on(group.run()).unwrap();
}

#[test]
fn a_server_is_a_service_of_a_local_group_too() {
    runtimes::limited(|| {
        let server = Server::new("127.0.0.1:0", echo).bind().unwrap();
        let Endpoint::Tcp(address) = server.local_addrs()[0] else {
            panic!("not TCP");
        };
        let mut group = Group::local();
        group.add_shared("echo", server.into_service());
        let handle = group.handle();
        let client = thread::spawn(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(b"hello\n").unwrap();
            let mut lines = BufReader::new(stream).lines();
            assert_eq!(lines.next().unwrap().unwrap(), "hello");
            handle.stop();
            assert_eq!(lines.next().unwrap().unwrap(), "good-bye");
        });
        async_io::block_on(group.run()).unwrap();
        client.join().unwrap();
    });
}
