//! A neap group on monoio's runtime, which waits in io_uring.
//!
//! As on compio: tasks are spawned on its one thread, and async-io's reactor wakes it from another,
//! which takes monoio's feature `sync`. Without that a wake-up from elsewhere panics the reactor's
//! thread, and the program hangs.

use monoio::{IoUringDriver, Runtime, RuntimeBuilder, spawn};
use neap::Group;

use crate::settings::Settings;
use crate::version::version;
use crate::{Failure, Peer, Unavailable, group, tide};

pub const PEER: Peer = Peer {
    name: "neap-monoio",
    title: || format!("neap on monoio {}", version("monoio")),
    what: |_| {
        let (neap, monoio) = (version("neap"), version("monoio"));
        format!("neap {neap} on monoio {monoio}, 1 thread")
    },
    try_out: || runtime().map(drop),
    serve,
};

fn runtime() -> Result<Runtime<IoUringDriver>, Unavailable> {
    let made = RuntimeBuilder::<IoUringDriver>::new().build();
    made.map_err(|error| Unavailable(format!("io_uring: {error}")))
}

fn serve(settings: &Settings) -> Result<(), Failure> {
    let group = Group::on(|task| drop(spawn(task)));
    runtime()?.block_on(group::run(group, tide::app(), settings))
}
