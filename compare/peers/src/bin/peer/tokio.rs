//! A neap group on tokio, in two ways: in place within `block_on`, and each service and connection
//! as a task of tokio's. The sockets are async-io's, whose reactor has a thread of its own here.
//!
//! In place there is one thread however many are asked for.

use neap::Group;
use neap::http::App;

use crate::beside::{flavour, runtime};
use crate::settings::Settings;
use crate::version::version;
use crate::{Failure, Peer, anywhere, group};

pub const AXUM_IN_PLACE: Peer = Peer {
    name: "neap-axum-tokio",
    title: || format!("neap axum on tokio {}, in place", version("tokio")),
    what: |_| {
        let (neap, tokio) = (version("neap"), version("tokio"));
        format!(
            "neap {neap}, an axum `Router`, in place on tokio {tokio}, {}",
            flavour(1)
        )
    },
    try_out: anywhere,
    serve: |settings| in_place(group::axum(settings), settings),
};

pub const TIDE_IN_PLACE: Peer = Peer {
    name: "neap-tide-tokio",
    title: || format!("neap tide on tokio {}, in place", version("tokio")),
    what: |_| {
        let (neap, tokio) = (version("neap"), version("tokio"));
        format!(
            "neap {neap}, a tide app, in place on tokio {tokio}, {}",
            flavour(1)
        )
    },
    try_out: anywhere,
    serve: |settings| in_place(group::tide(settings), settings),
};

pub const AXUM_SPAWNED: Peer = Peer {
    name: "neap-axum-tokio-spawn",
    title: || format!("neap axum on tokio {}", version("tokio")),
    what: |threads| {
        let (neap, tokio) = (version("neap"), version("tokio"));
        format!(
            "neap {neap}, an axum `Router`, by tokio {tokio}'s spawn, {}",
            flavour(threads)
        )
    },
    try_out: anywhere,
    serve: |settings| spawned(group::axum(settings), settings),
};

pub const TIDE_SPAWNED: Peer = Peer {
    name: "neap-tide-tokio-spawn",
    title: || format!("neap tide on tokio {}", version("tokio")),
    what: |threads| {
        let (neap, tokio) = (version("neap"), version("tokio"));
        format!(
            "neap {neap}, a tide app, by tokio {tokio}'s spawn, {}",
            flavour(threads)
        )
    },
    try_out: anywhere,
    serve: |settings| spawned(group::tide(settings), settings),
};

fn in_place(app: impl App + 'static, settings: &Settings) -> Result<(), Failure> {
    runtime(1)?.block_on(group::run(Group::new(), app, settings))
}

fn spawned(app: impl App + 'static, settings: &Settings) -> Result<(), Failure> {
    let group = Group::on(|task| drop(tokio::spawn(task)));
    runtime(settings.threads)?.block_on(group::run(group, app, settings))
}
