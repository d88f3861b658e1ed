//! A neap group on glommio's executor, which waits in io_uring.
//!
//! As on compio: tasks are spawned on its one thread, and async-io's reactor wakes it from another.
//! It panics where there is no io_uring, which is therefore tried before.

use glommio::{LocalExecutor, LocalExecutorBuilder, Placement, spawn_local};
use neap::Group;
use neap::http::App;

use crate::settings::Settings;
use crate::version::version;
use crate::{Failure, Peer, Unavailable, group};

pub const AXUM: Peer = Peer {
    name: "neap-axum-glommio",
    title: || format!("neap axum on glommio {}", version("glommio")),
    what: |_| {
        let (neap, glommio) = (version("neap"), version("glommio"));
        format!("neap {neap}, an axum `Router`, on glommio {glommio}, 1 thread")
    },
    try_out: || executor().map(drop),
    serve: |settings| serve(group::axum(settings), settings),
};

pub const TIDE: Peer = Peer {
    name: "neap-tide-glommio",
    title: || format!("neap tide on glommio {}", version("glommio")),
    what: |_| {
        let (neap, glommio) = (version("neap"), version("glommio"));
        format!("neap {neap}, a tide app, on glommio {glommio}, 1 thread")
    },
    try_out: || executor().map(drop),
    serve: |settings| serve(group::tide(settings), settings),
};

fn executor() -> Result<LocalExecutor, Unavailable> {
    // For nothing else: closed at once.
    io_uring::IoUring::new(2).map_err(|error| Unavailable(format!("io_uring: {error}")))?;
    // Not bound to a processor: `compare` says where this runs.
    let made = LocalExecutorBuilder::new(Placement::Unbound).make();
    made.map_err(|error| Unavailable(error.to_string()))
}

fn serve(app: impl App + 'static, settings: &Settings) -> Result<(), Failure> {
    let group = Group::on(|task| {
        spawn_local(task).detach();
    });
    executor()?.run(group::run(group, app, settings))
}
