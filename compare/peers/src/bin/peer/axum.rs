//! axum, as its documentation has it: `axum::serve` with `with_graceful_shutdown`, which waits for
//! connections without a limit (docs.rs/axum/0.8/axum/serve/struct.Serve.html).
//!
//! The router is that of neap, with tower-http's `ServeDir` for the files.
//!
//! At its best: the runtime of one thread for one thread, and TCP_NODELAY by `ListenerExt::tap_io`,
//! whose documentation has just that as its example.

use axum::routing::get;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tower_http::services::ServeDir;

use crate::beside::{beside_timer, flavour, runtime};
use crate::settings::Settings;
use crate::version::version;
use crate::{BODY, Failure, Peer, SLOW, anywhere, apps};

pub const PEER: Peer = Peer {
    name: "axum",
    title: || format!("axum {}", version("axum")),
    what: |threads| {
        let (axum, tokio) = (version("axum"), version("tokio"));
        format!("axum {axum} on tokio {tokio}, {}", flavour(threads))
    },
    try_out: anywhere,
    serve,
};

async fn slow() -> &'static str {
    tokio::time::sleep(SLOW).await;
    BODY
}

fn serve(settings: &Settings) -> Result<(), Failure> {
    let addr = settings.addr;
    let app = apps::axum::router()
        .route("/slow", get(slow))
        .nest_service("/file", ServeDir::new(&settings.files));
    runtime(settings.threads)?.block_on(beside_timer(settings, async move |stop| {
        let listener = TcpListener::bind(addr).await?;
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        let server = axum::serve(listener, app).with_graceful_shutdown(stop.cancelled_owned());
        // A task, so that it runs on a worker if there are any.
        tokio::spawn(server.into_future()).await??;
        Ok(())
    }))
}
