//! tide as its users have it today: `app.listen` on async-std.
//!
//! It has no graceful stop (http-rs/tide #528, open since 2020), and so there is nothing here to
//! handle a signal: SIGINT and SIGTERM kill the process by their default action, with whatever is in
//! flight. Nor can TCP_NODELAY be turned on. When the timer fails, the server is dropped.

use std::io;

use async_global_executor::{GlobalExecutorConfig, init_with_config};
use async_std::task;
use futures_lite::future;

use crate::settings::Settings;
use crate::version::version;
use crate::{Failure, Peer, anywhere, apps, count};

pub const PEER: Peer = Peer {
    name: "tide",
    title: || format!("tide {}, `listen`", version("tide")),
    what: |threads| {
        let (tide, async_std) = (version("tide"), version("async-std"));
        let threads = count(threads, "thread");
        format!("tide {tide} `listen` on async-std {async_std}, {threads}")
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
