//! A socket with TLS above it.

use std::fmt;
use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::task::{Context, Poll};

use futures_lite::ready;

use super::tls_info::TlsInfo;
use super::tls_session::{ROUNDS, TlsSession};
use super::writable::Waiter;
use crate::net::raw_socket::RawSocket;
use crate::sync::{Mutex, MutexGuard, OnceLock, lock};

/// A socket with a TLS session above it: it has the methods of a bare one.
///
/// The session has a lock, which is held while bytes are encrypted or decrypted and moved, and never while
/// something is waited for.
pub(in crate::net) struct TlsSocket {
    socket: RawSocket,
    session: Mutex<TlsSession>,
    /// What was agreed on, once the handshake is over.
    info: OnceLock<TlsInfo>,
}

impl TlsSocket {
    pub(super) fn new(socket: RawSocket, session: TlsSession) -> TlsSocket {
        TlsSocket {
            socket,
            session: Mutex::new(session),
            info: OnceLock::new(),
        }
    }

    /// Returns the socket below the session.
    #[cfg(feature = "proxy-protocol")]
    pub(in crate::net) fn socket(&self) -> &RawSocket {
        &self.socket
    }

    fn session(&self) -> MutexGuard<'_, TlsSession> {
        lock(&self.session)
    }

    /// Returns what was agreed on; `None` before the end of the handshake.
    pub(in crate::net) fn info(&self) -> Option<&TlsInfo> {
        self.info.get()
    }

    /// Returns true if the peer has begun its handshake.
    pub(in crate::net) fn has_heard(&self) -> bool {
        self.session().has_heard()
    }

    /// Returns true if the first bytes of a record have come that may have something to read, and not all of them.
    pub(in crate::net) fn is_amid_record(&self) -> bool {
        self.session().is_amid_record()
    }

    /// Goes on with the handshake. Returns ready when it is over.
    ///
    /// # Errors
    ///
    /// Those of a read: the peer has broken the protocol, and is told how, or it is gone.
    pub(in crate::net) fn poll_handshake(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if let Some(done) = self.try_handshake() {
                return Poll::Ready(done);
            }
            ready!(self.poll_readable(cx))?;
        }
    }

    /// Goes on with the handshake as far as it goes. Returns `None` if more has to come.
    fn try_handshake(&self) -> Option<io::Result<()>> {
        let mut session = self.session();
        for _ in 0..ROUNDS {
            if session.has_shaken_hands() {
                // Tickets for the next session leave with the first answer, if it is asked for already.
                if !session.is_readable() {
                    let _ = session.send(&self.socket);
                }
                let info = session.info();
                return Some(info.map(|info| drop(self.info.set(info))));
            }
            let received = session.receive(&self.socket);
            let sent = session.send(&self.socket);
            let error = match (received, sent) {
                (Err(error), _) => error,
                // Whether it has taken what was sent or not: the socket is readable for ever.
                (Ok(0), _) if !session.has_shaken_hands() => {
                    io::Error::new(io::ErrorKind::UnexpectedEof, "the peer has closed")
                }
                (_, Err(error)) => error,
                (Ok(_), Ok(())) => continue,
            };
            match error.kind() {
                io::ErrorKind::WouldBlock => return None,
                _ => return Some(Err(error)),
            }
        }
        None
    }

    pub(in crate::net) fn try_read(&self, out: &mut [u8]) -> io::Result<usize> {
        let mut session = self.session();
        match session.discards {
            true => self.socket.try_read(out),
            false => session.read(&self.socket, out),
        }
    }

    pub(in crate::net) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.try_write_vectored(&[IoSlice::new(bytes)])
    }

    pub(in crate::net) fn try_write_vectored(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.session().write(&self.socket, parts)
    }

    /// Waits until there may be something to read. While what TLS has to say was not taken, that is waited for
    /// too, and written.
    pub(in crate::net) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let mut session = self.session();
            if !session.discards && session.is_readable() {
                return Poll::Ready(Ok(()));
            }
            // If it has broken, a read will tell.
            let _ = session.is_stalled().then(|| session.send(&self.socket));
            let is_stalled = session.is_stalled();
            drop(session);
            if is_stalled && self.poll_writable_for(Waiter::Reader, cx).is_ready() {
                continue;
            }
            return self.socket.poll_readable(cx);
        }
    }

    pub(in crate::net) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_writable_for(Waiter::Writer, cx)
    }

    fn poll_writable_for(&self, waiter: Waiter, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let (waker, _old) = self.session().writable.enter(waiter, cx.waker());
        let polled = self.socket.poll_writable(&mut Context::from_waker(&waker));
        if polled.is_ready() {
            let [_own, other] = self.session().writable.leave(waiter);
            if let Some(other) = other {
                other.wake();
            }
        }
        polled
    }

    /// Waits until the socket has taken all that was written.
    pub(in crate::net) fn poll_sent(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let sent = self.session().send(&self.socket);
            match sent {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                sent => return Poll::Ready(sent),
            }
            ready!(self.poll_writable(cx))?;
        }
    }

    /// Returns true if the socket has taken bytes since this was last asked.
    pub(in crate::net) fn take_moved(&self) -> bool {
        self.session().take_moved()
    }

    #[cfg(feature = "http")]
    pub(in crate::net) fn unsent(&self) -> usize {
        self.socket.unsent()
    }

    /// Has the peer told, behind all that was written, that this side sends no more.
    pub(in crate::net) fn end(&self) {
        self.session().end();
    }

    /// Has all that comes from now on given to the reader as it is, not decrypted: to be dropped.
    pub(in crate::net) fn discard(&self) {
        self.session().discards = true;
    }

    /// Closes one direction of the socket or both. Before it closes writing, the peer is told.
    ///
    /// # Errors
    ///
    /// Those of the socket, and `WouldBlock` if writing is to be closed and the socket has not taken all that
    /// was written: nothing is closed then.
    pub(in crate::net) fn shutdown(&self, side: Shutdown) -> io::Result<()> {
        if side != Shutdown::Read {
            let mut session = self.session();
            session.end();
            match session.send(&self.socket) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if side == Shutdown::Write {
                        return Err(error);
                    }
                }
                // Whether it has broken, the socket says itself.
                Ok(()) | Err(_) => {}
            }
        }
        self.socket.shutdown(side)
    }

    pub(in crate::net) fn reset_on_close(&self) -> io::Result<()> {
        self.session().resets = true;
        self.socket.reset_on_close()
    }

    /// Ends the connection without waiting, as its stream is dropped. If the socket is kept for what it has not
    /// taken, it is not closed before it has.
    pub(super) fn end_now(&self, is_kept: bool) {
        let mut session = self.session();
        if session.resets {
            return;
        }
        session.end();
        let sent = session.send(&self.socket);
        drop(session);
        if is_kept && sent.is_ok() {
            // The peer may have closed before.
            let _ = self.socket.shutdown(Shutdown::Both);
        }
    }
}

impl fmt::Debug for TlsSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsSocket")
            .field("socket", &self.socket)
            .field("info", &self.info.get())
            .finish_non_exhaustive()
    }
}
