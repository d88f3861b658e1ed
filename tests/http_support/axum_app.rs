//! The app that the servers serve, for axum.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Path;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Extension, Router};
use futures_lite::stream;
use neap::http::{self, RequestContext, Service};

use super::echo;
use super::handler_gate::arrive;

/// Returns an app with an endpoint for each kind of test.
pub fn app() -> Service<Router> {
    let gate = async |Path(n)| {
        arrive(n).pass().await;
        "through the gate"
    };
    // Blocks its thread, with all other tasks on it.
    let block = async |Path(n)| {
        arrive(n).pass_blocking();
        "through the gate"
    };
    let app = Router::new()
        .route("/hello", get("Hello World!"))
        .route_service("/ready", http::ready())
        .route_service("/ready/server", http::ready().server_only())
        .route_service("/live", http::live())
        .route("/gate/{n}", get(gate))
        .route("/block/{n}", get(block))
        .route(
            "/bytes/{n}",
            get(async |Path(n): Path<usize>| vec![b'x'; n]),
        )
        .route("/until-stop", get(until_stop))
        .route("/echo", post(async |body: Body| body))
        .route("/read", post(async |body: String| body))
        .route("/events", get(events))
        .route("/panic", get(panics))
        .route("/upgrade", get(upgrade))
        .route("/late", get(late));
    http::service(app)
}

async fn until_stop(Extension(context): Extension<RequestContext>) -> String {
    context.stop_token().stopped().await;
    format!("{:?}", context.remaining_time().is_some())
}

async fn events() -> Body {
    let events = stream::unfold((), |()| async {
        async_io::Timer::after(Duration::from_millis(5)).await;
        Some((Ok::<_, Infallible>("event: tick\ndata: tock\n\n"), ()))
    });
    Body::from_stream(events)
}

async fn panics(uri: Uri) -> String {
    if uri.path() == "/panic" {
        panic!("as asked");
    }
    uri.path().to_owned()
}

/// Switches to a protocol in which every byte comes back.
async fn upgrade(Extension(context): Extension<RequestContext>) -> Response {
    let Some(upgrade) = context.upgrade() else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    smol::spawn(async move {
        if let Some(connection) = upgrade.await {
            echo(connection).await;
        }
    })
    .detach();
    let fields = [("upgrade", "echo"), ("connection", "upgrade")];
    (StatusCode::SWITCHING_PROTOCOLS, fields).into_response()
}

/// Switches at the stop.
async fn late(Extension(context): Extension<RequestContext>) -> Response {
    context.stop_token().stopped().await;
    upgrade(Extension(context)).await
}

/// Returns an app that reads each body.
pub fn reading() -> Service<Router> {
    let read = async |uri: Uri, _: String| uri.to_string();
    let app = Router::new()
        .route("/", any(async |body: String| body))
        .fallback(any(read));
    http::service(app)
}
