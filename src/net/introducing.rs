//! The PROXY protocol, as far as a server of `net` knows of it.

use super::proxy::ProxyProtocol;
use super::server::Server;

impl<H> Server<H> {
    /// Requires a header of the PROXY protocol from these peers, and from nobody else. **From none** by default.
    ///
    /// [`ProxyProtocol`] says what becomes of the others, what the addresses are, and how long a header is waited
    /// for. The handler is called once the header has come, and nothing of what follows it is read before. With
    /// [`tls`](Server::tls), the header is in front of the handshake, whose time begins behind it.
    pub fn proxy_protocol(mut self, proxies: impl Into<ProxyProtocol>) -> Self {
        self.proxies = Some(proxies.into());
        self
    }
}
