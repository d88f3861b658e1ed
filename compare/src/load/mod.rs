//! The load: clients that send their next request as soon as the last is answered, or at a fixed rate.
//!
//! Each thread has its share of the connections and one epoll instance (epoll(7)), level-triggered.
//! That is what a load generator such as wrk does, at about its cost.
//!
//! - `loads`: what can be asked for, by name. `heads`: its text.
//! - `request`: its bytes.
//! - `crowd`: the clients of a thread. `client`: one of them.
//! - `pace`: a fixed rate. `tally`: what was counted.

mod client;
mod crowd;
mod heads;
mod loads;
mod pace;
mod request;
mod tally;

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use crowd::Crowd;
pub(crate) use loads::{BURST, EMPTY, Load, REALISTIC, named};
pub(crate) use tally::Tally;

use crate::Failure;
use crate::processors::Processors;

/// How long a load goes on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    /// For this long, or until the first bytes arrive if nothing has by then: the machine may be busy.
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

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::thread::{self, JoinHandle};
    use std::time::Duration;

    use super::{Demand, REALISTIC, Until, send};

    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nHello World!";

    /// Starts a server for one connection, which does this with it. Then connects are refused.
    fn serve(
        on_connection: impl FnOnce(TcpStream) + Send + 'static,
    ) -> (SocketAddr, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let server = thread::spawn(move || {
            let (stream, _) = listener.accept().expect("a client connects");
            drop(listener);
            on_connection(stream);
        });
        (address, server)
    }

    fn demand(per_second: Option<f64>) -> Demand {
        Demand::new(REALISTIC, 1, per_second)
    }

    #[test]
    fn a_pause_counts_for_all_requests_that_were_due_in_it() {
        let (address, server) = serve(|mut stream| {
            let mut buffer = [0; 4096];
            let mut answered = 0;
            while stream.read(&mut buffer).is_ok_and(|length| length > 0) {
                if answered == 10 {
                    thread::sleep(Duration::from_millis(200));
                }
                answered += 1;
                if stream.write_all(ANSWER).is_err() {
                    break;
                }
            }
        });
        let until = Until::Elapsed(Duration::from_millis(600));
        let tally = send(address, demand(Some(1000.0)), until, &[0]).expect("it answers");
        server.join().expect("it ends");
        let slow = tally.latencies.iter().filter(|nanos| **nanos > 50_000_000);
        // 150 were due in the first 150 ms of the pause, though one alone was sent.
        assert!(slow.count() > 100);
    }

    #[test]
    fn a_request_without_a_whole_answer_is_lost() {
        let (address, server) = serve(|mut stream| {
            let mut buffer = [0; 4096];
            for length in [ANSWER.len(), ANSWER.len() - 1] {
                assert!(stream.read(&mut buffer).is_ok_and(|length| length > 0));
                stream.write_all(&ANSWER[..length]).expect("it is sent");
            }
        });
        let tally = send(address, demand(None), Until::Refused, &[0]).expect("it answers");
        server.join().expect("it ends");
        assert_eq!((tally.answered, tally.lost), (1, 1));
    }
}
