//! What passes between a `Router` and a tide app: fields, addresses, bodies, trailers, errors.

use std::io;

use axum::Router;
use axum::routing::get;
use futures_lite::AsyncReadExt;
use futures_lite::io::BufReader;
use http_types::{Body, Response, StatusCode, Trailers};
use neap::http::{self, RequestExt, Server};

use crate::http_support::{Client, Running, run};
use crate::runtimes::limited;

/// Runs a tide app behind a `Router`, which has `/new` itself.
fn behind(app: tide::Server<()>) -> Running {
    let router = Router::new()
        .route("/new", get("new"))
        .fallback_service(http::tide_service(app));
    run(Server::new(http::service(router), "127.0.0.1:0"))
}

fn ask(client: &mut Client, request: &str) -> (u16, String) {
    let answer = client.send(request).answer();
    (answer.status, answer.text().to_owned())
}

#[test]
fn each_route_is_served_by_its_own() {
    let mut app = tide::new();
    app.at("/old/:name")
        .get(|request: tide::Request<()>| async move {
            let cookie = request.header("cookie").map(|values| values.as_str());
            let answer = format!(
                "{} {} {} {:?} {}",
                request.param("name")?,
                request.url(),
                request
                    .remote()
                    .is_some_and(|remote| remote.starts_with("127.0.0.1:")),
                cookie,
                request.is_ready(),
            );
            Ok(answer)
        });
    let running = behind(app);
    let mut client = running.connect();
    let get = |target: &str, fields: &str| {
        format!("GET {target} HTTP/1.1\r\nhost: a.b:81\r\n{fields}\r\n")
    };
    assert_eq!(ask(&mut client, &get("/new", "")), (200, "new".into()));
    assert_eq!(
        ask(&mut client, &get("/old/x?y=z", "cookie: a=b\r\n")),
        (
            200,
            "x http://a.b:81/old/x?y=z true Some(\"a=b\") true".into()
        )
    );
    // `http_types` holds nothing but ASCII.
    let (status, text) = ask(&mut client, &get("/old/x", "cookie: \u{e4}\r\n"));
    assert!(status == 200 && text.contains("%C3%A4"), "{text}");
    let absolute = get("http://c/old/y", "");
    assert!(
        ask(&mut client, &absolute)
            .1
            .starts_with("y http://c/old/y ")
    );
    assert_eq!(ask(&mut client, &get("/none", "")).0, 404);
}

#[test]
fn trailers_pass_both_ways() {
    let mut app = tide::new();
    app.at("/")
        .post(|mut request: tide::Request<()>| async move {
            let inner: &mut http_types::Request = request.as_mut();
            let receiver = inner.recv_trailers();
            let text = request.body_string().await?;
            let trailers = receiver.await;
            let sum =
                trailers.and_then(|trailers| Some(trailers.get("x-sum")?.as_str().to_owned()));
            let mut response = Response::new(StatusCode::Ok);
            response.set_body(Body::from_reader(BufReader::new(io_of(text)), None));
            let sender = response.send_trailers();
            async_std::task::spawn(async move {
                let mut trailers = Trailers::new();
                trailers.insert("x-back", sum.unwrap_or_default());
                let _ = sender.send(trailers).await;
            });
            Ok(response)
        });
    let running = behind(app);
    let mut client = running.connect();
    client.send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
    client.send("5\r\nhello\r\n0\r\nx-sum: 7\r\n\r\n");
    client.read_until("hello\r\n0\r\nx-back: 7\r\n\r\n");
}

#[test]
fn trailers_that_will_not_come_are_not_waited_for() {
    limited(|| {
        // The app answers, or fails, and leaves the request to a task that does not read it.
        for fails in [false, true] {
            let (sender, receiver) = async_channel::bounded(1);
            let mut app = tide::new();
            app.at("/").post(move |mut request: tide::Request<()>| {
                let sender = sender.clone();
                async move {
                    let inner: &mut http_types::Request = request.as_mut();
                    let trailers = inner.recv_trailers();
                    let wait = async move {
                        sender.send(trailers.await.is_some()).await.unwrap();
                        drop(request);
                    };
                    smol::spawn(wait).detach();
                    match fails {
                        false => Ok("ok"),
                        true => Err(tide::Error::from_str(500, "no")),
                    }
                }
            });
            let running = behind(app);
            let half = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhe";
            let mut client = running.connect();
            let status = if fails { 500 } else { 200 };
            assert_eq!(client.send(half).answer().status, status);
            assert_eq!(receiver.recv_blocking(), Ok(false));
        }
    });
}

fn io_of(text: String) -> impl futures_lite::AsyncRead + Send + Sync + Unpin {
    futures_lite::io::Cursor::new(text.into_bytes()).chain(futures_lite::io::empty())
}

#[test]
fn an_error_of_the_app_has_its_status_and_one_of_a_body_is_told() {
    let mut app = tide::new();
    app.at("/teapot")
        .get(|_| async { Err::<String, _>(tide::Error::from_str(418, "no")) });
    app.at("/breaks").get(|_| async {
        let broken = futures_lite::io::Cursor::new(b"half").chain(Broken);
        Ok(Body::from_reader(BufReader::new(broken), Some(100)))
    });
    let running = behind(app);
    let mut client = running.connect();
    assert_eq!(
        ask(&mut client, "GET /teapot HTTP/1.1\r\nhost: a\r\n\r\n").0,
        418
    );
    client.send("GET /breaks HTTP/1.1\r\nhost: a\r\n\r\n");
    // Nothing of the response was on its way.
    assert_eq!(client.answer().status, 500);
}

/// A body that fails.
struct Broken;

impl futures_lite::AsyncRead for Broken {
    fn poll_read(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        _: &mut [u8],
    ) -> std::task::Poll<io::Result<usize>> {
        std::task::Poll::Ready(Err(io::Error::other("broken")))
    }
}
