//! What an axum `Router` has: extractors and their rejections, state, nested routers, fallbacks.

use axum::extract::{
    DefaultBodyLimit, Form, MatchedPath, Multipart, OriginalUri, Path, Query, State,
};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect};
use axum::routing::{any, get, post};
use axum::{Extension, Json, Router};
use neap::http::{self, RequestContext};
use serde::{Deserialize, Serialize};

use crate::http_support::{Answer, Client};
use crate::runtimes::{beside_all, limited};
use crate::{Running, serve, serve_on};

#[derive(Deserialize, Serialize)]
struct Person {
    name: String,
    age: u8,
}

fn router() -> Router {
    let greet = |person: Person| format!("{} is {}", person.name, person.age);
    Router::new()
        .route(
            "/json",
            post(async |Json(person): Json<Person>| Json(person)),
        )
        .route("/query", get(async move |Query(person)| greet(person)))
        .route("/form", post(async move |Form(person)| greet(person)))
        .route(
            "/at/{x}/{y}",
            get(async |Path((x, y)): Path<(i32, i32)>| (x + y).to_string()),
        )
        .route("/rest/{*rest}", get(async |Path(rest): Path<String>| rest))
        .route("/multipart", post(multipart))
        .route("/text", post(async |text: String| text))
        .route("/html", get(async || Html("<p>")))
        .route("/moved", get(async || Redirect::permanent("/html")))
        .route(
            "/error",
            get(async || (StatusCode::IM_A_TEAPOT, [("x-tea", "mint")], "short")),
        )
        .layer(DefaultBodyLimit::max(100_000))
}

/// Answers with the names and the lengths of the parts.
async fn multipart(mut parts: Multipart) -> Result<String, StatusCode> {
    let mut text = String::new();
    while let Some(part) = parts.next_field().await.map_err(|error| error.status())? {
        let name = part.name().unwrap_or_default().to_owned();
        let bytes = part.bytes().await.map_err(|error| error.status())?;
        text += &format!("{name} {} ", bytes.len());
    }
    Ok(text)
}

/// Sends a body of this type.
fn send(client: &mut Client, path: &str, kind: &str, body: &str) -> Answer {
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nhost: a\r\ncontent-type: {kind}\r\n");
    client
        .send(format!("{head}content-length: {length}\r\n\r\n{body}"))
        .answer()
}

#[test]
fn extractors_read_what_was_sent() {
    beside_all(|runtime| {
        let running = serve_on(runtime, router());
        let mut client = running.connect();
        let json = r#"{"name":"Ä","age":3}"#;
        let answer = send(&mut client, "/json", "application/json", json);
        assert_eq!(answer.text(), json);
        assert!(
            answer
                .head
                .contains("\r\ncontent-type: application/json\r\n"),
            "{answer:?}"
        );
        let answer = client.get("/query?age=4&name=a%20b+c").answer();
        assert_eq!(answer.text(), "a b c is 4");
        let answer = send(
            &mut client,
            "/form",
            "application/x-www-form-urlencoded",
            "name=a%26b&age=5",
        );
        assert_eq!(answer.text(), "a&b is 5");
        assert_eq!(client.get("/at/20/-3").answer().text(), "17");
        assert_eq!(client.get("/rest/a/b%2Fc").answer().text(), "a/b/c");
        assert_eq!(client.get("/html").answer().text(), "<p>");
        let answer = client.get("/error").answer();
        assert_eq!((answer.status, answer.text()), (418, "short"));
        assert!(answer.head.contains("\r\nx-tea: mint\r\n"), "{answer:?}");
        drop(client);
        assert!(running.stop().report.is_clean());
    });
}

#[test]
fn parts_of_a_form_are_read_as_they_come() {
    limited(|| {
        let running = serve(router());
        let mut client = running.connect();
        let file = "x".repeat(70_000);
        let body = format!(
            "--b\r\ncontent-disposition: form-data; name=\"one\"\r\n\r\n1\r\n\
             --b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n{file}\r\n--b--\r\n"
        );
        let kind = "multipart/form-data; boundary=b";
        let answer = send(&mut client, "/multipart", kind, &body);
        assert_eq!(answer.text(), "one 1 file 70000 ");
        // The same, in chunks that end anywhere.
        client.send(format!(
            "POST /multipart HTTP/1.1\r\nhost: a\r\ncontent-type: {kind}\r\n"
        ));
        client.send("transfer-encoding: chunked\r\n\r\n");
        for part in body.as_bytes().chunks(999) {
            client
                .send(format!("{:x}\r\n", part.len()))
                .send(part)
                .send("\r\n");
        }
        assert_eq!(
            client.send("0\r\n\r\n").answer().text(),
            "one 1 file 70000 "
        );
        drop(client);
        assert!(running.stop().report.is_clean());
    });
}

#[test]
fn what_an_extractor_refuses_is_answered_by_it() {
    limited(|| {
        let running = serve(router());
        let table = [
            ("/json", "application/json", "{", 400),
            ("/json", "application/json", r#"{"name":"a"}"#, 422),
            ("/json", "text/plain", "{}", 415),
            ("/form", "text/plain", "name=a", 415),
            ("/form", "application/x-www-form-urlencoded", "name=a", 422),
            ("/multipart", "multipart/form-data", "", 400),
            (
                "/multipart",
                "multipart/form-data; boundary=b",
                "--b\r\n",
                400,
            ),
            ("/text", "text/plain", "x", 200),
        ];
        // All on one connection, which none of them closes.
        let mut client = running.connect();
        for (path, kind, body, status) in table {
            let answer = send(&mut client, path, kind, body);
            assert_eq!(
                (answer.status, answer.closes()),
                (status, false),
                "{path} {body}: {answer:?}"
            );
        }
        for (path, status) in [
            ("/query?name=a", 400),
            ("/at/1/x", 400),
            ("/none", 404),
            ("/json", 405),
        ] {
            assert_eq!(client.get(path).answer().status, status, "{path}");
        }
        let answer = client
            .send("POST /text HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n\u{e4}")
            .answer();
        assert_eq!(answer.text(), "\u{e4}");
        let answer = client
            .send(b"POST /text HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\n\xff")
            .answer();
        assert_eq!(answer.status, 400);
        // axum's limit, where more is to come than the server passes over.
        client.send("POST /text HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n");
        let answer = client.send([b'x'; 150_000]).answer();
        assert_eq!((answer.status, answer.closes()), (413, true), "{answer:?}");
        drop(client);
        assert!(running.stop().report.is_clean());
    });
}

#[test]
fn state_nested_routers_fallbacks_and_redirects() {
    limited(|| {
        let inner = Router::new()
            .route(
                "/state",
                get(async |State(state): State<u32>| state.to_string()),
            )
            .route(
                "/path/{x}",
                get(
                    async |path: MatchedPath, uri: OriginalUri, inner: axum::http::Uri| {
                        format!("{} {} {inner}", path.as_str(), uri.0)
                    },
                ),
            )
            .fallback(async || (StatusCode::NOT_FOUND, "none inside"));
        let router = Router::new()
            .nest("/inner", inner)
            .route(
                "/any",
                any(async |method: axum::http::Method| method.to_string()),
            )
            .with_state(7)
            .merge(router())
            .route_service("/ready", http::ready())
            .fallback(async |uri: axum::http::Uri| (StatusCode::NOT_FOUND, format!("no {uri}")));
        let running: Running = serve(router);
        let mut client = running.connect();
        assert_eq!(client.get("/inner/state").answer().text(), "7");
        let answer = client.get("/inner/path/1?q").answer();
        assert_eq!(answer.text(), "/inner/path/{x} /inner/path/1?q /path/1?q");
        let answer = client.get("/inner/other").answer();
        assert_eq!((answer.status, answer.text()), (404, "none inside"));
        let answer = client.get("/other?x").answer();
        assert_eq!((answer.status, answer.text()), (404, "no /other?x"));
        let answer = client.get("/moved").answer();
        assert!(
            answer.status == 308 && answer.head.contains("\r\nlocation: /html\r\n"),
            "{answer:?}"
        );
        assert_eq!(client.get("/ready").answer().text(), "ready");
        for method in ["PATCH", "PROPFIND", "x"] {
            let answer = client
                .send(format!("{method} /any HTTP/1.1\r\nhost: a\r\n\r\n"))
                .answer();
            assert_eq!(answer.text(), method);
        }
        drop(client);
        assert!(running.stop().report.is_clean());
    });
}

#[test]
fn a_handler_learns_where_its_request_comes_from() {
    limited(|| {
        let who = get(async |Extension(context): Extension<RequestContext>| {
            (IntoResponse::into_response(format!(
                "{} {} {}",
                context.peer(),
                context.local(),
                context.is_ready()
            )),)
        });
        let running = serve(Router::new().route("/who", who));
        // Once, and as a head that is repeated.
        let (mut one, mut other) = (running.connect(), running.connect());
        for _ in 0..4 {
            for client in [&mut one, &mut other] {
                let peer = client.stream.local_addr().unwrap();
                let answer = client.get("/who").answer();
                assert_eq!(answer.text(), format!("{peer} {} true", running.addr));
            }
        }
        drop((one, other));
        assert!(running.stop().report.is_clean());
    });
}

#[test]
fn head_is_answered_as_get_would_be_without_the_body() {
    limited(|| {
        let stream = || {
            let parts = futures_lite::stream::iter(["a", "b"].map(Ok::<_, std::io::Error>));
            axum::body::Body::from_stream(parts)
        };
        let router = router().route("/stream", get(async move || stream()));
        let running = serve(router);
        let mut client = running.connect();
        for (path, length) in [
            ("/html", Some("\r\ncontent-length: 3\r\n")),
            ("/stream", None),
        ] {
            client.send(format!("HEAD {path} HTTP/1.1\r\nhost: a\r\n\r\n"));
            let head = client.head().unwrap().unwrap();
            match length {
                Some(length) => assert!(head.contains(length), "{head}"),
                // What GET has is not known, so nothing is said (RFC 9110, 8.6).
                None => assert!(!head.contains("content-length"), "{head}"),
            }
        }
        assert_eq!(client.get("/stream").answer().text(), "ab");
        drop(client);
        assert!(running.stop().report.is_clean());
    });
}
