//! What is known about the handshakes in flight to listeners that are to be closed.

use std::io;
use std::time::{Duration, Instant};

use super::accept_error::AcceptError;
use super::handshakes::{Diagnosis, Handshake, Queue};
use super::listener::Listener;
use crate::time::time_source::TimeSource;

/// How long handshakes may take that the kernel does not name: a long round trip.
const BLIND_WAIT: Duration = Duration::from_millis(250);

/// What was seen of the handshakes in flight.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// There are none.
    Clear,
    /// There are this many.
    Named(usize),
    /// There may be some that the kernel does not name.
    Blind,
    /// The kernel cannot be asked before a descriptor comes free.
    NoDescriptor,
}

/// Looks for handshakes in flight, again and again.
pub(super) struct Outlook {
    /// The clock of the network that the listeners belong to.
    time: TimeSource,
    /// How long a handshake may take, from when the queues were empty for the first time.
    grace: Duration,
    /// When that was.
    began: Option<Instant>,
    /// For each listener, what is in flight to it.
    flights: Vec<Flight>,
    /// True if there may be handshakes that the kernel does not name.
    is_blind: bool,
}

/// The handshakes in flight to one listener.
struct Flight {
    /// True if the listener refuses others, so that only those of the first look count: another process
    /// may listen at the same port.
    refuses: bool,
    /// The queue of the listener at the first look, if handshakes were in flight.
    queue: Option<Queue>,
    /// Those to wait for, by cookie. `None` before the first look.
    awaited: Option<Vec<Awaited>>,
    /// True if it is known how much longer than the grace each may take.
    is_measured: bool,
}

/// A handshake that is waited for.
#[derive(Clone, Copy)]
struct Awaited {
    cookie: u64,
    /// How much longer than the grace it may take.
    allowance: Duration,
}

impl Outlook {
    /// Makes the outlook on listeners, each of which refuses others or not.
    pub(super) fn new(time: TimeSource, grace: Duration, refuses: &[bool]) -> Self {
        let flight = |&refuses| Flight {
            refuses,
            queue: None,
            awaited: None,
            is_measured: false,
        };
        Self {
            time,
            grace,
            began: None,
            flights: refuses.iter().map(flight).collect(),
            is_blind: false,
        }
    }

    /// Waits for a time of that clock.
    pub(super) async fn sleep(&self, time: Duration) {
        self.time.sleep(time).await;
    }

    /// Returns true if no new connection to a listener can begin.
    pub(super) fn refuses(&self, index: usize) -> bool {
        self.flights[index].refuses
    }

    /// Looks at the handshakes in flight to the same listeners.
    pub(super) fn look(
        &mut self,
        listeners: &[Listener],
        diagnosis: &mut Option<Diagnosis>,
    ) -> Sight {
        let now = self.time.now();
        let elapsed = self.began.map(|began| now.saturating_duration_since(began));
        let (mut count, mut is_blind) = (0, false);
        for (listener, flight) in listeners.iter().zip(&mut self.flights) {
            match flight.look(listener, diagnosis) {
                Ok(found) => is_blind |= flight.narrow(found, listener, elapsed, self.grace),
                Err(error) if AcceptError::of(&error) == AcceptError::Resources => {
                    return Sight::NoDescriptor;
                }
                Err(error) => {
                    is_blind = true;
                    if !self.is_blind {
                        log::debug!(target: "neap", event = "handshakes not known"; "the handshakes in flight are not known: {error}");
                    }
                }
            }
            count += flight.awaited.as_ref().map_or(0, Vec::len);
        }
        // On the loopback interface alone, no handshake takes so long that it has to be waited for.
        let mut addresses = listeners.iter().filter_map(|each| each.local().tcp());
        self.is_blind |= is_blind && !addresses.all(|address| address.ip().is_loopback());
        let is_blind = self.is_blind && elapsed.is_none_or(|elapsed| elapsed < self.blind_wait());
        match count {
            _ if is_blind => Sight::Blind,
            0 => Sight::Clear,
            count => Sight::Named(count),
        }
    }

    /// Returns how long there is something to wait for, if what was seen does not change. The first call
    /// begins the grace.
    pub(super) fn left(&mut self, sight: &Sight) -> Duration {
        let now = self.time.now();
        let elapsed = now.saturating_duration_since(*self.began.get_or_insert(now));
        let awaited = self.flights.iter().filter_map(|each| each.awaited.as_ref());
        let allowances = awaited.flatten().map(|each| each.allowance);
        let wait = match (sight, allowances.max()) {
            (Sight::Clear, _) => Duration::ZERO,
            (Sight::Blind, None) => self.blind_wait(),
            (_, allowance) => self.grace.saturating_add(allowance.unwrap_or_default()),
        };
        match self.grace {
            Duration::ZERO => Duration::ZERO,
            _ => wait.saturating_sub(elapsed),
        }
    }

    fn blind_wait(&self) -> Duration {
        BLIND_WAIT.min(self.grace)
    }
}

impl Flight {
    /// Asks the kernel.
    fn look(
        &mut self,
        listener: &Listener,
        diagnosis: &mut Option<Diagnosis>,
    ) -> io::Result<Vec<Handshake>> {
        let found = listener.handshakes(diagnosis)?;
        if self.awaited.is_none() && !found.is_empty() {
            self.queue = Some(listener.queue(diagnosis)?);
        }
        Ok(found)
    }

    /// Keeps the handshakes that are to be waited for. Returns true if the kernel may have made others
    /// that it does not name.
    fn narrow(
        &mut self,
        mut found: Vec<Handshake>,
        listener: &Listener,
        elapsed: Option<Duration>,
        grace: Duration,
    ) -> bool {
        let is_first = self.awaited.is_none();
        let backlog = self.queue.map_or(usize::MAX, |queue| queue.backlog);
        let unnamed = is_first
            && found.len() >= backlog
            // The last ACK of a handshake that is not stored has to find its listener.
            && (!self.refuses || listener.let_acks_in());
        let measures = elapsed.is_some() && !self.is_measured;
        self.is_measured |= measures;
        let known = self.awaited.take().unwrap_or_default();
        let late = measures && self.has_overflowed(listener);
        found.sort_unstable_by_key(|each| each.cookie);
        let awaited = found.into_iter().filter_map(|each| {
            let place = known.binary_search_by_key(&each.cookie, |known| known.cookie);
            let allowance = match place {
                Ok(_) if late => each.again_in,
                Ok(at) => known[at].allowance,
                Err(_) if is_first || !self.refuses => Duration::ZERO,
                Err(_) => return None,
            };
            let limit = grace.saturating_add(allowance);
            elapsed
                .is_none_or(|elapsed| elapsed < limit)
                .then_some(Awaited {
                    cookie: each.cookie,
                    allowance,
                })
        });
        self.awaited = Some(awaited.collect());
        unnamed
    }

    /// Returns true if the queue of connections was full not long ago.
    ///
    /// The kernel drops the last ACK of a handshake, and the request behind it, while that queue is full.
    /// To the client it has a connection. To the server the handshake is in flight, until the kernel sends
    /// its part again, each time after twice as long, or the client its request.
    fn has_overflowed(&self, listener: &Listener) -> bool {
        self.queue.is_some_and(|queue| {
            queue.length > queue.backlog || listener.longest_run() > queue.backlog
        })
    }
}
