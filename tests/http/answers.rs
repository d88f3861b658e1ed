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
    app.at("/host").get(|request: Request<()>| async move {
        let host = request.header("host").map(|host| host.as_str().to_owned());
        Ok(host.unwrap_or_default())
    });
    app
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
