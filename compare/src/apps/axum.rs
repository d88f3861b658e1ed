//! The app as an axum `Router`, on neap and on tokio.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::extract::Json;
use axum::routing::{get, post};
use axum::{Error, Router};
use futures_lite::{StreamExt, stream};

use super::order::Order;
use super::{DOWNLOAD, HELLO, MEGABYTE, PIECE};

/// Makes the router. What it lacks are `/slow` and `/file/{name}`.
pub(crate) fn router() -> Router {
    Router::new()
        .route("/hello", get(async || HELLO))
        .route("/order", post(async |Json(order): Json<Order>| Json(order)))
        .route("/megabyte", get(async || vec![b'x'; MEGABYTE]))
        .route("/download", get(async || download()))
        .route("/upload", post(upload))
}

/// A body of unknown length.
fn download() -> Body {
    static BYTES: [u8; PIECE] = [b'x'; PIECE];
    let piece = |_| Ok::<_, Infallible>(Bytes::from_static(&BYTES));
    Body::from_stream(stream::iter((0..DOWNLOAD / PIECE).map(piece)))
}

/// Reads the body to its end, and answers how long it was.
async fn upload(body: Body) -> Result<String, String> {
    let (mut body, mut length) = (body.into_data_stream(), 0);
    while let Some(piece) = body.next().await {
        length += piece.map_err(|error: Error| error.to_string())?.len();
    }
    Ok(length.to_string())
}
