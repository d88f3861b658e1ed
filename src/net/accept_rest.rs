//! The last accepts of a server, at its stop.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use futures_lite::future::zip;

use super::connections::{Connections, Counted};
use super::listeners::{Listeners, Sharing};
use super::stream::Stream;
use crate::sync::{Mutex, lock};

/// Closes the listeners of a server. Each connection that clients have already is counted, made by `make`
/// and given to `begin` once there is room for it.
///
/// The queues of sockets that other processes accept from are left to them.
pub(crate) async fn accept_rest<T: Send>(
    listeners: Listeners,
    sharing: Sharing,
    grace: Duration,
    connections: &Connections,
    mut make: impl FnMut(Stream, Counted) -> T + Send,
    mut begin: impl FnMut(T),
) {
    let listeners = match sharing {
        Sharing::Yes => return,
        Sharing::No => listeners.of_this_process(),
        Sharing::IfAdopted => listeners.leave_to_others(),
    };
    let line = Mutex::new(Line::default());
    let closing = async {
        let add = |stream| {
            let connection = make(stream, connections.enter_waiting());
            lock(&line).waiting.push_back(connection);
        };
        listeners.close(grace, add).await;
        lock(&line).is_closed = true;
    };
    let serving = async {
        // Polled right after the close, which adds to the line, so that no waker is needed.
        let next = || {
            poll_fn(|_| {
                let mut line = lock(&line);
                match line.waiting.pop_front() {
                    None if !line.is_closed => Poll::Pending,
                    next => Poll::Ready(next),
                }
            })
        };
        while let Some(connection) = next().await {
            connections.turn().await;
            begin(connection);
        }
    };
    zip(closing, serving).await;
}

/// Connections that wait for their turn.
struct Line<T> {
    waiting: VecDeque<T>,
    /// True if no other will come.
    is_closed: bool,
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            is_closed: false,
        }
    }
}
