//! The close of a connection whose client has not read to the end yet.

use async_channel::Sender;
use futures_lite::{AsyncReadExt, AsyncWriteExt};
use http_types::{Request, Response, upgrade};
use neap::http::{self, App, Server};
use neap::net::Address;

use crate::http_support::in_memory::{at_once, serve};

/// An app that upgrades its connections, and gives them to the channel.
fn upgrading(upgraded: Sender<upgrade::Receiver>) -> impl App + 'static {
    http::from_fn(move |_: Request| {
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
