//! The load: clients that send their next request as soon as the last is answered.
//!
//! Each thread has its share of the connections and one epoll instance (epoll(7)), level-triggered.
//! That is what a load generator such as wrk does, at about its cost.

mod client;
mod crowd;
mod tally;

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use crowd::Crowd;
pub(crate) use tally::Tally;

use crate::Failure;
use crate::processors::Processors;

/// How long the load goes on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    /// For this long.
    Elapsed(Duration),
    /// Until the server has ended. A client whose connection was closed connects again, and gives up
    /// when the connect is refused.
    Refused,
}

/// Sends requests for `/hello` over a number of connections, one request on each at a time.
///
/// # Errors
///
/// A response is not what it must be, or a system call fails that the load needs.
pub(crate) fn load(
    address: SocketAddr,
    connections: usize,
    until: Until,
    processors: &Processors,
) -> Result<Tally, Failure> {
    let threads = processors.load.len().min(connections).max(1);
    thread::scope(|scope| {
        let each = |nth: usize| {
            let share = connections / threads + usize::from(nth < connections % threads);
            scope.spawn(move || {
                Processors::pin(&processors.load).map_err(|error| error.to_string())?;
                // The boxed error stays in its thread; its text is handed over.
                Crowd::new(address, share)
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
