//! Who is woken when the socket of a request's body is readable.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::http::socket::WatchWaker;

/// Who is woken when the socket of a request's body is readable.
///
/// The reactor has one waker at a time, and whichever it is wakes the connection. A read of the body
/// may have been dropped, or its task have ended, and nothing tells of that; then only the connection
/// can notice that the peer leaves. So a reader in another task is woken together with the
/// connection: once for each time it had to wait, not for each read. A reader in the connection's own
/// task needs nothing but the waker of that.
#[derive(Debug, Default)]
pub(super) struct ReadWakers {
    /// The task of the connection.
    connection: Option<Waker>,
    /// The reader whose last read was pending.
    reader: Option<Waker>,
    /// What a reader in another task gives to the reactor. The connection's watch goes on with it.
    shared: Option<Arc<WatchWaker>>,
    last: Registration,
    /// Whether the connection watches nothing, as there is no room for what it would read.
    is_paused: bool,
}

/// The last waker that was given to the reactor.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Registration {
    /// That of the connection's watch, or none.
    #[default]
    Watch,
    /// The task of the connection, by a read of this poll.
    OwnTask,
    /// The shared one, by a reader in another task.
    Shared,
    /// One of the other two, which was used, or whose read may have been dropped.
    Past,
}

impl ReadWakers {
    /// Notes the task that the connection is in. Returns a reader that has to wait anew for that: it has
    /// given the former task to the reactor.
    pub(super) fn set_connection(&mut self, task: &Waker) -> Option<Waker> {
        self.connection = Some(task.clone());
        let shared = self.shared.take()?;
        self.last = Registration::Past;
        shared.set_reader(None)
    }

    /// Notes that the connection's task is polled: a read that was pending in it counts only if it is
    /// polled again, as the handler may wait for something else now.
    pub(super) fn begin_poll(&mut self) {
        if self.last == Registration::OwnTask {
            self.last = Registration::Past;
        }
    }

    /// Polls a read of the socket. If it is pending, the socket wakes this reader and the connection.
    pub(super) fn poll_read<T>(
        &mut self,
        cx: &mut Context<'_>,
        read: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let (polled, registration) = match self.shared_with(cx.waker()) {
            None => (read(cx), Registration::OwnTask),
            Some(shared) => {
                // Before the waker is given away. A wake of before this, which is late, has the reader
                // try again.
                shared.forget_wakes();
                shared.set_reader(Some(cx.waker().clone()));
                let waker = Waker::from(Arc::clone(shared));
                let polled = read(&mut Context::from_waker(&waker));
                if polled.is_ready() {
                    shared.set_reader(None);
                }
                (polled, Registration::Shared)
            }
        };
        self.last = match polled {
            Poll::Pending => registration,
            Poll::Ready(_) => Registration::Past,
        };
        polled
    }

    /// Returns true if a reader is in the task of the connection.
    pub(super) fn is_own_task(&self, reader: &Waker) -> bool {
        let connection = self.connection.as_ref();
        connection.is_none_or(|connection| connection.will_wake(reader))
    }

    /// Returns what wakes a reader and the connection, if the reader is in another task.
    fn shared_with(&mut self, reader: &Waker) -> Option<&Arc<WatchWaker>> {
        let connection = self.connection.as_ref()?;
        if connection.will_wake(reader) {
            return None;
        }
        let make = || Arc::new(WatchWaker::new(connection));
        Some(self.shared.get_or_insert_with(make))
    }

    /// Returns true if the socket wakes a reader, and the connection too: there is nothing to watch.
    pub(super) fn is_read(&self) -> bool {
        match self.last {
            Registration::OwnTask => true,
            // Once they were woken, the reader may have ceased to wait. The connection watches until it reads.
            Registration::Shared => self
                .shared
                .as_ref()
                .is_some_and(|shared| !shared.was_woken()),
            Registration::Watch | Registration::Past => false,
        }
    }

    /// Returns true if a read of the connection's own task is pending.
    pub(super) fn is_read_by_own_task(&self) -> bool {
        self.last == Registration::OwnTask
    }

    /// Has the connection watch the socket. Returns true if another has read it since the connection did
    /// so, and the waker to go on with.
    pub(super) fn begin_watch(&mut self) -> (bool, Option<&Arc<WatchWaker>>) {
        let is_anew = std::mem::take(&mut self.last) != Registration::Watch;
        (is_anew, self.shared.as_ref())
    }

    /// Notes a reader whose read is pending. What it waits for may not come from the socket.
    pub(super) fn await_more(&mut self, reader: &Waker) {
        let known = self.reader.as_ref();
        if !known.is_some_and(|known| known.will_wake(reader)) {
            self.reader = Some(reader.clone());
        }
    }

    /// Takes out the reader whose read was pending.
    pub(super) fn take_reader(&mut self) -> Option<Waker> {
        let reader = self.reader.take();
        let shared = self.shared.take();
        // The same, if it waits for the socket. The watch may keep the waker for other requests.
        shared.and_then(|shared| shared.set_reader(None)).or(reader)
    }

    /// Notes whether the connection had to end its watch, as there is no room for what it would read.
    pub(super) fn set_paused(&mut self, is_paused: bool) {
        self.is_paused = is_paused;
    }

    /// Notes that there is room again. Returns the task of the connection if it has to watch again for
    /// that, and is not the one that reads now.
    pub(super) fn resume(&mut self, reader: &Waker) -> Option<Waker> {
        let was_paused = std::mem::take(&mut self.is_paused);
        let connection = self.connection.as_ref().filter(|_| was_paused)?;
        (!connection.will_wake(reader)).then(|| connection.clone())
    }
}
