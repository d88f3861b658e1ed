//! actix-web, stopped by `ServerHandle::stop(true)`, its graceful stop
//! (docs.rs/actix-web/4/actix_web/dev/struct.ServerHandle.html), with its own signal handlers off.
//! Of those only the one for SIGTERM would be graceful, they are installed when it already listens,
//! and after a stop by them, or by `shutdown_signal`, it sleeps for 300 ms before it ends.
//!
//! At its best: TCP_NODELAY, and no features that are not used. One worker for each thread; that of
//! `main` waits, and another accepts. A worker with connections looks once a second whether they
//! have ended. Its `shutdown_timeout` is 30 s unless it is set; here it is the seed's 10 s.

use std::convert::Infallible;

use actix_web::rt::{System, time::sleep};
use actix_web::{App, HttpResponse, HttpServer, Responder, web};
use futures_lite::{StreamExt, stream};

use crate::apps::order::Order;
use crate::apps::{DOWNLOAD, MEGABYTE, PIECE};
use crate::beside::beside_timer;
use crate::settings::Settings;
use crate::version::version;
use crate::{BODY, DRAIN_TIMEOUT, Failure, Peer, SLOW, anywhere, count};

pub const PEER: Peer = Peer {
    name: "actix-web",
    title: || format!("actix-web {}", version("actix-web")),
    what: |threads| {
        let (actix, tokio) = (version("actix-web"), version("tokio"));
        format!(
            "actix-web {actix} on tokio {tokio}, {}",
            count(threads, "worker")
        )
    },
    try_out: anywhere,
    serve,
};

async fn slow() -> impl Responder {
    sleep(SLOW).await;
    BODY
}

/// A body of unknown length.
async fn download() -> impl Responder {
    static BYTES: [u8; PIECE] = [b'x'; PIECE];
    let piece = |_| Ok::<_, Infallible>(web::Bytes::from_static(&BYTES));
    HttpResponse::Ok().streaming(stream::iter((0..DOWNLOAD / PIECE).map(piece)))
}

/// Reads the body to its end, and answers how long it was.
async fn upload(mut body: web::Payload) -> Result<String, actix_web::Error> {
    let mut length = 0;
    while let Some(piece) = body.next().await {
        length += piece?.len();
    }
    Ok(length.to_string())
}

fn serve(settings: &Settings) -> Result<(), Failure> {
    let app = || {
        App::new()
            .route("/hello", web::get().to(|| async { BODY }))
            .route("/slow", web::get().to(slow))
            .route(
                "/order",
                web::post().to(|order: web::Json<Order>| async { order }),
            )
            .route(
                "/megabyte",
                web::get().to(|| async { vec![b'x'; MEGABYTE] }),
            )
            .route("/download", web::get().to(download))
            .route("/upload", web::post().to(upload))
    };
    System::new().block_on(beside_timer(settings, async |stop| {
        let server = HttpServer::new(app)
            .workers(settings.threads)
            .tcp_nodelay(true)
            .shutdown_timeout(DRAIN_TIMEOUT.as_secs())
            .disable_signals()
            .bind(settings.addr)?
            .run();
        let handle = server.handle();
        let stopper = async {
            stop.cancelled().await;
            handle.stop(true).await;
        };
        // A server that fails has no stop to wait for.
        let (served, ()) = tokio::join!(
            async { server.await.inspect_err(|_| stop.cancel()) },
            stopper
        );
        Ok(served?)
    }))
}
