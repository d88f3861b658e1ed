//! trillium on smol's parts, stopped by its swansong, as the documentation of its `Config` has it
//! (docs.rs/trillium-smol): a graceful stop at the first signal, an immediate one at the second. The
//! handlers are the ones it would install itself, but before it listens; it does so after.
//!
//! The newest that compiles on rustc 1.95: trillium 1.4.0 and trillium-http 1.6.1. trillium-http
//! 1.6.2 to 1.7.2 use `uint_bit_width`, and 1.8.0 `result_option_map_or_default` too, neither of them
//! stable in 1.95. So it lacks what later ones repaired and what they gained in speed.
//!
//! At its best: TCP_NODELAY, and its pool of threads. Its feature `reuseport`, an executor for each
//! thread, took no less CPU time per request with one.

use std::pin::pin;
use std::time::Duration;

use async_io::Timer;
use async_signal::{Signal, Signals};
use futures_lite::{FutureExt, StreamExt};
use trillium::Conn;
use trillium_router::Router;
use trillium_smol::async_global_executor::{GlobalExecutorConfig, block_on, init_with_config};
use trillium_smol::{Swansong, config};

use crate::settings::Settings;
use crate::version::version;
use crate::{BODY, Failure, Peer, SLOW, anywhere, count};

pub const PEER: Peer = Peer {
    name: "trillium",
    title: || format!("trillium {}", version("trillium")),
    what: |threads| {
        let (trillium, http) = (version("trillium"), version("trillium-http"));
        let (smol, threads) = (version("trillium-smol"), count(threads, "thread"));
        format!("trillium {trillium} with trillium-http {http} on trillium-smol {smol}, {threads}")
    },
    try_out: anywhere,
    serve,
};

async fn hello(conn: Conn) -> Conn {
    conn.ok(BODY)
}

async fn slow(conn: Conn) -> Conn {
    Timer::after(SLOW).await;
    conn.ok(BODY)
}

fn serve(settings: &Settings) -> Result<(), Failure> {
    // What `ASYNC_GLOBAL_EXECUTOR_THREADS` would say; main's thread accepts, beside them.
    let threads = GlobalExecutorConfig::default().with_min_threads(settings.threads);
    init_with_config(threads.with_max_threads(settings.threads));
    let signals = Signals::new([Signal::Int, Signal::Term])?;
    let swansong = Swansong::new();
    let server = config()
        .without_signals()
        .with_nodelay()
        .with_swansong(swansong.clone())
        .listeners()
        .bind_tcp(settings.addr)?;
    let app = Router::new().get("/hello", hello).get("/slow", slow);
    block_on(until_stopped(
        server.run_async(app),
        swansong,
        signals,
        settings.timer,
    ))
}

/// Polls the server until it has drained after a signal or the timer, or a second signal comes.
async fn until_stopped(
    server: impl Future<Output = ()>,
    swansong: Swansong,
    mut signals: Signals,
    timer: Duration,
) -> Result<(), Failure> {
    let mut server = pin!(server);
    let ended = async {
        server.as_mut().await;
        Err("the server ended by itself".into())
    };
    let signal = async {
        signals.next().await;
        Ok(())
    };
    let timer = async {
        Timer::after(timer).await;
        Err("timer: xxx".into())
    };
    let ended = ended.or(signal).or(timer).await;
    drop(swansong.shut_down());
    let drained = async {
        server.await;
        ended
    };
    let again = async {
        signals.next().await;
        Err("a second signal".into())
    };
    drained.or(again).await
}
