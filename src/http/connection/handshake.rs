//! The TLS handshake of a connection, before its first request.

use super::Connection;
use super::close::CloseMode;
use crate::http::door::Door;
use crate::net::tls::handshake::{HandshakeLimits, shake_hands};

impl<D: Door> Connection<D> {
    /// Waits for the end of the handshake. The time for the first request begins behind it.
    ///
    /// # Errors
    ///
    /// How the connection is closed, since there is none.
    pub(super) async fn shake_hands(&mut self) -> Result<(), CloseMode> {
        let (context, arrival) = (&self.transport.context, &self.transport.arrival);
        let (settings, stream) = (&context.settings, &self.transport.socket.stream);
        let Some(tls) = &context.tls else {
            return Ok(());
        };
        let limits = HandshakeLimits {
            timeout: tls.handshake_timeout,
            new_conn_grace: settings.new_conn_grace,
            drain_timeout: settings.drain_head_timeout,
        };
        let draining = context.lifecycle.draining(arrival.turn);
        if let Err(error) = shake_hands(stream, limits, &context.time, draining).await {
            let (name, peer) = (&*context.name, stream.peer_addr());
            log::debug!(target: "neap", event = "handshake failed", service = name, peer:%; "TLS handshake with {peer} failed: {error}");
            if context.lifecycle.is_draining() && !stream.has_begun_handshake() {
                context.registry.count_idle_closed();
            }
            return Err(CloseMode::Linger);
        }
        if let Some(info) = stream.tls() {
            // It is set once.
            let _ = arrival.tls.set(info.clone());
        }
        self.heads.begin_idle(context.time.now());
        Ok(())
    }
}
