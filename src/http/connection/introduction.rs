//! The PROXY header of a connection, before all else.

use std::sync::Arc;

use super::Connection;
use super::close::CloseMode;
use super::head_reader::HeadReader;
use crate::http::door::Door;
use crate::net::proxy::introduction::{DrainLimits, Unintroduced};

impl<D: Door> Connection<D> {
    /// Waits for the header, if the peer must send one. The connection is then the client's, and the time for the
    /// first request begins.
    ///
    /// # Errors
    ///
    /// How the connection is closed, since it is not served.
    pub(super) async fn introduce(&mut self) -> Result<(), CloseMode> {
        let (context, arrival) = (&self.transport.context, &self.transport.arrival);
        let (settings, stream) = (&context.settings, &self.transport.socket.stream);
        let Some(proxies) = &settings.proxies else {
            return Ok(());
        };
        let limits = DrainLimits {
            new_conn_grace: settings.new_conn_grace,
            drain_head_timeout: settings.drain_head_timeout,
        };
        let service = (&*context.name, &context.time);
        let draining = context.lifecycle.draining(arrival.turn);
        match proxies.introduce(stream, limits, service, draining).await {
            Ok(()) if stream.proxy().is_none() => return Ok(()),
            Ok(()) => {}
            Err(Unintroduced::Idle) => {
                context.registry.count_idle_closed();
                return Err(CloseMode::Linger);
            }
            Err(Unintroduced::Gone | Unintroduced::Refused) => return Err(CloseMode::AtOnce),
        }
        self.transport.arrival = Arc::new(arrival.introduced(stream));
        self.heads = HeadReader::new(&self.transport, &self.transport.arrival);
        Ok(())
    }
}
