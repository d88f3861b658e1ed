//! The same app by an axum `Router`.

use std::io;
use std::time::Duration;

use async_io::Timer;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use futures_lite::{AsyncRead, AsyncReadExt, StreamExt, stream};
use neap::http::{self, App, RequestContext};

use super::heap;
use super::streams::{AlwaysReady, PART, Ticks, send_back};

pub(super) fn app() -> impl App + 'static {
    let router = Router::new()
        .route("/hello", get(async || "Hello World!"))
        .route("/slow/{n}", get(slow))
        .route("/read", post(async |body: Bytes| body.len().to_string()))
        .route("/sink", post(sink))
        .route("/echo", post(async |body: Body| body))
        .route(
            "/bytes/{n}",
            get(async |Path(n): Path<usize>| vec![b'x'; n]),
        )
        .route("/stream/{n}/{ms}", get(ticks))
        .route("/endless", get(async || body(AlwaysReady)))
        .route("/events", get(async || body(Ticks::for_ever())))
        .route("/until-stop", get(until_stop))
        .route("/upgrade", get(upgrade))
        .route("/panic", get(panics))
        .route("/heap", get(async || heap::live().to_string()))
        .layer(DefaultBodyLimit::disable());
    http::service(router)
}

async fn slow(Path(millis): Path<u64>) -> &'static str {
    Timer::after(Duration::from_millis(millis)).await;
    "slow done"
}

/// Answers with the length of the body, of which it keeps nothing.
async fn sink(body: Body) -> Result<String, StatusCode> {
    let (mut parts, mut length) = (body.into_data_stream(), 0);
    while let Some(part) = parts.next().await {
        length += part.map_err(|_| StatusCode::BAD_REQUEST)?.len();
    }
    Ok(length.to_string())
}

async fn ticks(Path((parts, millis)): Path<(u64, u64)>) -> Body {
    body(Ticks::new(parts, Duration::from_millis(millis)))
}

async fn until_stop(Extension(context): Extension<RequestContext>) -> Body {
    body(Ticks::until(context.stop_token()))
}

/// Returns a body of what a reader has, in parts.
fn body(reader: impl AsyncRead + Unpin + Send + 'static) -> Body {
    Body::from_stream(stream::try_unfold(reader, async |mut reader| {
        let mut part = vec![0; PART];
        let length = reader.read(&mut part).await?;
        part.truncate(length);
        Ok::<_, io::Error>((length > 0).then_some((part, reader)))
    }))
}

async fn upgrade(Extension(context): Extension<RequestContext>) -> Response {
    let Some(upgrade) = context.upgrade() else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    smol::spawn(async move {
        if let Some(connection) = upgrade.await {
            send_back(connection).await;
        }
    })
    .detach();
    let fields = [("connection", "upgrade"), ("upgrade", "echo")];
    (StatusCode::SWITCHING_PROTOCOLS, fields).into_response()
}

#[allow(clippy::panic)]
async fn panics() {
    panic!("as asked")
}
