//! WebSockets, with the client of async-tungstenite, and other upgrades.

use std::net::TcpStream;
use std::sync::mpsc::channel;

use async_io::Async;
use async_tungstenite::tungstenite::protocol::CloseFrame;
use async_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use async_tungstenite::tungstenite::{Error, Message};
use async_tungstenite::{WebSocketStream, client_async};
use axum::body::Body as AxumBody;
use axum::http::StatusCode;
use futures_lite::StreamExt;
use http::{Request, Response};
use neap::http::{Body, RequestContext, Server, from_fn, service};

use crate::http_support::{PATIENCE, Running, run, run_on};
use crate::runtimes::{Runtime, beside_all, limited};
use crate::websocket_example::app;

type Socket = WebSocketStream<Async<TcpStream>>;

fn serve(runtime: Runtime) -> Running {
    run_on(runtime, Server::new(service(app()), "127.0.0.1:0"))
}

/// Opens a socket.
async fn open(running: &Running) -> Result<Socket, Error> {
    let stream = Async::<TcpStream>::connect(running.addr).await.unwrap();
    let url = format!("ws://{}/echo", running.addr);
    client_async(url, stream).await.map(|(socket, _)| socket)
}

/// Sends messages, and expects each back.
async fn talk(socket: &mut Socket) {
    for message in [
        Message::text("ä"),
        Message::binary(vec![7; 300_000]),
        Message::text(""),
    ] {
        socket.send(message.clone()).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), message);
    }
    socket.send(Message::Ping("p".into())).await.unwrap();
    assert_eq!(
        socket.next().await.unwrap().unwrap(),
        Message::Pong("p".into())
    );
}

/// Expects that the server goes away, and answers that.
async fn part(mut socket: Socket) {
    let Message::Close(Some(CloseFrame { code, .. })) = socket.next().await.unwrap().unwrap()
    else {
        panic!("no close");
    };
    assert_eq!(code, CloseCode::Away);
    while let Some(Ok(_)) = socket.next().await {}
}

#[test]
fn a_websocket_talks_and_the_client_closes() {
    beside_all(|runtime| {
        let running = serve(runtime);
        async_io::block_on(async {
            let mut socket = open(&running).await.unwrap();
            talk(&mut socket).await;
            socket.close(None).await.unwrap();
            assert!(socket.next().await.unwrap().unwrap().is_close());
            assert!(socket.next().await.is_none());
        });
        let ended = running.stop();
        assert!(ended.report.is_clean(), "{ended:?}");
        assert_eq!(ended.report.found.upgraded, 0);
    });
}

#[test]
fn i10_websockets_are_told_of_the_stop_and_waited_for() {
    beside_all(|runtime| {
        let running = serve(runtime);
        async_io::block_on(async {
            let (mut one, mut other) =
                (open(&running).await.unwrap(), open(&running).await.unwrap());
            talk(&mut one).await;
            talk(&mut other).await;
            running.handle.stop();
            part(one).await;
            part(other).await;
        });
        let ended = running.wait();
        assert!(ended.report.is_clean(), "{ended:?}");
        assert_eq!(ended.report.found.upgraded, 2);
    });
}

#[test]
fn i06_a_client_that_does_not_answer_the_close_is_cut_at_the_deadline() {
    limited(|| {
        let server = Server::new(service(app()), "127.0.0.1:0");
        let running = run(server.drain_timeout(std::time::Duration::from_millis(300)));
        let socket = async_io::block_on(async {
            let mut socket = open(&running).await.unwrap();
            talk(&mut socket).await;
            socket
        });
        let ended = running.stop();
        assert_eq!(ended.report.cut.upgraded, 1, "{ended:?}");
        drop(socket);
    });
}

#[test]
fn what_is_no_handshake_is_answered_and_the_connection_goes_on() {
    limited(|| {
        let running = serve(Runtime::InPlaceOnSmol);
        let mut client = running.connect();
        let upgrade = "connection: upgrade\r\nupgrade: websocket\r\n";
        let key = "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-version: 13\r\n";
        for (fields, body) in [("", ""), (key, ""), (upgrade, "")] {
            client.send(format!(
                "GET /echo HTTP/1.1\r\nhost: a\r\n{fields}\r\n{body}"
            ));
            let answer = client.answer();
            assert_eq!((answer.status, answer.closes()), (400, false), "{fields}");
        }
        // With a body, what is left of it would be taken for the new protocol.
        client.send(format!(
            "GET /echo HTTP/1.1\r\nhost: a\r\n{upgrade}{key}content-length: 2\r\n\r\nhi"
        ));
        assert_eq!(client.answer().status, 400);
        // HTTP/1.0 has no upgrades (RFC 9110, 7.8).
        client.send(format!("GET /echo HTTP/1.0\r\n{upgrade}{key}\r\n"));
        assert_eq!(client.answer().status, 400);
        drop(client);
        assert!(running.stop().report.is_clean());
    });
}

#[test]
fn bytes_behind_the_handshake_are_the_first_of_the_socket() {
    limited(|| {
        let running = serve(Runtime::InPlaceOnSmol);
        let mut client = running.connect();
        client.send(
            b"GET /echo HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
              sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-version: 13\r\n\r\n\
              \x81\x82\0\0\0\0hi\x88\x82\0\0\0\0\x03\xe8",
        );
        let head = client.head().unwrap().unwrap();
        assert!(head.starts_with("http/1.1 101 "), "{head}");
        assert!(
            !head.contains("content-length") && !head.contains("close"),
            "{head}"
        );
        assert_eq!(client.take(8).unwrap(), b"\x81\x02hi\x88\x02\x03\xe8");
        assert!(client.is_closed());
        assert!(running.stop().report.is_clean());
    });
}

/// Asks for the connection in a task, and then answers otherwise, fails, panics, or never answers.
#[test]
fn who_waits_for_a_connection_that_does_not_come_is_told_so() {
    beside_all(|runtime| {
        let (sender, told) = channel();
        let (arrived, arrival) = channel();
        let app = from_fn(move |request: Request<Body>| {
            let context = request.extensions().get::<RequestContext>().unwrap();
            let (upgrade, sender) = (context.upgrade().unwrap(), sender.clone());
            let arrived = arrived.clone();
            // Also where the handler keeps what it has asked.
            let context = context.clone();
            smol::spawn(async move {
                let upgraded = upgrade.await;
                sender.send(upgraded.is_some()).unwrap();
                drop(context);
            })
            .detach();
            async move {
                let mut response = Response::new(AxumBody::from("hello"));
                match request.uri().path() {
                    "/panics" => panic!("as asked"),
                    "/never" => {
                        arrived.send(()).unwrap();
                        std::future::pending().await
                    }
                    "/status" => *response.status_mut() = StatusCode::from_u16(103).unwrap(),
                    _ => {}
                }
                response
            }
        });
        let running = run_on(runtime, Server::new(app, "127.0.0.1:0"));
        for (path, status) in [("/hello", 200), ("/status", 500), ("/panics", 500)] {
            let mut client = running.connect();
            client.send(format!(
                "GET {path} HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"
            ));
            assert_eq!(client.answer().status, status, "{path}");
            assert!(!told.recv_timeout(PATIENCE).unwrap(), "{path}");
        }
        let never = "GET /never HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n";
        // A client that leaves, and one that is cut.
        let mut leaving = running.connect();
        leaving.send(never);
        arrival.recv_timeout(PATIENCE).unwrap();
        leaving.reset();
        assert!(!told.recv_timeout(PATIENCE).unwrap(), "left");
        let mut client = running.connect();
        client.send(never);
        arrival.recv_timeout(PATIENCE).unwrap();
        let _ = running.cancel();
        assert!(!told.recv_timeout(PATIENCE).unwrap(), "cut");
    });
}
