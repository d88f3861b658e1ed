//! Who is measured, one file each, which says how and why so.

mod async_shutdown;
pub mod errgroup;
mod graceful_shutdown;
mod neap;
mod swansong;
mod tokio_util;

use crate::meter::{Figures, Plan};

/// How a peer is measured.
pub enum Way {
    /// By this program, in a process of its own.
    Here(fn(Plan) -> Vec<Figures>),

    /// By the program in Go, with so many threads.
    Go(u32),
}

/// A peer at one setting.
pub struct Peer {
    /// What it is called, in tables and on the command line.
    pub name: &'static str,

    pub way: Way,

    /// From so many services on it takes many seconds, and two rounds have to do.
    pub slow_from: usize,
}

impl Peer {
    const fn new(name: &'static str, way: Way) -> Peer {
        let slow_from = usize::MAX;
        Peer {
            name,
            way,
            slow_from,
        }
    }

    const fn slow(name: &'static str, way: Way) -> Peer {
        let slow_from = 1_000_000;
        Peer {
            name,
            way,
            slow_from,
        }
    }
}

/// The first is what the others are compared with.
pub const PEERS: &[Peer] = &[
    Peer::new("neap in place", Way::Here(neap::in_place)),
    Peer::new("neap on async-executor", Way::Here(neap::on_executor)),
    Peer::new(
        "swansong, interrupted, on async-executor",
        Way::Here(swansong::interrupted),
    ),
    Peer::new(
        "swansong, told, on async-executor",
        Way::Here(swansong::told),
    ),
    Peer::new(
        "async-shutdown on async-executor",
        Way::Here(async_shutdown::on_executor),
    ),
    Peer::new(
        "tokio-util's token and tracker, 1 thread",
        Way::Here(tokio_util::one_thread),
    ),
    Peer::new(
        "tokio-util's token and tracker, 2 threads",
        Way::Here(tokio_util::two_threads),
    ),
    Peer::slow(
        "tokio-graceful-shutdown, 1 thread",
        Way::Here(graceful_shutdown::one_thread),
    ),
    Peer::slow(
        "tokio-graceful-shutdown, 2 threads",
        Way::Here(graceful_shutdown::two_threads),
    ),
    Peer::slow("Go's errgroup, 1 thread", Way::Go(1)),
    Peer::slow("Go's errgroup, 2 threads", Way::Go(2)),
];
