//! The load: clients that send their next request as soon as the last is answered, or at a fixed rate.
//!
//! Each thread has its share of the connections and one epoll instance (epoll(7)), level-triggered.
//! That is what a load generator such as wrk does, at about its cost.
//!
//! - `loads`: what can be asked for, by name.
//! - `request`: its bytes.
//! - `crowd`: the clients of a thread. `client`: one of them.
//! - `pace`: a fixed rate. `tally`: what was counted.

mod client;
mod crowd;
mod loads;
mod pace;
mod request;
mod tally;

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use crowd::Crowd;
pub(crate) use loads::{Load, REALISTIC, named};
pub(crate) use tally::Tally;

use crate::Failure;
use crate::processors::Processors;

/// How long a load goes on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    /// For this long.
    Elapsed(Duration),
    /// Until this many requests were sent and answered, by one thread.
    Answered(usize),
    /// Until the server has ended. A client whose connection was closed connects again, and gives up
    /// when the connect is refused.
    Refused,
}

/// A load, over a number of connections, and its rate if that is fixed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Demand {
    pub(crate) load: &'static Load,
    pub(crate) connections: usize,
    pub(crate) per_second: Option<f64>,
}

impl Demand {
    /// A load with its own number of connections, or with this one.
    pub(crate) fn new(load: &'static Load, connections: usize, per_second: Option<f64>) -> Demand {
        Demand {
            load,
            connections: load.connections.unwrap_or(connections),
            per_second,
        }
    }
}

/// Sends requests to a server.
///
/// # Errors
///
/// A response is not what it must be, or a system call fails that the load needs.
pub(crate) fn send(
    address: SocketAddr,
    demand: Demand,
    until: Until,
    processors: &[usize],
) -> Result<Tally, Failure> {
    let threads = match until {
        Until::Answered(_) => 1,
        _ => processors.len().min(demand.connections).max(1),
    };
    let connections = demand.connections;
    let per_second = demand.per_second.map(|rate| rate / threads as f64);
    thread::scope(|scope| {
        let each = |nth: usize| {
            let share = connections / threads + usize::from(nth < connections % threads);
            scope.spawn(move || {
                Processors::pin(processors).map_err(|error| error.to_string())?;
                // The boxed error stays in its thread; its text is handed over.
                Crowd::new(demand.load, address, share, per_second, nth)
                    .and_then(|crowd| crowd.run(until))
                    .map_err(|error| error.to_string())
            })
        };
        let threads: Vec<_> = (0..threads).map(each).collect();
        let mut all = Tally::default();
        for thread in threads {
            all.merge(thread.join().map_err(|_| "the load has panicked")??);
        }
        Ok(all)
    })
}
