//! Both ends of a connection.

#[cfg(feature = "proxy-protocol")]
use std::sync::Arc;

use super::endpoint::Endpoint;
#[cfg(feature = "proxy-protocol")]
use super::proxy::proxy_info::ProxyInfo;
#[cfg(feature = "proxy-protocol")]
use crate::sync::OnceLock;

/// The addresses of both ends of a connection.
#[derive(Debug)]
pub(super) struct Ends {
    local: Endpoint,
    peer: Endpoint,
    /// What a proxy has said of the client.
    #[cfg(feature = "proxy-protocol")]
    proxy: OnceLock<Arc<ProxyInfo>>,
}

impl Ends {
    /// Those of a socket.
    pub(super) fn new(local: Endpoint, peer: Endpoint) -> Self {
        Self {
            local,
            peer,
            #[cfg(feature = "proxy-protocol")]
            proxy: OnceLock::new(),
        }
    }

    /// Returns where the client has connected to.
    pub(super) fn local(&self) -> &Endpoint {
        #[cfg(feature = "proxy-protocol")]
        if let Some(proxy) = self.proxy.get() {
            return proxy.server();
        }
        &self.local
    }

    /// Returns where the client is.
    pub(super) fn peer(&self) -> &Endpoint {
        #[cfg(feature = "proxy-protocol")]
        if let Some(proxy) = self.proxy.get() {
            return proxy.client();
        }
        &self.peer
    }
}

#[cfg(feature = "proxy-protocol")]
impl Ends {
    /// Returns what a proxy has said of the client, if there is one.
    pub(super) fn proxy(&self) -> Option<&Arc<ProxyInfo>> {
        self.proxy.get()
    }

    /// Notes the client and the server that a proxy has named, or that it has named none.
    pub(super) fn introduce(&self, named: Option<[Endpoint; 2]>) {
        let (local, peer) = (self.local.clone(), self.peer.clone());
        // A connection has one header.
        let _ = self.proxy.set(Arc::new(ProxyInfo::new(local, peer, named)));
    }
}
