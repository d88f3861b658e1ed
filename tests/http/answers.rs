//! What a response may be, by its status and by what was asked.

use neap::http::Server;
use tide::{Body, Request, Response, StatusCode};

use crate::http_support::{app, run};

/// An app that answers with the status in the path, and a body.
fn statuses() -> tide::Server<()> {
    let mut app = app();
    app.at("/status/:status")
        .all(|request: Request<()>| async move {
            let status: u16 = request.param("status")?.parse()?;
            let status = StatusCode::try_from(status)?;
            Ok(Response::builder(status)
                .body(Body::from_string("body".into()))
                .build())
        });
    app.at("/host").get(host);
    app
}

/// Answers with the host that the request names.
async fn host(request: Request<()>) -> tide::Result<String> {
    let host = request.header("host").map(|host| host.as_str().to_owned());
    Ok(host.unwrap_or_default())
}

#[test]
fn an_informational_status_is_no_answer() {
    let running = run(Server::new(statuses(), "127.0.0.1:0"));
    let mut client = running.connect();
    for status in [100, 102, 103] {
        assert_eq!(
            client.get(&format!("/status/{status}")).answer().status,
            500
        );
    }
    // Nor does a client that has not asked for it have its protocol switched.
    assert_eq!(client.get("/status/101").answer().status, 500);
    assert_eq!(client.get("/hello").answer().text(), "Hello World!");
    let upgrade = "GET /upgrade HTTP/1.0\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
    assert_eq!(running.connect().send(upgrade).answer().status, 500);
    running.stop();
}

#[test]
fn what_has_no_body_has_no_length_either() {
    let running = run(Server::new(statuses(), "127.0.0.1:0"));
    let mut client = running.connect();
    let head = "HEAD /status/204 HTTP/1.1\r\nhost: a\r\n\r\n";
    let head = client.send(head).head().unwrap().unwrap();
    assert!(!head.contains("content-length"), "{head}");
    let head = "HEAD /status/205 HTTP/1.1\r\nhost: a\r\n\r\n";
    let head = client.send(head).head().unwrap().unwrap();
    assert!(head.contains("content-length: 0\r\n"), "{head}");
    let reset = client.get("/status/205").answer();
    assert!(reset.head.contains("content-length: 0\r\n"), "{reset:?}");
    assert!(reset.body.is_empty());
    assert_eq!(client.get("/hello").answer().text(), "Hello World!");
    running.stop();
}

#[test]
fn a_target_with_a_host_replaces_the_field() {
    let running = run(Server::new(statuses(), "127.0.0.1:0"));
    let mut client = running.connect();
    let absolute = "GET http://b:81/host HTTP/1.1\r\nhost: a\r\n\r\n";
    assert_eq!(client.send(absolute).answer().text(), "b:81");
    running.stop();
}

#[test]
fn a_host_is_served_that_a_url_does_not_take() {
    let running = run(Server::new(statuses(), "127.0.0.1:0"));
    let mut client = running.connect();
    for host in [
        "pod.1",
        "1.2.3.400:80",
        "[fe80::1%25eth0]",
        "a%2Fb",
        "x_y",
        ":80",
    ] {
        for _ in 0..4 {
            client.send(format!("GET /host HTTP/1.1\r\nhost: {host}\r\n\r\n"));
            assert_eq!(client.answer().text(), host);
        }
        if host.starts_with(':') {
            continue;
        }
        client.send(format!(
            "GET http://{host}/host HTTP/1.1\r\nhost: a\r\n\r\n"
        ));
        assert_eq!(client.answer().text(), host);
    }
    running.stop();
}

#[test]
fn a_target_without_a_host_leaves_the_field() {
    let mut app = tide::new();
    app.at("/*").all(host);
    let running = run(Server::new(app, "127.0.0.1:0"));
    let asterisk = "OPTIONS * HTTP/1.1\r\nhost: A.example:80\r\n\r\n";
    let answer = running.connect().send(asterisk).answer();
    assert_eq!(answer.text(), "A.example:80");
    running.stop();
}

#[test]
fn what_follows_a_connect_is_no_request() {
    let app = |_| async { Ok(http_types::Response::from("answered")) };
    let running = run(Server::new(neap::http::from_tide_fn(app), "127.0.0.1:0"));
    let connect = "CONNECT b:443 HTTP/1.1\r\nhost: b:443\r\n\r\n";
    let tunnelled = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    let mut client = running.connect();
    let answer = client.send(connect.to_owned() + tunnelled).answer();
    assert_eq!((answer.status, answer.closes()), (200, true));
    assert!(answer.body.is_empty(), "{answer:?}");
    running.stop();
}

#[test]
fn an_error_with_an_informational_status_is_no_answer() {
    for status in [StatusCode::EarlyHints, StatusCode::SwitchingProtocols] {
        let fail = move |_| async move { Err(http_types::Error::from_str(status, "no")) };
        let running = run(Server::new(neap::http::from_tide_fn(fail), "127.0.0.1:0"));
        assert_eq!(running.connect().get("/").answer().status, 500);
        running.stop();
    }
}

#[test]
fn trailers_that_will_not_come_are_not_waited_for() {
    let (sender, receiver) = async_channel::bounded(1);
    let app = move |mut request: http_types::Request| {
        let sender = sender.clone();
        async move {
            let wait = async move { sender.send(request.recv_trailers().await.is_some()).await };
            smol::spawn(wait).detach();
            Ok(http_types::Response::from("ok"))
        }
    };
    let running = run(Server::new(neap::http::from_tide_fn(app), "127.0.0.1:0"));
    let half = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhe";
    let mut client = running.connect();
    assert_eq!(client.send(half).answer().status, 200);
    assert_eq!(receiver.recv_blocking(), Ok(false));
    running.stop();
}
