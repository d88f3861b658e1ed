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

#[cfg(all(test, unix, feature = "systemd"))]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::sync::Arc;

    use futures_lite::future::block_on;

    use super::super::listener::Listener;
    use super::*;
    use crate::systemd::sockets::{Listening, Taken};
    use crate::time::time_source::TimeSource;

    /// A socket with a client in its queue.
    fn socket() -> (TcpListener, TcpStream) {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(socket.local_addr().unwrap()).unwrap();
        (socket, client)
    }

    /// Returns how many connections are accepted at the stop of a server that has a socket which was
    /// passed and another one that it was given.
    fn accepted(passed: &TcpListener, sharing: Sharing) -> usize {
        let (own, _client) = socket();
        let taken = Taken {
            socket: Listening::Tcp(passed.try_clone().unwrap()),
            lease: Arc::new(()),
        };
        let listeners = vec![
            Listener::passed(taken).unwrap(),
            Listener::from_tcp(own).unwrap(),
        ];
        let connections = Connections::new(10, "http", TimeSource::default()).unwrap();
        let mut count = 0;
        block_on(accept_rest(
            Listeners::new(listeners),
            sharing,
            Duration::from_secs(1),
            &connections,
            |_, _| (),
            |()| count += 1,
        ));
        count
    }

    #[test]
    fn the_queue_of_a_socket_that_was_passed_is_left_to_others() {
        let (passed, _client) = socket();
        assert_eq!(accepted(&passed, Sharing::IfAdopted), 1);
        assert_eq!(accepted(&passed, Sharing::Yes), 0);
        // It refuses nobody, and the client that waited is there.
        let _second = TcpStream::connect(passed.local_addr().unwrap()).unwrap();
        assert!(passed.accept().is_ok() && passed.accept().is_ok());
        let _third = TcpStream::connect(passed.local_addr().unwrap()).unwrap();
        assert_eq!(accepted(&passed, Sharing::No), 2);
    }
}
