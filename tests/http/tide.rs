//! What apps of tide use: nested apps, middleware, files, events, WebSockets, bodies.

use std::io::Write;
use std::time::Duration;

use crate::http_support::{PATIENCE, Running, app, run};
use async_tungstenite::tungstenite::Message;
use async_tungstenite::tungstenite::handshake::derive_accept_key;
use async_tungstenite::tungstenite::protocol::Role;
use async_tungstenite::{WebSocketStream, client_async};
use futures_lite::StreamExt;
use neap::http::{RequestExt, Server};
use tide::utils::{After, Before};
use tide::{Redirect, Request, Response};

fn serve(app: tide::Server<()>) -> Running {
    run(Server::new(app, "127.0.0.1:0"))
}

#[test]
fn nested_apps_middleware_and_state() {
    let mut inner = tide::with_state(7_u32);
    inner.at("/state").get(|request: Request<u32>| async move {
        Ok(format!("{} {}", request.state(), request.is_ready()))
    });
    let mut app = tide::new();
    app.with(Before(|mut request: Request<()>| async move {
        request.set_ext("before");
        request
    }));
    app.with(After(|mut response: Response| async move {
        response.insert_header("x-after", "yes");
        Ok(response)
    }));
    app.at("/inner").nest(inner);
    app.at("/ext")
        .get(|request: Request<()>| async move { Ok(*request.ext::<&'static str>().unwrap()) });
    app.at("/moved").get(Redirect::new("/ext"));
    let running = serve(app);
    let mut client = running.connect();
    assert_eq!(client.get("/inner/state").answer().text(), "7 true");
    let answer = client.get("/ext").answer();
    assert_eq!(answer.text(), "before");
    assert!(answer.head.contains("\r\nx-after: yes\r\n"), "{answer:?}");
    let answer = client.get("/moved").answer();
    assert!(
        answer.status == 302 && answer.head.contains("location: /ext"),
        "{answer:?}"
    );
    assert_eq!(client.get("/nowhere").answer().status, 404);
    running.stop();
}

#[test]
fn the_request_says_where_it_comes_from() {
    let mut app = tide::new();
    app.at("/who").all(|request: Request<()>| async move {
        let (peer, local) = (request.peer_addr().unwrap(), request.local_addr().unwrap());
        let (host, query) = (
            request.host().unwrap(),
            request.url().query().unwrap_or("none"),
        );
        Ok(format!(
            "{peer} {local} {host} {query} {}",
            request.version().unwrap()
        ))
    });
    let running = serve(app);
    let mut client = running.connect();
    let (peer, local) = (client.stream.local_addr().unwrap(), running.addr);
    let answer = client.get("/who?x=y").answer();
    assert_eq!(answer.text(), format!("{peer} {local} a x=y HTTP/1.1"));
    let answer = client.get("/who").answer();
    assert_eq!(answer.text(), format!("{peer} {local} a none HTTP/1.1"));
    running.stop();
}

#[test]
fn directories_are_served() {
    let directory = std::env::temp_dir().join(format!("neap-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("page.html"), "<p>".repeat(100_000)).unwrap();
    let mut app = tide::new();
    app.at("/files").serve_dir(&directory).unwrap();
    let running = serve(app);
    let answer = running.connect().get("/files/page.html").answer();
    assert_eq!((answer.status, answer.body.len()), (200, 300_000));
    assert!(
        answer.head.contains("content-type: text/html"),
        "{}",
        answer.head
    );
    running.stop();
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn events_are_sent_as_they_come() {
    let mut app = tide::new();
    app.at("/events").get(tide::sse::endpoint(
        |request: Request<()>, sender: tide::sse::Sender| async move {
            sender.send("hello", "one", None).await?;
            request.stop_token().stopped().await;
            sender.send("bye", "two", None).await?;
            Ok(())
        },
    ));
    let running = serve(app);
    let mut client = running.connect();
    let head = client.get("/events").head().unwrap().unwrap();
    assert!(head.contains("transfer-encoding: chunked"), "{head}");
    client.read_until("data:one");
    running.handle.stop();
    client.read_until("data:two");
    client.read_until("\r\n0\r\n\r\n");
    let ended = running.wait();
    assert!(ended.report.is_clean(), "{ended:?}");
}

#[test]
fn a_websocket_talks_and_ends_at_the_stop() {
    let mut app = tide::new();
    app.at("/ws").get(|request: Request<()>| async move {
        let key = request.header("sec-websocket-key").unwrap().as_str();
        let mut response = Response::new(101);
        response.insert_header("upgrade", "websocket");
        response.insert_header("connection", "Upgrade");
        response.insert_header("sec-websocket-accept", derive_accept_key(key.as_bytes()));
        let inner: &mut http_types::Response = response.as_mut();
        let upgrade = inner.recv_upgrade().await;
        let token = request.stop_token();
        async_std::task::spawn(async move {
            let connection = upgrade.await.unwrap();
            let mut socket = WebSocketStream::from_raw_socket(connection, Role::Server, None).await;
            while let Some(Some(Ok(message))) = token.run_until_stopped(socket.next()).await {
                if message.is_text() {
                    socket.send(message).await.unwrap();
                }
            }
            let _ = socket.close(None).await;
        });
        Ok(response)
    });
    let running = serve(app);
    let ended = async_io::block_on(async {
        let stream = async_io::Async::<std::net::TcpStream>::connect(running.addr)
            .await
            .unwrap();
        let url = format!("ws://{}/ws", running.addr);
        let (mut socket, _) = client_async(url, stream).await.unwrap();
        for text in ["one", "two"] {
            socket.send(Message::text(text)).await.unwrap();
            assert_eq!(socket.next().await.unwrap().unwrap(), Message::text(text));
        }
        running.handle.stop();
        assert!(socket.next().await.unwrap().unwrap().is_close());
        drop(socket);
        running.wait()
    });
    assert!(ended.report.is_clean(), "{ended:?}");
    assert_eq!(ended.report.found.upgraded, 1);
}

#[test]
fn bodies_go_in_and_out_in_every_framing() {
    let running = serve(app());
    let mut client = running.connect();
    let large = "x".repeat(200_000);
    for body in ["", "hello", &large] {
        let length = body.len();
        client.send(format!(
            "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n{body}"
        ));
        assert_eq!(client.answer().text(), body);
        client.send("POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
        for part in body.as_bytes().chunks(7000) {
            client
                .send(format!("{:x}\r\n", part.len()))
                .send(part)
                .send("\r\n");
        }
        let answer = client.send("0\r\n\r\n").answer();
        assert_eq!(answer.text(), body);
    }
    // To HTTP/1.0, without a length: the body ends with the connection.
    client.send("POST /echo HTTP/1.0\r\nconnection: keep-alive\r\ncontent-length: 5\r\n\r\nhello");
    let answer = client.answer();
    assert!(answer.head.contains("connection: keep-alive"), "{answer:?}");
    // To HEAD: the length without the body.
    client.send("HEAD /bytes/9 HTTP/1.1\r\nhost: a\r\n\r\n");
    let head = client.head().unwrap().unwrap();
    assert!(head.contains("content-length: 9"), "{head}");
    assert_eq!(client.get("/hello").answer().text(), "Hello World!");
    running.stop();
}

#[test]
fn a_body_is_asked_for_when_it_is_read() {
    let running = serve(app());
    let head = "HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n";
    let mut client = running.connect();
    client.send(format!("POST /read {head}"));
    assert!(client.head().unwrap().unwrap().starts_with("http/1.1 100 "));
    let answer = client.send("hello").answer();
    assert_eq!((answer.text(), answer.closes()), ("hello", false));
    // No handler reads this body, so the client is not asked for it, and the connection closes.
    let answer = client.send(format!("POST /hello {head}")).answer();
    assert!(answer.status == 405 && answer.closes(), "{answer:?}");
    running.stop();
}

#[test]
fn a_body_is_asked_for_when_the_response_streams_it() {
    let running = serve(app());
    for version in ["1.1", "1.0"] {
        let mut client = running.connect();
        let fields = "host: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n";
        client.send(format!("POST /echo HTTP/{version}\r\n{fields}"));
        // HTTP/1.0 does not know it, and sends its body unasked.
        if version == "1.1" {
            let head = client.head().unwrap().unwrap();
            assert!(head.starts_with("http/1.1 100 "), "{head}");
        }
        assert_eq!(client.send("hello").answer().text(), "hello");
        assert!(client.is_closed());
    }
    running.stop();
}

#[test]
fn a_body_nobody_reads_is_passed_over_up_to_a_limit() {
    let running = serve(app());
    let mut client = running.connect();
    let post = |length: usize| {
        format!("POST /hello HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n")
    };
    let answer = client
        .send(post(100_000))
        .send("x".repeat(100_000))
        .answer();
    assert!(answer.status == 405 && !answer.closes(), "{answer:?}");
    let answer = client.send(post(1_000_000)).answer();
    assert!(answer.closes(), "{answer:?}");
    let _ = client.stream.write_all(&[b'x'; 1000]);
    running.stop();
}

#[test]
fn i05_a_stalled_body_that_nobody_reads_does_not_hold_up_a_stop() {
    let running = serve(app());
    let mut client = running.connect();
    client.send("POST /hello HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n0123456789");
    assert_eq!(client.answer().status, 405);
    let ended = running.stop();
    assert!(ended.result.is_ok(), "{ended:?}");
    // The drain timeout is ten seconds, the body's thirty.
    assert!(ended.took < Duration::from_secs(5), "{ended:?}");
}

#[test]
fn a_body_that_is_read_after_its_answer_is_an_error_and_never_short() {
    let (sender, read) = std::sync::mpsc::channel();
    let mut app = tide::new();
    app.at("/late").post(move |mut request: Request<()>| {
        let (body, sender) = (request.take_body(), sender.clone());
        async move {
            async_std::task::spawn(async move {
                let polls = std::sync::atomic::AtomicU32::new(0);
                let mut reading = std::pin::pin!(body.into_bytes());
                let result = std::future::poll_fn(|cx| {
                    polls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    std::future::Future::poll(reading.as_mut(), cx)
                });
                let result = result.await;
                sender.send((result.is_err(), polls.into_inner())).unwrap();
            });
            Ok("answered")
        }
    });
    let running = serve(app);
    let mut client = running.connect();
    client.send("POST /late HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n");
    assert_eq!(client.answer().text(), "answered");
    std::thread::sleep(Duration::from_millis(50));
    client.send("0123456789");
    let (is_error, polls) = read.recv_timeout(PATIENCE).unwrap();
    assert!(is_error, "it was short");
    assert!(polls < 100, "{polls} polls");
    assert!(running.stop().result.is_ok());
}

#[test]
fn no_timeout_is_taken_for_none() {
    let server = Server::new(app(), "127.0.0.1:0")
        .keep_alive_timeout(Duration::MAX)
        .head_timeout(Duration::MAX)
        .body_timeout(Duration::MAX)
        .write_timeout(Duration::MAX)
        .linger(Duration::MAX)
        .idle_grace(Duration::MAX)
        .drain_timeout(Duration::MAX);
    let running = run(server);
    let mut client = running.connect();
    // Once the answer is there, the beginning behind its request has been read, too.
    client.get("/hello").send("GET /hello HT");
    assert_eq!(client.answer().text(), "Hello World!");
    let answer = client.send("TP/1.1\r\nhost: a\r\n\r\n").answer();
    assert_eq!(answer.text(), "Hello World!");
    drop(client);
    assert!(running.stop().report.is_clean());
}
