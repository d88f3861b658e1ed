//! actix-web, stopped by `ServerHandle::stop(true)`, its graceful stop
//! (docs.rs/actix-web/4/actix_web/dev/struct.ServerHandle.html), with its own signal handlers off.
//! Of those only the one for SIGTERM would be graceful, they are installed when it already listens,
//! and after a stop by them, or by `shutdown_signal`, it sleeps for 300 ms before it ends.
//!
//! At its best: TCP_NODELAY, and no features that are not used. One worker for each thread; that of
//! `main` waits, and another accepts. A worker with connections looks once a second whether they
//! have ended. Its `shutdown_timeout` is 30 s unless it is set; here it is the seed's 10 s.

use actix_web::rt::{System, time::sleep};
use actix_web::{App, HttpServer, Responder, web};

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

fn serve(settings: &Settings) -> Result<(), Failure> {
    let app = || {
        App::new()
            .route("/hello", web::get().to(|| async { BODY }))
            .route("/slow", web::get().to(slow))
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
