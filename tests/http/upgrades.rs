//! Connections that are no longer HTTP, and the stop.

use std::io::ErrorKind;

use async_channel::Sender;
use futures_lite::{AsyncReadExt, AsyncWriteExt, future};
use http_types::upgrade::Receiver;
use http_types::{Request, Response};
use neap::Group;
use neap::http::{App, Server, from_tide_fn};
use neap::net::Stream;
use neap::test::{Clock, Network};

use crate::runtimes::Gate;

const UPGRADE: &[u8] =
    b"GET /up HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";

/// An app that hands upgraded connections to the test, and answers others once the gate is open.
fn app(upgrades: Sender<Receiver>, gate: Gate) -> impl App + 'static {
    from_tide_fn(move |request: Request| {
        let (upgrades, gate) = (upgrades.clone(), gate.clone());
        async move {
            if request.url().path() != "/up" {
                gate.pass().await;
                return Ok(Response::new(200));
            }
            let mut response = Response::new(101);
            response.insert_header("connection", "upgrade");
            response.insert_header("upgrade", "echo");
            let upgrade = response.recv_upgrade().await;
            upgrades.send(upgrade).await?;
            Ok(response)
        }
    })
}

/// Sends a request and reads the head of its answer.
async fn ask(client: &mut Stream, request: &[u8]) -> String {
    client.write_all(request).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).await.unwrap();
        head.extend(byte);
    }
    String::from_utf8(head).unwrap()
}

#[test]
fn i11_an_upgraded_connection_that_the_drain_does_not_wait_for_ends_with_it() {
    let (network, clock, gate) = (Network::new(), Clock::new(), Gate::new());
    let (sender, upgrades) = async_channel::unbounded();
    let server = Server::new(app(sender, gate.clone()), network.listen(80)).wait_upgraded(false);
    let mut group = Group::new().clock(&clock);
    group.add("http", server.into_service());
    let handle = group.handle();
    let test = async {
        handle.started().await.unwrap();
        let mut client = network.connect(80).await.unwrap();
        assert!(ask(&mut client, UPGRADE).await.starts_with("HTTP/1.1 101 "));
        let mut other = network.connect(80).await.unwrap();
        other
            .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            .await
            .unwrap();
        let mut upgraded = upgrades.recv().await.unwrap().await.unwrap();
        future::yield_now().await;
        handle.stop();
        // It goes on while the drain waits for another.
        let start = clock.now();
        client.write_all(b"still there?").await.unwrap();
        let mut question = [0; 12];
        upgraded.read_exact(&mut question).await.unwrap();
        upgraded.write_all(b"yes").await.unwrap();
        let mut answer = [0; 3];
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!((&question, &answer), (b"still there?", b"yes"));
        assert_eq!(clock.now(), start);
        gate.open();
        (client, other, upgraded)
    };
    let both = future::zip(group.run(), test);
    let (outcome, (client, _other, mut upgraded)) = clock.block_on(both);
    outcome.unwrap();
    let end = [client.try_read(&mut [0]), client.try_read(&mut [0])];
    assert!(end.iter().all(|read| matches!(read, Ok(0))), "{end:?}");
    let (read, written) = future::block_on(async {
        let read = upgraded.read(&mut [0]).await;
        (read, upgraded.write(b"x").await)
    });
    assert_eq!(read.unwrap(), 0);
    assert_eq!(written.unwrap_err().kind(), ErrorKind::BrokenPipe);
}
