//! A neap group on monoio's runtime, which waits in io_uring.
//!
//! As on compio: tasks are spawned on its one thread, and async-io's reactor wakes it from another,
//! which takes monoio's feature `sync`. Without that a wake-up from elsewhere panics the reactor's
//! thread, and the program hangs.

use monoio::{IoUringDriver, Runtime, RuntimeBuilder, spawn};
use neap::Group;
use neap::http::App;

use crate::settings::Settings;
use crate::version::version;
use crate::{Failure, Peer, Unavailable, group};

pub const AXUM: Peer = Peer {
    name: "neap-axum-monoio",
    title: || format!("neap axum on monoio {}", version("monoio")),
    what: |_| {
        let (neap, monoio) = (version("neap"), version("monoio"));
        format!("neap {neap}, an axum `Router`, on monoio {monoio}, 1 thread")
    },
    try_out: || runtime().map(drop),
    serve: |settings| serve(group::axum(settings), settings),
};

pub const TIDE: Peer = Peer {
    name: "neap-tide-monoio",
    title: || format!("neap tide on monoio {}", version("monoio")),
    what: |_| {
        let (neap, monoio) = (version("neap"), version("monoio"));
        format!("neap {neap}, a tide app, on monoio {monoio}, 1 thread")
    },
    try_out: || runtime().map(drop),
    serve: |settings| serve(group::tide(settings), settings),
};

fn runtime() -> Result<Runtime<IoUringDriver>, Unavailable> {
    let made = RuntimeBuilder::<IoUringDriver>::new().build();
    made.map_err(|error| Unavailable(format!("io_uring: {error}")))
}

fn serve(app: impl App + 'static, settings: &Settings) -> Result<(), Failure> {
    let group = Group::on(|task| drop(spawn(task)));
    runtime()?.block_on(group::run(group, app, settings))
}
