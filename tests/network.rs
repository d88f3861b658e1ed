//! The network in memory: what it does as TCP does.

#![cfg(feature = "tide")]

use std::io::ErrorKind;
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_lite::{AsyncReadExt, AsyncWriteExt, future};
use neap::net::{Address, Stream};
use neap::test::{Clock, Network};
use neap::{Group, Scope, http, net};

/// Makes a connection: the client's end, and the server's.
fn connect(network: &Network) -> (Stream, Stream) {
    let mut listeners = network.listen(0).bind().unwrap();
    let port = listeners.local_addrs()[0].tcp().unwrap().port();
    let client = future::block_on(network.connect(port)).unwrap();
    let server = future::block_on(listeners.accept()).unwrap();
    assert_eq!(client.peer_addr(), server.local_addr());
    assert_eq!(client.local_addr(), server.peer_addr());
    (client, server)
}

fn read(stream: &Stream) -> Result<Vec<u8>, ErrorKind> {
    let mut buffer = [0; 64];
    let read = stream.try_read(&mut buffer);
    read.map(|length| buffer[..length].to_vec())
        .map_err(|error| error.kind())
}

#[test]
fn bytes_arrive_in_order_and_as_many_as_there_is_room_for() {
    let network = Network::with_capacity(4);
    let (client, server) = connect(&network);
    assert_eq!(read(&server), Err(ErrorKind::WouldBlock));
    assert_eq!(client.try_write(b"hello").unwrap(), 4);
    assert_eq!(
        client.try_write(b"o").unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
    assert_eq!(read(&server).unwrap(), b"hell");
    let both = future::zip(
        async { (&client).write_all(b"o world").await.unwrap() },
        async {
            let mut rest = [0; 7];
            (&server).read_exact(&mut rest).await.unwrap();
            assert_eq!(&rest, b"o world");
        },
    );
    future::block_on(both);
}

#[test]
fn a_close_is_an_end_of_file_and_one_with_unread_bytes_a_reset() {
    let network = Network::new();
    let (client, server) = connect(&network);
    client.try_write(b"last").unwrap();
    drop(client);
    assert_eq!(read(&server).unwrap(), b"last");
    assert_eq!(read(&server).unwrap(), b"");
    drop(server);
    let (client, server) = connect(&network);
    client.try_write(b"unread").unwrap();
    server.try_write(b"lost").unwrap();
    drop(server);
    assert_eq!(read(&client), Err(ErrorKind::ConnectionReset));
    drop(client);
    assert_eq!(network.open_ends(), 0);
}

#[test]
fn a_write_to_a_closed_end_is_answered_with_a_reset() {
    let network = Network::new();
    let (client, server) = connect(&network);
    server.try_write(b"lost").unwrap();
    drop(server);
    assert_eq!(client.try_write(b"too late").unwrap(), 8);
    assert_eq!(read(&client), Err(ErrorKind::ConnectionReset));
    assert_eq!(
        client.try_write(b"again").unwrap_err().kind(),
        ErrorKind::BrokenPipe
    );
}

#[test]
fn each_direction_ends_alone() {
    let network = Network::new();
    let (client, server) = connect(&network);
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(
        client.try_write(b"x").unwrap_err().kind(),
        ErrorKind::BrokenPipe
    );
    assert_eq!(read(&server).unwrap(), b"");
    server.try_write(b"answer").unwrap();
    assert_eq!(read(&client).unwrap(), b"answer");
    server.reset_on_close().unwrap();
    drop(server);
    assert_eq!(read(&client), Err(ErrorKind::ConnectionReset));
}

#[test]
fn what_was_not_accepted_is_reset_when_the_listener_is_dropped_and_taken_when_it_closes() {
    let network = Network::new();
    let listeners = network.listen(80).bind().unwrap();
    let error = network.listen(80).bind().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    let client = future::block_on(network.connect(80)).unwrap();
    drop(listeners);
    assert_eq!(read(&client), Err(ErrorKind::ConnectionReset));
    assert_eq!(
        future::block_on(network.connect(80)).unwrap_err().kind(),
        ErrorKind::ConnectionRefused
    );
    // The port is free again.
    drop(network.listen(80).bind().unwrap());
}

#[test]
fn the_times_of_a_server_go_by_the_clock_of_its_group() {
    let (network, clock) = (Network::new(), Clock::new());
    let hello = |_| async { Ok(http_types::Response::from("hello")) };
    let server = |address: Address| {
        http::Server::new(http::from_tide_fn(hello), address)
            .keep_alive_timeout(Duration::from_secs(3600))
            .head_timeout(Duration::from_secs(60))
    };
    let mut group = Group::new().clock(&clock);
    group.add("http", server(network.listen(80)).into_service());
    let handle = group.handle();
    let test = async {
        handle.started().await.unwrap();
        let start = clock.now();
        let mut idle = network.connect(80).await.unwrap();
        let mut slow = network.connect(80).await.unwrap();
        slow.write_all(b"GET / HT").await.unwrap();
        let mut answer = String::new();
        slow.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert_eq!(clock.now() - start, Duration::from_secs(60));
        assert_eq!(idle.read(&mut [0]).await.unwrap(), 0);
        assert_eq!(clock.now() - start, Duration::from_secs(3600));
        handle.stop();
    };
    clock.block_on(future::zip(group.run(), test)).0.unwrap();
    assert_eq!(network.open_ends(), 0);
}

#[test]
fn a_client_that_does_not_take_its_100_continue_is_timed_out() {
    // One byte of the question fits, and the client takes none.
    let (network, clock) = (Network::with_capacity(1), Clock::new());
    let (told, heard) = async_channel::bounded(1);
    let read = move |mut request: http_types::Request| {
        let told = told.clone();
        async move {
            let body = request.body_string().await;
            told.try_send(body.is_err()).unwrap();
            body.map(http_types::Response::from)
        }
    };
    let server = http::Server::new(http::from_tide_fn(read), network.listen(80))
        .body_timeout(Duration::from_secs(20))
        .write_timeout(Duration::from_secs(5));
    let mut group = Group::new().clock(&clock);
    group.add("http", server.into_service());
    let handle = group.handle();
    let test = async {
        let head = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n";
        let mut client = network.connect(80).await.unwrap();
        client.write_all(head.as_bytes()).await.unwrap();
        let question = b"expect: 100-continue\r\n\r\n";
        client.write_all(question).await.unwrap();
        let start = clock.now();
        let never = async { (clock.sleep(Duration::from_secs(3600)).await, None).1 };
        let failed = future::or(async { heard.recv().await.ok() }, never).await;
        assert_eq!(failed, Some(true), "the handler waits for ever");
        assert_eq!(clock.now() - start, Duration::from_secs(20));
        // Nor is the answer taken.
        clock.sleep(Duration::from_secs(10)).await;
        assert_eq!(network.open_ends(), 1);
        handle.stop();
    };
    clock.block_on(future::zip(group.run(), test)).0.unwrap();
    assert_eq!(network.open_ends(), 0);
}

#[test]
fn i05_a_body_that_nobody_reads_is_waited_for_as_long_as_an_idle_connection() {
    let (network, clock) = (Network::new(), Clock::new());
    let hello = |_| async { Ok(http_types::Response::from("hello")) };
    let server = http::Server::new(http::from_tide_fn(hello), network.listen(80));
    let mut group = Group::new().clock(&clock);
    group.add("http", server.into_service());
    let handle = group.handle();
    let client = async {
        let mut client = network.connect(80).await.unwrap();
        let head = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n";
        client.write_all(head).await.unwrap();
        let mut answer = [0; 1000];
        let read = client.read(&mut answer).await.unwrap();
        assert!(answer[..read].ends_with(b"hello"));
        let answered = clock.now();
        // A byte comes now and then, and the stop amid them.
        let mut closed = None;
        for byte in 0..40 {
            if byte == 3 {
                handle.stop();
            }
            if closed.is_none() && matches!(client.try_read(&mut answer), Ok(0)) {
                closed = Some(clock.now() - answered);
            }
            let _ = client.write(b"x").await;
            clock.sleep(Duration::from_millis(100)).await;
        }
        (answered, closed.unwrap())
    };
    let group = async { (group.run().await, clock.now()) };
    let ((ended, end), (answered, closed)) = clock.block_on(future::zip(group, client));
    ended.unwrap();
    let (grace, lingers) = (Duration::from_secs(1), Duration::from_secs(2));
    let slack = Duration::from_millis(200);
    assert!(
        closed >= grace && closed <= grace + slack,
        "closed after {closed:?}"
    );
    assert!(end - answered <= grace + lingers + slack);
}

/// How many handlers are at work, and how many have been at once.
#[derive(Default)]
struct Load {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Load {
    async fn work(&self, clock: &Clock) {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        clock.sleep(Duration::from_millis(100)).await;
        self.now.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Stops a server that may have two connections, while ten clients have some.
fn check_limit<S>(network: &Network, clock: &Clock, load: &Load, server: S)
where
    S: FnOnce(Scope<'static>) -> net::Serving<'static> + Send + 'static,
{
    let mut group = Group::new().clock(clock);
    group.add("server", server);
    let handle = group.handle();
    let clients = async {
        handle.started().await.unwrap();
        let mut clients = Vec::new();
        for _ in 0..10 {
            let mut client = network.connect(80).await.unwrap();
            client
                .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
                .await
                .unwrap();
            clients.push(client);
        }
        while load.most.load(Ordering::SeqCst) < 2 {
            future::yield_now().await;
        }
        handle.stop();
        for mut client in clients {
            let mut answer = String::new();
            client.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
    };
    clock.block_on(future::zip(group.run(), clients)).0.unwrap();
    assert_eq!(load.most.load(Ordering::SeqCst), 2);
}

#[test]
fn a_limit_of_connections_holds_at_a_stop_too() {
    let (network, clock) = (Network::new(), Clock::new());
    let load = Arc::new(Load::default());
    let (waits, at_work) = (clock.clone(), load.clone());
    let handler = move |mut stream: Stream, _| {
        let (waits, at_work) = (waits.clone(), at_work.clone());
        async move {
            let _ = stream.read(&mut [0; 1024]).await?;
            at_work.work(&waits).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await
        }
    };
    let server = net::Server::new(network.listen(80), handler).max_connections(2);
    check_limit(&network, &clock, &load, server.into_service());

    let (network, clock) = (Network::new(), Clock::new());
    let load = Arc::new(Load::default());
    let (waits, at_work) = (clock.clone(), load.clone());
    let app = http::from_tide_fn(move |_| {
        let (waits, at_work) = (waits.clone(), at_work.clone());
        async move {
            at_work.work(&waits).await;
            Ok(http_types::Response::new(200))
        }
    });
    let server = http::Server::new(app, network.listen(80)).max_connections(2);
    check_limit(&network, &clock, &load, server.into_service());
}

#[test]
fn those_that_wait_for_their_turn_are_cut_at_the_deadline_and_counted() {
    let (network, clock) = (Network::new(), Clock::new());
    let app = http::from_tide_fn(|_| future::pending());
    let server = http::Server::new(app, network.listen(80)).max_connections(1);
    let server = server.drain_timeout(Duration::from_secs(1));
    let mut group = Group::new().clock(&clock);
    group.add("server", server.into_service());
    let handle = group.handle();
    let clients = async {
        handle.started().await.unwrap();
        let mut clients = Vec::new();
        for _ in 0..3 {
            let mut client = network.connect(80).await.unwrap();
            client
                .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
                .await
                .unwrap();
            clients.push(client);
        }
        handle.stop();
        clients
    };
    let (ended, clients) = clock.block_on(future::zip(group.run(), clients));
    let error = ended.unwrap_err().to_string();
    assert!(error.contains("3 connections cut"), "{error}");
    drop(clients);
    assert_eq!(network.open_ends(), 0);
}

#[test]
fn a_request_to_a_server_that_never_starts_is_answered() {
    let network = Network::new();
    let server = http::Server::new(tide::new(), network.listen(80))
        .bind()
        .unwrap();
    let mut group = Group::new();
    group.add("server", server.into_service());
    let (mut client, mut silent) = future::block_on(async {
        let mut client = network.connect(80).await.unwrap();
        client
            .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            .await
            .unwrap();
        (client, network.connect(80).await.unwrap())
    });
    group.handle().stop();
    future::block_on(group.run()).unwrap();
    let mut answer = String::new();
    future::block_on(client.read_to_string(&mut answer)).unwrap();
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    assert_eq!(future::block_on(silent.read(&mut [0])).unwrap(), 0);
    drop((client, silent));
    assert_eq!(network.open_ends(), 0);
}

#[test]
fn a_close_waits_for_handshakes_that_are_under_way_up_to_its_grace() {
    let seconds = Duration::from_secs;
    // The last segment arrives a second after the client has its connection.
    for (grace, expected) in [(seconds(3), "hello"), (Duration::from_millis(500), "")] {
        let clock = Clock::new();
        let network = Network::with_delay(seconds(1), &clock);
        let greet = async |mut stream: Stream, _| stream.write_all(b"hello").await;
        let server = net::Server::new(network.listen(80), greet).handshake_grace(grace);
        let mut group = Group::new().clock(&clock);
        group.add("server", server.into_service());
        let handle = group.handle();
        let client = async {
            handle.started().await.unwrap();
            let mut client = network.connect(80).await.unwrap();
            handle.stop();
            assert!(network.connect(80).await.is_err());
            let mut said = String::new();
            let read = client.read_to_string(&mut said).await;
            assert_eq!(
                (said.as_str(), read.is_ok()),
                (expected, !expected.is_empty())
            );
        };
        let (ended, ()) = clock.block_on(future::zip(group.run(), client));
        ended.unwrap();
    }
}
