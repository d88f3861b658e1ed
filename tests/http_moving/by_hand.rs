//! A tide app as a service that no server of neap calls: its requests are those of a layer, or of another server.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_lite::AsyncReadExt;
use futures_lite::future::block_on;
use http::{Request, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
use neap::http::{self as neap_http, TideService};
use tower::ServiceExt;

/// A body of these frames, which must not be polled behind its end, or its error.
struct Once {
    frames: Vec<Result<&'static str, io::Error>>,
    has_ended: bool,
    length: Option<u64>,
}

fn once(frames: impl IntoIterator<Item = Result<&'static str, io::Error>>) -> Once {
    let mut frames: Vec<_> = frames.into_iter().collect();
    frames.reverse();
    Once {
        frames,
        has_ended: false,
        length: None,
    }
}

impl Body for Once {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        assert!(!self.has_ended, "polled behind the end");
        let frame = self.frames.pop();
        self.has_ended = !matches!(frame, Some(Ok(_)));
        Poll::Ready(frame.map(|frame| frame.map(|text| Frame::data(text.into()))))
    }

    fn size_hint(&self) -> SizeHint {
        self.length
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// Has a service answer a request.
fn ask<S, B, R>(service: S, uri: &str, body: B) -> (StatusCode, String)
where
    S: tower::Service<Request<B>, Response = http::Response<R>, Error = Infallible>,
    R: Body<Error: std::fmt::Debug>,
{
    let request = Request::post(uri).header("host", "a").body(body).unwrap();
    block_on(async {
        let response = service
            .oneshot(request)
            .await
            .unwrap_or_else(|never| match never {});
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (parts.status, String::from_utf8(body.into()).unwrap())
    })
}

type App = TideService<tide::Server<()>>;

/// Reads each body three times, and answers with what comes of that.
fn reading() -> App {
    let mut app = tide::new();
    app.at("/")
        .post(|mut request: tide::Request<()>| async move {
            let mut text = String::new();
            for _ in 0..3 {
                let mut body = Vec::new();
                let request: &mut http_types::Request = request.as_mut();
                let read = request.read_to_end(&mut body).await;
                let read = read.map_err(|error| error.kind());
                text += &format!("{read:?} {};", body.escape_ascii());
            }
            Ok(text)
        });
    neap_http::tide_service(app)
}

#[test]
fn a_body_is_not_polled_behind_its_end() {
    let (_, text) = ask(reading(), "/", once([Ok("hel"), Ok(""), Ok("lo")]));
    assert_eq!(text, "Ok(5) hello;Ok(0) ;Ok(0) ;");
}

#[test]
fn what_has_failed_is_not_whole_afterwards() {
    let broken = io::Error::from(ErrorKind::TimedOut);
    let (_, text) = ask(reading(), "/", once([Ok("hel"), Err(broken)]));
    assert_eq!(text, "Err(TimedOut) hel;Err(TimedOut) ;Err(TimedOut) ;");
    // A `Router` has the error in one of its own.
    let router = axum::Router::new().fallback_service(reading());
    let broken = io::Error::from(ErrorKind::TimedOut);
    let (_, text) = ask(router, "/", axum::body::Body::new(once([Err(broken)])));
    assert_eq!(text, "Err(TimedOut) ;Err(TimedOut) ;Err(TimedOut) ;");
}

#[test]
fn a_body_that_is_shorter_than_it_says_is_not_whole() {
    let mut short = once([Ok("hel")]);
    short.length = Some(5);
    let (_, text) = ask(reading(), "/", short);
    assert_eq!(
        text,
        "Err(UnexpectedEof) hel;Err(UnexpectedEof) ;Err(UnexpectedEof) ;"
    );
    let mut long = once([Ok("hel"), Ok("lo")]);
    long.length = Some(4);
    let (_, text) = ask(reading(), "/", long);
    assert_eq!(text, "Ok(4) hell;Ok(0) ;Ok(0) ;");
}

#[test]
fn a_path_that_a_url_would_change_is_refused() {
    let mut app = tide::new();
    app.at("/*")
        .post(|request: tide::Request<()>| async move { Ok(request.url().to_string()) });
    let ask = |uri: &str| {
        ask(
            neap_http::tide_service(app.clone()),
            uri,
            Full::<Bytes>::default(),
        )
    };
    for uri in [
        "/a/../b",
        "/a/%2E%2e/b",
        "/./b",
        "/x\\..\\b",
        "/{a}",
        "http://c/a/../b",
        "/b/..",
    ] {
        assert_eq!(ask(uri), (StatusCode::BAD_REQUEST, String::new()), "{uri}");
    }
    for (uri, url) in [
        ("/a//b/..c/%2f?d=/../e", "http://a/a//b/..c/%2f?d=/../e"),
        ("http://c/b", "http://c/b"),
        ("http://pod.1/b?c", "http://localhost/b?c"),
    ] {
        assert_eq!(ask(uri), (StatusCode::OK, url.to_owned()));
    }
}
