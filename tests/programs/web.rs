//! A page with a WebSocket and server-sent events: both end with the stop.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use async_io::{Async, Timer};
use async_tungstenite::WebSocketStream;
use async_tungstenite::tungstenite::Message;
use async_tungstenite::tungstenite::handshake::derive_accept_key;
use async_tungstenite::tungstenite::protocol::Role;
use futures_lite::{AsyncReadExt, AsyncWriteExt, StreamExt, future};
use neap::http::{RequestExt, Server};
use neap::{Group, StopToken};
use tide::{Request, Response, StatusCode};

use crate::runtimes;

/// Sends an event each millisecond until the stop.
async fn ticks(request: Request<()>, sender: tide::sse::Sender) -> tide::Result<()> {
    let token = request.stop_token();
    for tick in 0.. {
        let wait = Timer::after(Duration::from_millis(1));
        if token.run_until_stopped(wait).await.is_none() {
            break;
        }
        sender.send("tick", tick.to_string(), None).await?;
    }
    sender.send("bye", "", None).await?;
    Ok(())
}

/// Sends each message back, and closes at the stop.
async fn echo(request: Request<()>) -> tide::Result {
    let Some(key) = request.header("sec-websocket-key") else {
        return Ok(StatusCode::BadRequest.into());
    };
    let mut response = Response::builder(StatusCode::SwitchingProtocols)
        .header("upgrade", "websocket")
        .header("connection", "Upgrade")
        .header(
            "sec-websocket-accept",
            derive_accept_key(key.as_str().as_bytes()),
        )
        .build();
    let inner: &mut http_types::Response = response.as_mut();
    let upgrade = inner.recv_upgrade().await;
    smol::spawn(talk(upgrade, request.stop_token())).detach();
    Ok(response)
}

async fn talk(upgrade: http_types::upgrade::Receiver, token: StopToken) -> Option<()> {
    let connection = upgrade.await?;
    let mut socket = WebSocketStream::from_raw_socket(connection, Role::Server, None).await;
    while let Some(Some(Ok(message))) = token.run_until_stopped(socket.next()).await {
        socket.send(message).await.ok()?;
    }
    socket.close(None).await.ok()
}

/// Returns the program, and the address that it has bound.
fn program() -> std::io::Result<(Group<'static>, SocketAddr)> {
    let mut app = tide::new();
    app.at("/ticks").get(tide::sse::endpoint(ticks));
    app.at("/echo").get(echo);
    let server = Server::new(app, "127.0.0.1:0").bind()?;
    let addr = server.local_addrs()[0].tcp().unwrap();
    let mut group = Group::on(smol::spawn);
    group.add("http", server.into_service());
    Ok((group, addr))
}

#[test]
fn events_and_a_websocket_end_with_the_stop() {
    runtimes::limited(|| {
        let (group, addr) = program().unwrap();
        let handle = group.handle();
        let clients = async {
            let mut events = Async::<TcpStream>::connect(addr).await.unwrap();
            events
                .write_all(b"GET /ticks HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                .await
                .unwrap();
            let mut text = Vec::new();
            while !String::from_utf8_lossy(&text).contains("data:3") {
                let mut part = [0; 512];
                let read = events.read(&mut part).await.unwrap();
                text.extend_from_slice(&part[..read]);
            }

            let stream = Async::<TcpStream>::connect(addr).await.unwrap();
            let url = format!("ws://{addr}/echo");
            let (mut socket, _) = async_tungstenite::client_async(url, stream).await.unwrap();
            socket.send(Message::text("hello")).await.unwrap();
            assert_eq!(
                socket.next().await.unwrap().unwrap(),
                Message::text("hello")
            );

            handle.stop();
            assert!(socket.next().await.unwrap().unwrap().is_close());
            drop(socket);
            events.read_to_end(&mut text).await.unwrap();
            assert!(String::from_utf8_lossy(&text).contains("event:bye"));
        };
        let (ended, ()) = smol::block_on(future::zip(group.run(), clients));
        ended.unwrap();
    });
}
