//! A neap group on compio's runtime, which waits in io_uring.
//!
//! compio spawns on its own thread what need not be `Send`; a task of a group is, and goes there
//! all the same, since a group spawns from where it is polled. The sockets and timers are
//! async-io's, whose reactor has a thread of its own here and wakes this one through an eventfd:
//! compio's own are not `Send`, and a handler of tide's has to be.
//!
//! One thread however many are asked for: a runtime of compio's is of one thread.

use compio::runtime::{Runtime, spawn};
use neap::Group;
use neap::http::App;

use crate::settings::Settings;
use crate::version::version;
use crate::{Failure, Peer, Unavailable, group};

pub const AXUM: Peer = Peer {
    name: "neap-axum-compio",
    title: || format!("neap axum on compio {}", version("compio")),
    what: |_| {
        let (neap, compio) = (version("neap"), version("compio"));
        format!("neap {neap}, an axum `Router`, on compio {compio}, 1 thread")
    },
    try_out: || runtime().map(drop),
    serve: |settings| serve(group::axum(settings), settings),
};

pub const TIDE: Peer = Peer {
    name: "neap-tide-compio",
    title: || format!("neap tide on compio {}", version("compio")),
    what: |_| {
        let (neap, compio) = (version("neap"), version("compio"));
        format!("neap {neap}, a tide app, on compio {compio}, 1 thread")
    },
    try_out: || runtime().map(drop),
    serve: |settings| serve(group::tide(settings), settings),
};

/// Makes a runtime without its fallback to polling, which is a feature that is off.
fn runtime() -> Result<Runtime, Unavailable> {
    Runtime::new().map_err(|error| Unavailable(format!("io_uring: {error}")))
}

fn serve(app: impl App + 'static, settings: &Settings) -> Result<(), Failure> {
    let group = Group::on(|task| spawn(task).detach());
    runtime()?.block_on(group::run(group, app, settings))
}
