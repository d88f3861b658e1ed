//! axum with the routes that `torture fairness` attacks, on tokio's runtime of one thread.
//!
//! It prints the address it listens on, and ends on SIGTERM as `with_graceful_shutdown` has it.

use std::convert::Infallible;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use futures_util::{StreamExt, stream};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// The length of one part of `/endless`, in bytes.
const PART: usize = 1024;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let app = Router::new()
        .route("/hello", get(|| async { "Hello World!" }))
        .route("/sink", post(sink))
        .route(
            "/bytes/{n}",
            get(|Path(n): Path<usize>| async move { vec![b'x'; n] }),
        )
        .route("/endless", get(endless));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening {}", listener.local_addr()?);
    let mut terminated = signal(SignalKind::terminate())?;
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, app)
        .with_graceful_shutdown(async move {
            let _ = terminated.recv().await;
        })
        .await
}

/// Reads a body to its end, and answers how long it was.
async fn sink(body: Body) -> String {
    let mut body = body.into_data_stream();
    let mut length = 0;
    while let Some(Ok(part)) = body.next().await {
        length += part.len();
    }
    length.to_string()
}

/// A body that is always ready, and never ends.
async fn endless() -> Body {
    let part = Bytes::from_static(&[b'x'; PART]);
    Body::from_stream(stream::repeat(Ok::<_, Infallible>(part)))
}
