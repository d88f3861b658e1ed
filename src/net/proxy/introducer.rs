//! The introduction of a connection to a server of `net`.

use std::sync::Arc;

use super::introduction::DrainLimits;
use super::proxy_protocol::ProxyProtocol;
use crate::net::stream::Stream;
use crate::stop::token::StopToken;
use crate::time::time_source::TimeSource;

/// Introduces the connections of a server of `net`.
pub(in crate::net) struct Introducer {
    proxies: ProxyProtocol,
    /// The name of the service.
    service: String,
    time: TimeSource,
}

impl Introducer {
    /// Makes that of a service, if there is somebody whom a header is required from.
    pub(in crate::net) fn new(
        proxies: Option<ProxyProtocol>,
        service: &str,
        time: TimeSource,
    ) -> Option<Arc<Self>> {
        let service = service.to_owned();
        proxies.map(|proxies| {
            Arc::new(Self {
                proxies,
                service,
                time,
            })
        })
    }

    /// Waits for the header of a connection that has just been accepted, if it must have one. Returns false if the
    /// connection is to be closed.
    pub(in crate::net) async fn introduce(&self, stream: &Stream, token: &StopToken) -> bool {
        let service = (&*self.service, &self.time);
        let proxies = &self.proxies;
        // Boxed: it takes no room in the connection that it is over for.
        Box::pin(proxies.introduce(stream, DrainLimits::default(), service, token.clone()))
            .await
            .is_ok()
    }
}
