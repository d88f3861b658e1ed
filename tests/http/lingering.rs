//! The close of a connection whose client has not read to the end yet.

use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use async_channel::Sender;
use futures_lite::{AsyncReadExt, AsyncWriteExt};
use http_types::{Request, Response, upgrade};
use neap::http::{self, App, Server};
use neap::net::Address;
use socket2::{Domain, Socket, Type};

use crate::http_support::in_memory::{at_once, serve};
use crate::http_support::{Client, app, run};

/// An app that upgrades its connections, and gives them to the channel.
fn upgrading(upgraded: Sender<upgrade::Receiver>) -> impl App + 'static {
    http::from_tide_fn(move |_: Request| {
        let upgraded = upgraded.clone();
        async move {
            let mut response = Response::new(101);
            response.insert_header("upgrade", "good-bye");
            response.insert_header("connection", "upgrade");
            upgraded.send(response.recv_upgrade().await).await?;
            Ok(response)
        }
    })
}

#[test]
fn the_last_words_of_an_upgrade_arrive() {
    let (sender, upgraded) = async_channel::bounded(1);
    let server = |address: Address| Server::new(upgrading(sender), address);
    serve(at_once(), server, |site| async move {
        let mut client = site.connect().await;
        let upgrade =
            "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: good-bye\r\n\r\n";
        client.send(upgrade).await;
        assert!(client.answer().await.starts_with("HTTP/1.1 101 "));
        let mut stream = upgraded.recv().await.unwrap().await.unwrap();
        // One of the two bytes is not read.
        client.send("ab").await;
        stream.read_exact(&mut [0]).await.unwrap();
        stream.write_all(&[b'g'; 40_000]).await.unwrap();
        drop(stream);
        site.sleep(200).await;
        assert_eq!(client.end().await.unwrap(), "g".repeat(40_000));
    });
}

const LAST: &str = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

/// A server whose answers have 40 kB, and whose clients are lingered for.
fn large(address: Address) -> Server<impl App + 'static> {
    let app = http::from_tide_fn(|_| async { Ok(Response::from("x".repeat(40_000))) });
    Server::new(app, address).write_timeout(Duration::from_secs(30))
}

#[test]
fn a_client_that_takes_its_answer_slowly_gets_all_of_it() {
    serve(at_once(), large, |site| async move {
        let mut client = site.connect().await;
        client.send(LAST).await;
        let mut taken = 0;
        while let bytes @ 1.. = client.read(1000).await.unwrap() {
            taken += bytes;
            site.sleep(400).await;
            // It still sends, which is a reset once the server has closed.
            client.send("x").await;
        }
        assert!(taken > 40_000, "{taken} bytes");
    });
}

#[test]
fn what_has_been_taken_last_is_followed_by_a_linger() {
    serve(at_once(), large, |site| async move {
        let mut client = site.connect().await;
        client.send(LAST).await;
        site.sleep(1500).await;
        client.answer().await;
        // The server looks after 100 ms at the latest.
        site.sleep(500).await;
        assert_eq!(site.network.open_ends(), 2);
        site.sleep(200).await;
        assert_eq!(site.network.open_ends(), 1);
    });
}

#[test]
fn there_is_an_end_to_a_client_that_takes_nothing_and_to_one_that_takes_little() {
    for (taken, limit) in [(0, 2), (1, 30)] {
        for sends in ["", "x"] {
            let lasted = serve(at_once(), large, |site| async move {
                let mut client = site.connect().await;
                client.send(LAST).await;
                let start = site.clock.now();
                while site.network.open_ends() == 2 {
                    site.sleep(50).await;
                    client.read(taken).await.unwrap();
                    client.send(sends).await;
                }
                site.clock.now() - start
            });
            let lasted = lasted.1.as_millis();
            let limit = limit * 1000;
            assert!((limit..limit + 200).contains(&lasted), "{lasted} ms");
        }
    }
}

#[test]
#[cfg(any(target_os = "linux", target_os = "android"))]
fn what_the_kernel_has_of_an_answer_is_not_taken_from_a_slow_reader() {
    let running = run(Server::new(app(), "127.0.0.1:0"));
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(64 * 1024).unwrap();
    socket.connect(&running.addr.into()).unwrap();
    let mut client = Client::new(TcpStream::from(socket)).unwrap();
    client.send("GET /bytes/500000 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    assert!(client.head().unwrap().is_some());
    // Longer than the linger. What is sent behind it is a reset, if the server has closed.
    thread::sleep(Duration::from_millis(1000));
    client.get("/hello");
    thread::sleep(Duration::from_millis(50));
    assert_eq!(client.take(500_000).unwrap().len(), 500_000);
    assert!(client.is_closed());
    drop(client);
    assert!(running.stop().result.is_ok());
}
