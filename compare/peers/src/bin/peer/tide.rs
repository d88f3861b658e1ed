//! tide as its users have it today: `app.listen` on async-std.
//!
//! It has no graceful stop (http-rs/tide #528, open since 2020), and so there is nothing here to
//! handle a signal: SIGINT and SIGTERM kill the process by their default action, with whatever is in
//! flight. When the timer fails, the server is dropped.
//!
//! Nor can TCP_NODELAY be turned on. An answer is written in two parts, its head and its body, and by
//! Nagle's algorithm the second waits for the ACK of the first, which the client delays by 40 ms
//! (tcp(7), TCP_NODELAY and TCP_QUICKACK). The figures of its load are those of that wait.

use std::io;

use async_global_executor::{GlobalExecutorConfig, init_with_config};
use async_std::task;
use futures_lite::future;

use crate::settings::Settings;
use crate::version::version;
use crate::{Failure, Peer, anywhere, apps, count};

pub const PEER: Peer = Peer {
    name: "tide",
    title: || format!("tide {}, `listen`, Nagle on", version("tide")),
    what: |threads| {
        let (tide, async_std) = (version("tide"), version("async-std"));
        let threads = count(threads, "thread");
        format!(
            "tide {tide} `listen` on async-std {async_std}, {threads}; slow, since head and body of an \
             answer are two writes, and by Nagle's algorithm the second waits for a delayed ACK"
        )
    },
    try_out: anywhere,
    serve,
};

fn serve(settings: &Settings) -> Result<(), Failure> {
    // What `ASYNC_STD_THREAD_COUNT` would say.
    let threads = GlobalExecutorConfig::default().with_min_threads(settings.threads);
    init_with_config(threads.with_max_threads(settings.threads));
    let app = apps::tide::app(settings.files.clone());
    task::block_on(async {
        let timer = async {
            task::sleep(settings.timer).await;
            Err(io::Error::other("timer: xxx"))
        };
        Ok(future::or(app.listen(settings.addr), timer).await?)
    })
}
