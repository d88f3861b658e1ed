//! A tide app under the layers of tower-http, and nested in other routes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse;
use neap::http::{self, Server};
use tower_http::auth::AsyncRequireAuthorizationLayer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::CorsLayer;
use tower_http::set_header::{SetRequestHeaderLayer, SetResponseHeaderLayer};
use tower_http::trace::TraceLayer;

use crate::http_support::{Client, Running, eventually, run, tide_app};
use crate::runtimes::limited;

/// Adds one while it is alive.
struct Alive(Arc<AtomicUsize>);

impl Alive {
    fn new(count: &Arc<AtomicUsize>) -> Alive {
        count.fetch_add(1, Ordering::SeqCst);
        Alive(Arc::clone(count))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The tide app of the other tests, with two more routes.
fn app(alive: &Arc<AtomicUsize>) -> tide::Server<()> {
    let mut app = tide_app::app();
    let alive = Arc::clone(alive);
    app.at("/waits").get(move |_| {
        let alive = Alive::new(&alive);
        async move {
            let _alive = alive;
            std::future::pending::<tide::Result>().await
        }
    });
    app.at("/seen")
        .get(|request: tide::Request<()>| async move {
            let by = request.header("x-by").map(|values| values.as_str());
            Ok(format!("{} {by:?}", request.url().path()))
        });
    app
}

fn layered(router: Router) -> Router {
    let auth = AsyncRequireAuthorizationLayer::new(async |request: Request<Body>| {
        match request.headers().get(header::AUTHORIZATION).is_some() {
            true => Ok(request),
            false => Err(StatusCode::UNAUTHORIZED.into_response()),
        }
    });
    let by = || HeaderValue::from_static("axum");
    router
        .layer(SetRequestHeaderLayer::overriding(
            "x-by".parse().unwrap(),
            by(),
        ))
        .layer(SetResponseHeaderLayer::appending(
            "x-by".parse().unwrap(),
            by(),
        ))
        .layer(auth)
        .layer(
            CorsLayer::new()
                .allow_methods([Method::GET])
                .allow_origin(by()),
        )
        .layer(CatchPanicLayer::new())
        .layer(TraceLayer::new_for_http())
        .layer(from_fn(async |request: Request, next: Next| {
            next.run(request).await
        }))
}

fn serve(router: Router) -> Running {
    run(Server::new(http::service(router), "127.0.0.1:0"))
}

fn get(client: &mut Client, path: &str) -> (u16, String) {
    let fields = "host: a\r\nauthorization: x\r\nx-by: client\r\n";
    let answer = client
        .send(format!("GET {path} HTTP/1.1\r\n{fields}\r\n"))
        .answer();
    (answer.status, answer.text().to_owned())
}

#[test]
fn layers_see_what_passes_and_a_panic_keeps_the_connection() {
    limited(|| {
        let alive = Arc::default();
        let app = http::tide_service(app(&alive));
        let running = serve(layered(Router::new().fallback_service(app)));
        let mut client = running.connect();
        assert_eq!(client.get("/hello").answer().status, 401);
        assert_eq!(
            get(&mut client, "/seen"),
            (200, "/seen Some(\"axum\")".into())
        );
        assert_eq!(get(&mut client, "/panic").0, 500);
        assert_eq!(get(&mut client, "/none").0, 404);
        let fields = "origin: b\r\naccess-control-request-method: GET\r\n";
        client.send(format!(
            "OPTIONS /hello HTTP/1.1\r\nhost: a\r\n{fields}\r\n"
        ));
        let answer = client.answer();
        assert!(
            answer
                .head
                .contains("access-control-allow-methods: get\r\n"),
            "{answer:?}"
        );
        // A body both ways, and a stream that the client leaves.
        let body = "authorization: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
        client.send(format!("POST /echo HTTP/1.1\r\nhost: a\r\n{body}"));
        assert_eq!(client.answer().text(), "hi");
        client.send("GET /events HTTP/1.1\r\nhost: a\r\nauthorization: x\r\n\r\n");
        client.read_until("tock");
        drop(client);
        let mut client = running.connect();
        client.send("GET /waits HTTP/1.1\r\nhost: a\r\nauthorization: x\r\n\r\n");
        eventually("the call", || alive.load(Ordering::SeqCst) == 1);
        client.reset();
        eventually("the drop of the call", || alive.load(Ordering::SeqCst) == 0);
        let ended = running.stop();
        assert!(ended.report.is_clean(), "{ended:?}");
    });
}

#[test]
fn an_upgrade_passes_the_layers() {
    limited(|| {
        let app = http::tide_service(app(&Arc::default()));
        let running = serve(layered(Router::new().nest_service("/old", app)));
        let mut client = running.connect();
        client.send(
            "GET /old/upgrade HTTP/1.1\r\nhost: a\r\nauthorization: x\r\nconnection: upgrade\r\n\
             upgrade: echo\r\n\r\nhello",
        );
        let head = client.head().unwrap().unwrap();
        assert!(
            head.starts_with("http/1.1 101 ") && head.contains("\r\nx-by: axum\r\n"),
            "{head}"
        );
        assert_eq!(client.take(5).unwrap(), b"hello");
        client.send("more");
        assert_eq!(client.take(4).unwrap(), b"more");
        drop(client);
        let ended = running.stop();
        assert!(ended.report.is_clean(), "{ended:?}");
    });
}

#[test]
fn a_nested_app_sees_the_rest_of_the_path() {
    limited(|| {
        let service = || {
            let mut app = tide::new();
            for path in ["/", "/*"] {
                app.at(path)
                    .all(|request: tide::Request<()>| async move { Ok(request.url().to_string()) });
            }
            http::tide_service(app)
        };
        let running = serve(
            Router::new()
                .nest_service("/old", service())
                .nest("/v/{n}", Router::new().fallback_service(service()))
                .route_service("/one/{*rest}", service()),
        );
        let mut client = running.connect();
        for (path, status, url) in [
            ("/old", 200, "http://a/"),
            ("/old/", 200, "http://a/"),
            ("/old?x=/../y", 200, "http://a/?x=/../y"),
            ("/old/b//%2fc?d", 200, "http://a/b//%2fc?d"),
            ("http://c/old/b", 200, "http://c/b"),
            (
                "http://pod.1/old/b",
                200,
                &*format!("http://{}/b", running.addr),
            ),
            ("/v/1/b", 200, "http://a/b"),
            ("/v/%00/%ff", 200, "http://a/%ff"),
            ("/one/b/c", 200, "http://a/one/b/c"),
            ("/older", 404, ""),
            ("/old/../one/b", 400, ""),
            ("/old/%2e%2E/one/b", 400, ""),
        ] {
            let mut other = running.connect();
            let client = if status == 400 {
                &mut other
            } else {
                &mut client
            };
            let answer = client.get(path).answer();
            assert_eq!(answer.status, status, "{path}");
            if status == 200 {
                assert_eq!(answer.text(), url, "{path}");
            }
        }
        drop(client);
        assert!(running.stop().report.is_clean());
    });
}
