//! The layers of tower-http.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Request, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tower_http::auth::AsyncRequireAuthorizationLayer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::CorsLayer;
use tower_http::request_id::{
    MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer,
};
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::trace::TraceLayer;

use crate::runtimes::limited;
use crate::serve;

#[allow(clippy::panic)]
async fn panics() {
    panic!("as asked")
}

fn router() -> Router {
    Router::new()
        .route("/", get(async || "hello"))
        .route("/panic", get(panics))
}

#[test]
fn trace_sees_requests_responses_and_ends_of_bodies() {
    limited(|| {
        let counts: Arc<[AtomicUsize; 5]> = Arc::default();
        let count = |at: usize| {
            let counts = Arc::clone(&counts);
            move || {
                counts[at].fetch_add(1, Ordering::Relaxed);
            }
        };
        let (request, response, chunk, eos, failure) =
            (count(0), count(1), count(2), count(3), count(4));
        let layer = TraceLayer::new_for_http()
            .on_request(move |_: &Request<_>, _: &_| request())
            .on_response(move |_: &_, _, _: &_| response())
            .on_body_chunk(move |_: &_, _, _: &_| chunk())
            .on_eos(move |_: Option<&_>, _, _: &_| eos())
            .on_failure(move |_, _, _: &_| failure());
        let stream = || {
            let parts = futures_lite::stream::iter(["a", "b"].map(Ok::<_, std::io::Error>));
            axum::body::Body::from_stream(parts)
        };
        let running = serve(
            router()
                .route("/stream", get(async move || stream()))
                .layer(layer),
        );
        let mut client = running.connect();
        assert_eq!(client.get("/stream").answer().text(), "ab");
        assert_eq!(client.get("/").answer().text(), "hello");
        drop(client);
        assert!(running.stop().report.is_clean());
        let counted = counts.each_ref().map(|count| count.load(Ordering::Relaxed));
        // The body whose length is known is not read to its end, as there is nothing behind it.
        assert_eq!(counted, [2, 2, 3, 1, 0]);
    });
}

#[test]
fn cors_answers_a_preflight_and_marks_an_answer() {
    limited(|| {
        let layer = CorsLayer::new()
            .allow_origin("http://b".parse::<HeaderValue>().unwrap())
            .allow_methods([axum::http::Method::GET]);
        let running = serve(router().layer(layer));
        let mut client = running.connect();
        client.send("OPTIONS / HTTP/1.1\r\nhost: a\r\norigin: http://b\r\n");
        let answer = client
            .send("access-control-request-method: GET\r\n\r\n")
            .answer();
        assert_eq!((answer.status, answer.text()), (200, ""));
        assert!(
            answer
                .head
                .contains("\r\naccess-control-allow-methods: get\r\n"),
            "{answer:?}"
        );
        let answer = client
            .send("GET / HTTP/1.1\r\nhost: a\r\norigin: http://b\r\n\r\n")
            .answer();
        assert!(
            answer
                .head
                .contains("\r\naccess-control-allow-origin: http://b\r\n"),
            "{answer:?}"
        );
        drop(client);
        assert!(running.stop().report.is_clean());
    });
}

#[test]
fn catch_panic_answers_and_the_connection_goes_on() {
    limited(|| {
        let running = serve(router().layer(CatchPanicLayer::new()));
        let mut client = running.connect();
        let answer = client.get("/panic").answer();
        assert_eq!((answer.status, answer.closes()), (500, false), "{answer:?}");
        assert_eq!(client.get("/").answer().text(), "hello");
        drop(client);
        assert!(running.stop().report.is_clean());
    });
}

#[test]
fn without_it_a_panic_is_answered_and_closes() {
    limited(|| {
        let running = serve(router());
        let mut client = running.connect();
        let answer = client.get("/panic").answer();
        assert_eq!((answer.status, answer.closes()), (500, true), "{answer:?}");
        assert!(client.is_closed());
        assert_eq!(running.connect().get("/").answer().text(), "hello");
        assert!(running.stop().report.is_clean());
    });
}

#[derive(Clone, Default)]
struct Numbers(Arc<AtomicUsize>);

impl MakeRequestId for Numbers {
    fn make_request_id<B>(&mut self, _: &Request<B>) -> Option<RequestId> {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        Some(RequestId::new(number.to_string().parse().ok()?))
    }
}

#[test]
fn each_request_has_an_id_of_its_own() {
    limited(|| {
        let id = HeaderName::from_static("x-request-id");
        let server = HeaderValue::from_static("neap");
        let router = router()
            .layer(SetResponseHeaderLayer::if_not_present(
                header::SERVER,
                server,
            ))
            .layer(PropagateRequestIdLayer::new(id.clone()))
            .layer(SetRequestIdLayer::new(id, Numbers::default()));
        let running = serve(router);
        let mut client = running.connect();
        // Also where the head is a repeated one: a layer of the one before must not be seen.
        for number in 0..5 {
            let answer = client.get("/").answer();
            let line = format!("\r\nx-request-id: {number}\r\n");
            assert!(answer.head.contains(&line), "{answer:?}");
            assert!(answer.head.contains("\r\nserver: neap\r\n"), "{answer:?}");
        }
        let answer = client
            .send("GET / HTTP/1.1\r\nhost: a\r\nx-request-id: mine\r\n\r\n")
            .answer();
        assert!(
            answer.head.contains("\r\nx-request-id: mine\r\n"),
            "{answer:?}"
        );
        drop(client);
        assert!(running.stop().report.is_clean());
    });
}

#[test]
fn auth_lets_through_who_has_the_key() {
    limited(|| {
        let layer = AsyncRequireAuthorizationLayer::new(async |request: Request<Body>| {
            let key = request.headers().get(header::AUTHORIZATION);
            let has_key = key.is_some_and(|key| key == "Bearer secret");
            // The request goes on, or this is the answer.
            match has_key {
                true => Ok(request),
                false => Err(StatusCode::UNAUTHORIZED.into_response()),
            }
        });
        let running = serve(router().layer(layer));
        let mut client = running.connect();
        assert_eq!(client.get("/").answer().status, 401);
        client.send("GET / HTTP/1.1\r\nhost: a\r\nauthorization: Bearer secret\r\n\r\n");
        assert_eq!(client.answer().text(), "hello");
        drop(client);
        assert!(running.stop().report.is_clean());
    });
}
