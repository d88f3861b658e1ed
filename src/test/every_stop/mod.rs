//! A server that is stopped at every moment.

mod answer;
mod client;
pub(crate) mod exchange;
mod moments;
mod run;
pub(crate) mod site;
mod verdict;

use std::fmt;

use self::exchange::Exchange;
use self::moments::Blow;
use self::run::{Run, run};
use self::site::Site;
use self::verdict::judge;
use crate::http::{App, Server};
use crate::time::drive::GivenUp;

/// Stops a server at every moment of an exchange, and checks that no request is lost.
///
/// The server runs in a [`Group`](crate::Group) on a network [in memory](super::Network), by a clock that
/// is moved by hand: nothing waits for real, and each run is the same. `server` makes it, with what is in
/// the [`Site`](super::Site): the address, the clock that the app is to wait by, and the handle of the group.
///
/// The exchange runs once to its end, and then again with the stop at its first moment, at its second, and
/// so on: before each connect, accept, read, write, shutdown and close of either side, and before each
/// poll of a handler. Then all of it again with a cancel instead of the stop. With a
/// [`window`](Exchange::window) of 1 that is between any two bytes.
///
/// In each run this must be true:
///
/// - No request is lost: the client was connected, has sent the request whole as the first that was not
///   answered, and gets a whole answer, unless the answer before it has closed the connection, or the
///   client has left, or the request [crosses](crate::http#what-it-means-that-no-request-is-lost) the
///   close of a connection that was idle for longer than its grace.
/// - An answer is the same as without the stop. After a cancel it may be a 503 or be cut, and the cut shows.
/// - What is answered by a handler that was called after the server was told to stop closes the
///   connection, and says so. Nothing comes behind an answer that closes.
/// - A stop drains well. The group ends within the drain timeout of 10 s, after a cancel within 500 ms.
/// - No handler is called more often than without the stop, nothing spins, no end of a connection is left
///   open, and later clients are refused.
///
/// The app must not wait for anything but the clock, the network and itself. What is polled 200,000 times
/// before the clock moves counts as spinning.
///
/// # Errors
///
/// What was not true, and at which moment. The first moment that is found is returned.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use axum::{Router, extract::State, routing::get};
/// use neap::http;
/// use neap::test::{Clock, Exchange, every_stop};
///
/// let exchange = Exchange::new("slow")
///     .request("GET /slow HTTP/1.1\r\nhost: a\r\n\r\n")
///     .answer();
/// let slow = async |State(clock): State<Clock>| {
///     clock.sleep(Duration::from_secs(5)).await;
///     "done"
/// };
/// let stops = every_stop(&exchange, |site| {
///     let app = Router::new().route("/slow", get(slow)).with_state(site.clock);
///     http::Server::new(http::service(app), site.address)
/// });
/// println!("{}", stops?);
/// # Ok::<(), neap::test::BrokenStop>(())
/// ```
pub fn every_stop<A: App + 'static>(
    exchange: &Exchange,
    server: impl Fn(Site) -> Server<A>,
) -> Result<Stops, BrokenStop> {
    let usual = try_stop(exchange, &server, None, Blow::Stop)?;
    let broken = |why| BrokenStop::new(exchange, None, Blow::Stop, why, &usual);
    judge(exchange, &usual, &usual, Blow::Stop).map_err(broken)?;
    let mut tried = 0;
    for blow in [Blow::Stop, Blow::Cancel] {
        for at in 0.. {
            let run = try_stop(exchange, &server, Some(at), blow)?;
            if run.moments.struck().is_none() {
                break;
            }
            tried += 1;
            let broken = |why| BrokenStop::new(exchange, Some(at), blow, why, &run);
            judge(exchange, &usual, &run, blow).map_err(broken)?;
        }
    }
    Ok(Stops { tried })
}

/// Runs the exchange once.
fn try_stop<A: App + 'static>(
    exchange: &Exchange,
    server: &impl Fn(Site) -> Server<A>,
    at: Option<usize>,
    blow: Blow,
) -> Result<Run, BrokenStop> {
    run(exchange, server, at, blow).map_err(|(why, moments)| BrokenStop {
        exchange: exchange.name.clone(),
        at,
        blow,
        why: match why {
            GivenUp::Waits => "everything waits for something that does not come".into(),
            GivenUp::Spins => "it spins: something is woken again and again".into(),
        },
        moments: moments.to_string(),
    })
}

/// How many stops were tried, all of them well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stops {
    tried: usize,
}

impl Stops {
    /// Returns how many stops and cancels were tried.
    #[must_use]
    pub fn tried(&self) -> usize {
        self.tried
    }
}

impl fmt::Display for Stops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} stops tried", self.tried)
    }
}

/// A stop that did not go well.
///
/// [`Display`](fmt::Display) and `Debug` both say what was wrong and what happened around that moment.
#[derive(Clone, PartialEq, Eq)]
pub struct BrokenStop {
    exchange: String,
    at: Option<usize>,
    blow: Blow,
    why: String,
    /// What happened around the stop, a line each.
    moments: String,
}

impl BrokenStop {
    fn new(exchange: &Exchange, at: Option<usize>, blow: Blow, why: String, run: &Run) -> Self {
        Self {
            exchange: exchange.name.clone(),
            at,
            blow,
            why,
            moments: run.moments.to_string(),
        }
    }

    /// Returns the number of the moment of the stop, from 0; `None` if something is wrong without a stop.
    #[must_use]
    pub fn moment(&self) -> Option<usize> {
        self.at
    }
}

impl fmt::Display for BrokenStop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (exchange, why) = (&self.exchange, &self.why);
        match (self.at, self.blow) {
            (None, _) => write!(f, "`{exchange}` without a stop: {why}")?,
            (Some(at), Blow::Stop) => write!(f, "`{exchange}` with a stop at moment {at}: {why}")?,
            (Some(at), Blow::Cancel) => {
                write!(f, "`{exchange}` with a cancel at moment {at}: {why}")?
            }
        }
        write!(f, "\n{}", self.moments)
    }
}

impl fmt::Debug for BrokenStop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for BrokenStop {}
