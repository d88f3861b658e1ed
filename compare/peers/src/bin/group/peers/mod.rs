//! The peers that are measured. The file of each says how it is measured, and why.

mod async_shutdown;
pub mod errgroup;
mod graceful_shutdown;
mod neap;
mod swansong;
mod tokio_util;

use crate::meter::{Cost, Plan};

/// How a peer is measured.
pub enum Program {
    /// By this program, in a process of its own.
    Rust(fn(Plan) -> Vec<Cost>),

    /// By the program in Go, with this number of threads.
    Go(u32),
}

/// A peer at one setting.
pub struct Peer {
    /// What it is called, in tables and on the command line.
    pub name: &'static str,

    pub program: Program,

    /// From this number of services on it takes many seconds, and has two rounds at most.
    pub slow_from: usize,
}

impl Peer {
    const fn new(name: &'static str, program: Program) -> Peer {
        let slow_from = usize::MAX;
        Peer {
            name,
            program,
            slow_from,
        }
    }

    const fn slow(name: &'static str, program: Program) -> Peer {
        let slow_from = 1_000_000;
        Peer {
            name,
            program,
            slow_from,
        }
    }
}

/// The first is what the others are compared with.
pub const PEERS: &[Peer] = &[
    Peer::new("neap in place", Program::Rust(neap::in_place)),
    Peer::new("neap on async-executor", Program::Rust(neap::on_executor)),
    Peer::new(
        "swansong, interrupted, on async-executor",
        Program::Rust(swansong::interrupted),
    ),
    Peer::new(
        "swansong, told, on async-executor",
        Program::Rust(swansong::told),
    ),
    Peer::new(
        "async-shutdown on async-executor",
        Program::Rust(async_shutdown::on_executor),
    ),
    Peer::new(
        "tokio-util's token and tracker, 1 thread",
        Program::Rust(tokio_util::one_thread),
    ),
    Peer::new(
        "tokio-util's token and tracker, 2 threads",
        Program::Rust(tokio_util::two_threads),
    ),
    Peer::slow(
        "tokio-graceful-shutdown, 1 thread",
        Program::Rust(graceful_shutdown::one_thread),
    ),
    Peer::slow(
        "tokio-graceful-shutdown, 2 threads",
        Program::Rust(graceful_shutdown::two_threads),
    ),
    Peer::slow("Go's errgroup, 1 thread", Program::Go(1)),
    Peer::slow("Go's errgroup, 2 threads", Program::Go(2)),
];
