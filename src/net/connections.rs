//! How many connections there are.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use event_listener::{Event, listener};

/// A count of connections that can be waited on, with a limit.
#[derive(Debug, Clone)]
pub(crate) struct Connections {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    count: AtomicUsize,
    limit: usize,
    /// One fewer.
    left: Event,
}

impl Connections {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                count: AtomicUsize::new(0),
                limit,
                left: Event::new(),
            }),
        }
    }

    /// Counts one more until the guard is dropped: taken before the connection's task is spawned,
    /// so that a connection whose task has never run is counted too.
    pub(crate) fn enter(&self) -> Counted {
        self.shared.count.fetch_add(1, Ordering::Relaxed);
        Counted {
            shared: self.shared.clone(),
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.shared.count.load(Ordering::Acquire)
    }

    /// Waits until one more may come.
    pub(crate) async fn room(&self) {
        self.at_most(self.shared.limit.saturating_sub(1)).await;
    }

    /// Waits until there is none.
    pub(crate) async fn empty(&self) {
        self.at_most(0).await;
    }

    async fn at_most(&self, count: usize) {
        while self.count() > count {
            listener!(self.shared.left => left);
            if self.count() > count {
                left.await;
            }
        }
    }
}

/// One connection, as long as it lives.
#[derive(Debug)]
pub(crate) struct Counted {
    shared: Arc<Shared>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        // Release: who sees the count fall sees all that the connection has done.
        self.shared.count.fetch_sub(1, Ordering::Release);
        self.shared.left.notify(usize::MAX);
    }
}

#[cfg(test)]
mod tests {
    use futures_lite::future::{block_on, poll_once};

    use super::*;

    #[test]
    fn room_and_empty_are_waited_for() {
        let connections = Connections::new(2);
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
}
