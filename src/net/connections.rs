//! The number of connections, and its limit.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use event_listener::{Event, listener};

use super::seldom::Seldom;
use crate::time::time_source::TimeSource;

/// A count of connections that can be waited on, with a limit.
#[derive(Debug, Clone)]
pub(crate) struct Connections {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    count: AtomicUsize,
    /// How many of them wait for their turn, since there are as many as the limit.
    waiting: AtomicUsize,
    /// The most connections at once; at least 1.
    limit: usize,
    /// Notified whenever the count falls.
    left: Event,
    /// The name of the service, and the clock of its group.
    name: String,
    time: TimeSource,
    full: Seldom,
}

/// Checks that connections can be served with this limit.
///
/// # Errors
///
/// Returns an error if the limit is 0.
pub(crate) fn check_limit(limit: usize) -> io::Result<()> {
    if limit == 0 {
        let error = "the limit of connections is zero: no connection could be served";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, error));
    }
    Ok(())
}

/// Returns a number of connections in words: `1 connection`, `2 connections`.
pub(crate) fn in_words(count: usize) -> String {
    match count {
        1 => "1 connection".into(),
        _ => format!("{count} connections"),
    }
}

/// Returns what a server says that it waits for: nothing if there are no connections.
pub(crate) fn waited_for(count: usize) -> String {
    match count {
        0 => String::new(),
        count => in_words(count),
    }
}

impl Connections {
    /// Makes a count of 0.
    ///
    /// # Errors
    ///
    /// Returns an error if the limit is 0.
    pub(crate) fn new(limit: usize, name: &str, time: TimeSource) -> io::Result<Self> {
        check_limit(limit)?;
        Ok(Self {
            shared: Arc::new(Shared {
                count: AtomicUsize::new(0),
                waiting: AtomicUsize::new(0),
                limit,
                left: Event::new(),
                name: name.to_owned(),
                time,
                full: Seldom::default(),
            }),
        })
    }

    /// Counts one more connection until the guard is dropped.
    ///
    /// Call it before the task of the connection is spawned, so that a connection whose task
    /// never runs is counted too.
    pub(crate) fn enter(&self) -> Counted {
        self.shared.count.fetch_add(1, Ordering::Relaxed);
        Counted {
            shared: self.shared.clone(),
        }
    }

    /// Returns the number of connections.
    pub(crate) fn count(&self) -> usize {
        self.shared.count.load(Ordering::Acquire)
    }

    /// Counts one more connection, which is to wait for its [turn](Connections::turn).
    pub(crate) fn enter_waiting(&self) -> Counted {
        self.shared.waiting.fetch_add(1, Ordering::Relaxed);
        self.enter()
    }

    /// Waits until there are fewer than the limit, those aside that wait for their turn.
    pub(crate) async fn room(&self) {
        self.until(|| self.has_room()).await;
    }

    fn has_room(&self) -> bool {
        let waiting = self.shared.waiting.load(Ordering::Relaxed);
        self.count().saturating_sub(waiting) < self.shared.limit
    }

    /// Makes a log record if there are as many as the limit: others wait in the kernel's queue.
    pub(crate) fn note_full(&self) {
        if self.has_room() {
            return;
        }
        let Shared {
            name, limit, time, ..
        } = &*self.shared;
        self.shared.full.note(time.now(), |times| {
            log::warn!(target: "neap", event = "connections full", service = name.as_str(), limit, times; "`{name}` has {}, the most there may be: others wait in the kernel's queue", in_words(*limit));
        });
    }

    /// Waits until there is room for a connection that waits.
    pub(crate) async fn turn(&self) {
        self.room().await;
        self.shared.waiting.fetch_sub(1, Ordering::Relaxed);
    }

    /// Waits until there are none.
    pub(crate) async fn empty(&self) {
        self.until(|| self.count() == 0).await;
    }

    /// Waits until the fall of the count makes the condition true.
    async fn until(&self, condition: impl Fn() -> bool) {
        while !condition() {
            listener!(self.shared.left => left);
            if !condition() {
                left.await;
            }
        }
    }
}

/// A connection that is counted until this is dropped.
#[derive(Debug)]
pub(crate) struct Counted {
    shared: Arc<Shared>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        // Release: a thread that sees the lower count sees all that the connection has done.
        self.shared.count.fetch_sub(1, Ordering::Release);
        self.shared.left.notify(usize::MAX);
    }
}

#[cfg(test)]
mod tests {
    use futures_lite::future::{block_on, poll_once};

    use super::*;

    fn connections(limit: usize) -> io::Result<Connections> {
        Connections::new(limit, "test", TimeSource::default())
    }

    #[test]
    fn a_limit_of_zero_is_an_error() {
        assert!(connections(0).is_err());
        assert!(connections(1).is_ok());
    }

    #[test]
    fn a_number_of_connections_has_the_right_plural() {
        let words = [0, 1, 2].map(in_words);
        assert_eq!(words, ["0 connections", "1 connection", "2 connections"]);
    }

    #[test]
    fn room_and_empty_are_waited_for() {
        let connections = connections(2).unwrap();
        block_on(async {
            let first = connections.enter();
            connections.room().await;
            let second = connections.enter();
            let mut room = Box::pin(connections.room());
            assert!(poll_once(&mut room).await.is_none());
            drop(first);
            room.await;
            let mut empty = Box::pin(connections.empty());
            assert!(poll_once(&mut empty).await.is_none());
            drop(second);
            empty.await;
        });
    }

    #[test]
    fn those_that_wait_are_counted_and_take_no_room() {
        let connections = connections(1).unwrap();
        block_on(async {
            let (first, second) = (connections.enter(), connections.enter_waiting());
            assert_eq!(connections.count(), 2);
            let mut turn = Box::pin(connections.turn());
            assert!(poll_once(&mut turn).await.is_none());
            drop(first);
            turn.await;
            let mut room = Box::pin(connections.room());
            assert!(poll_once(&mut room).await.is_none());
            drop(second);
            room.await;
        });
    }
}
