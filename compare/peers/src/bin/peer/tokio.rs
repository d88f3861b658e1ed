//! A neap group on tokio, in two ways: in place within `block_on`, and each service and connection
//! as a task of tokio's. The sockets are async-io's, whose reactor has a thread of its own here.
//!
//! In place there is one thread however many are asked for.

use neap::Group;

use crate::beside::{flavour, runtime};
use crate::settings::Settings;
use crate::version::version;
use crate::{BODY, Failure, Peer, SLOW, anywhere, group};

pub const IN_PLACE: Peer = Peer {
    name: "neap-tokio",
    title: || format!("neap in place on tokio {}", version("tokio")),
    what: |_| {
        let (neap, tokio) = (version("neap"), version("tokio"));
        format!("neap {neap} in place on tokio {tokio}, {}", flavour(1))
    },
    try_out: anywhere,
    serve: |settings| runtime(1)?.block_on(group::run(Group::new(), app(), settings)),
};

pub const SPAWNED: Peer = Peer {
    name: "neap-tokio-spawn",
    title: || format!("neap on tokio {}", version("tokio")),
    what: |threads| {
        let (neap, tokio) = (version("neap"), version("tokio"));
        format!("neap {neap} by tokio {tokio}'s spawn, {}", flavour(threads))
    },
    try_out: anywhere,
    serve: spawned,
};

/// The seed's app, with tokio's timer.
fn app() -> tide::Server<()> {
    let mut app = tide::new();
    app.at("/hello").get(|_| async { Ok(BODY) });
    app.at("/slow").get(|_| async {
        tokio::time::sleep(SLOW).await;
        Ok(BODY)
    });
    app
}

fn spawned(settings: &Settings) -> Result<(), Failure> {
    let group = Group::on(|task| drop(tokio::spawn(task)));
    runtime(settings.threads)?.block_on(group::run(group, app(), settings))
}
