//! What a stream has of its socket with TLS.

use std::ops::Deref;
use std::sync::Arc;

use super::tls_session::TlsSession;
use super::tls_socket::TlsSocket;
use crate::net::raw_socket::RawSocket;

/// What a stream has of its socket with TLS. Its drop says good-bye to the peer (`close_notify`), unless the
/// close is to be a reset, and ends the connection.
///
/// A server may keep the socket beyond that, for what it has not taken yet.
#[derive(Debug)]
pub(in crate::net) struct TlsHandle(Arc<TlsSocket>);

impl TlsHandle {
    pub(in crate::net) fn new(socket: RawSocket, session: TlsSession) -> TlsHandle {
        TlsHandle(Arc::new(TlsSocket::new(socket, session)))
    }

    /// Returns the socket, to keep it when this is dropped.
    pub(in crate::net) fn keep(&self) -> Arc<TlsSocket> {
        Arc::clone(&self.0)
    }
}

impl Deref for TlsHandle {
    type Target = TlsSocket;

    fn deref(&self) -> &TlsSocket {
        &self.0
    }
}

impl Drop for TlsHandle {
    fn drop(&mut self) {
        self.0.end_now(Arc::strong_count(&self.0) > 1);
    }
}
