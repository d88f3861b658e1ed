//! Services of tower that are no `Router`.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Mutex;
use std::task::{Context, Poll};

use axum::body::Body as AxumBody;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use log::{LevelFilter, Log, Metadata, Record};
use neap::http::{App, Body, Server, from_fn, service};
use tower::{Service, ServiceExt, service_fn};

use crate::http_support::{Running, run};
use crate::runtimes::limited;

fn serve(app: impl App + 'static) -> Running {
    run(Server::new(app, "127.0.0.1:0"))
}

/// Answers with the path and the body of the request.
async fn echo(request: Request<Body>) -> Result<Response<String>, Infallible> {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    Ok(Response::new(format!("{path} {body:?}")))
}

const POST: &str = "POST /a HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi";

#[test]
fn functions_and_what_tower_makes_of_them() {
    limited(|| {
        let mapped = service_fn(echo).map_response(|mut response: Response<String>| {
            response.headers_mut().insert("x-mapped", 1.into());
            response
        });
        let boxed = tower::util::BoxCloneSyncService::new(service_fn(echo));
        let of_request = from_fn(async |request| echo(request).await.unwrap());
        let running = [
            serve(service(service_fn(echo))),
            serve(service(mapped)),
            serve(service(boxed)),
            serve(of_request),
        ];
        for (at, running) in running.into_iter().enumerate() {
            let mut client = running.connect();
            for _ in 0..4 {
                let answer = client.send(POST).answer();
                assert_eq!(answer.text(), "/a b\"hi\"");
                assert_eq!(answer.head.contains("\r\nx-mapped: 1\r\n"), at == 1);
            }
            drop(client);
            assert!(running.stop().report.is_clean());
        }
    });
}

/// A service that is pending twice before it is ready, and must not be called before that.
#[derive(Clone)]
struct NotAtOnce {
    polls: u32,
    fails: bool,
}

impl Service<Request<Body>> for NotAtOnce {
    type Response = Response<Full<bytes::Bytes>>;
    type Error = &'static str;
    type Future = Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.polls += 1;
        if self.polls < 3 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(match self.fails {
            true => Err("never ready"),
            false => Ok(()),
        })
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        assert_eq!(self.polls, 3, "it was not ready, or not cloned");
        ready(Ok(Response::new("at last".into())))
    }
}

#[test]
fn a_service_is_called_once_it_is_ready() {
    limited(|| {
        let running = serve(service(NotAtOnce {
            polls: 0,
            fails: false,
        }));
        let mut client = running.connect();
        for _ in 0..4 {
            assert_eq!(client.get("/").answer().text(), "at last");
        }
        drop(client);
        assert!(running.stop().report.is_clean());
    });
}

/// Keeps the records of errors.
struct Keeper(Mutex<Vec<String>>);

static KEEPER: Keeper = Keeper(Mutex::new(Vec::new()));

impl Log for Keeper {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() == log::Level::Error
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            self.0.lock().unwrap().push(record.args().to_string());
        }
    }

    fn flush(&self) {}
}

#[test]
fn a_service_that_fails_is_answered_for_and_logged() {
    limited(|| {
        log::set_logger(&KEEPER).unwrap();
        // The others too, so that what would be logged is at least formatted.
        log::set_max_level(LevelFilter::Trace);
        let call = service_fn(async |request: Request<Body>| match request.uri().path() {
            "/fails" => Err(std::io::Error::other("out of tea")),
            _ => Ok(Response::new(AxumBody::from("hello"))),
        });
        for (app, path, error) in [
            (serve(service(call)), "/fails", "out of tea"),
            (
                serve(service(NotAtOnce {
                    polls: 0,
                    fails: true,
                })),
                "/",
                "never ready",
            ),
        ] {
            let mut client = app.connect();
            for _ in 0..4 {
                let answer = client.get(path).answer();
                // The connection goes on.
                assert_eq!(
                    (answer.status, answer.text(), answer.closes()),
                    (500, "", false)
                );
            }
            if path == "/fails" {
                assert_eq!(client.get("/").answer().text(), "hello");
            }
            drop(client);
            assert!(app.stop().report.is_clean());
            let kept = KEEPER.0.lock().unwrap();
            let end = format!("failed: {error}");
            assert_eq!(
                kept.iter().filter(|text| text.ends_with(&end)).count(),
                4,
                "{kept:?}"
            );
        }
    });
}

#[test]
fn an_answer_that_is_not_final_is_a_500() {
    limited(|| {
        let running = serve(from_fn(async |request: Request<Body>| {
            let status = request
                .uri()
                .path()
                .trim_start_matches('/')
                .parse()
                .unwrap();
            let mut response = Response::new(AxumBody::empty());
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            response
        }));
        let mut client = running.connect();
        for status in ["100", "101", "103", "199"] {
            assert_eq!(
                client.get(&format!("/{status}")).answer().status,
                500,
                "{status}"
            );
        }
        for status in [200, 299, 404, 599, 999] {
            assert_eq!(client.get(&format!("/{status}")).answer().status, status);
        }
        drop(client);
        assert!(running.stop().report.is_clean());
    });
}
