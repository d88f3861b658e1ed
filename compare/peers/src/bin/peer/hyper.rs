//! hyper's HTTP/1 connections in an accept loop of one's own, watched by hyper-util's
//! `GracefulShutdown`, with a limit on the drain: as hyper's guide to graceful shutdown has it
//! (hyper.rs/guides/1/server/graceful-shutdown).
//!
//! At its best: the runtime of one thread for one thread, TCP_NODELAY, a fixed body that is not
//! allocated, and no timer for heads, which costs a timer for each and is off unless one gives it one.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::beside::{beside_timer, flavour, runtime};
use crate::settings::Settings;
use crate::version::version;
use crate::{BODY, DRAIN_TIMEOUT, Failure, Peer, SLOW, anywhere};

pub const PEER: Peer = Peer {
    name: "hyper-util",
    title: || format!("hyper-util {}", version("hyper-util")),
    what: |threads| {
        let (hyper, util) = (version("hyper"), version("hyper-util"));
        let (tokio, flavour) = (version("tokio"), flavour(threads));
        format!("hyper {hyper} with hyper-util {util} on tokio {tokio}, {flavour}")
    },
    try_out: anywhere,
    serve,
};

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    match request.uri().path() {
        "/hello" => {}
        "/slow" => sleep(SLOW).await,
        _ => {
            let mut none = Response::default();
            *none.status_mut() = StatusCode::NOT_FOUND;
            return Ok(none);
        }
    }
    let mut response = Response::new(Full::new(Bytes::from_static(BODY.as_bytes())));
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    Ok(response)
}

async fn accept(addr: SocketAddr, stop: CancellationToken) -> Result<(), Failure> {
    let listener = TcpListener::bind(addr).await?;
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let Ok((stream, _)) = accepted else {
            // Out of descriptors, perhaps: some will be free again. axum waits as long.
            sleep(Duration::from_secs(1)).await;
            continue;
        };
        drop(stream.set_nodelay(true));
        let connection =
            http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
        // What goes wrong on a connection is its client's business.
        tokio::spawn(graceful.watch(connection));
    }
    drop(listener);
    timeout(DRAIN_TIMEOUT, graceful.shutdown()).await?;
    Ok(())
}

fn serve(settings: &Settings) -> Result<(), Failure> {
    let addr = settings.addr;
    runtime(settings.threads)?.block_on(beside_timer(settings, async move |stop| {
        // A task, so that it runs on a worker if there are any.
        tokio::spawn(accept(addr, stop)).await?
    }))
}
