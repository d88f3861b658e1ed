//! What a proxy has said of a connection.

use crate::net::endpoint::Endpoint;

/// The proxy by way of which a connection has come, and whether it has named a client: what came by the PROXY
/// protocol.
///
/// A handler of `net` asks its stream, by [`Stream::proxy`](super::super::Stream::proxy); one of `http` asks the context of
/// its request, by `RequestContext::proxy`. The client's own address is where that of a client always is:
/// [`Stream::peer_addr`](super::super::Stream::peer_addr), `RequestContext::peer`.
///
/// # Examples
///
/// ```
/// use neap::net::Stream;
///
/// async fn serve(stream: Stream) {
///     let client = stream.peer_addr();
///     match stream.proxy() {
///         Some(proxy) if proxy.has_client() => println!("{client} by way of {}", proxy.addr()),
///         Some(_) => println!("the proxy {client} itself: a health check"),
///         None => println!("{client}, without a proxy"),
///     }
/// }
/// # drop(serve);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyInfo {
    local: Endpoint,
    proxy: Endpoint,
    /// The client, and where it has connected to.
    named: Option<[Endpoint; 2]>,
}

impl ProxyInfo {
    pub(in crate::net) fn new(
        local: Endpoint,
        proxy: Endpoint,
        named: Option<[Endpoint; 2]>,
    ) -> Self {
        Self {
            local,
            proxy,
            named,
        }
    }

    /// Returns the address of the proxy: the peer of the socket.
    #[must_use]
    pub fn addr(&self) -> &Endpoint {
        &self.proxy
    }

    /// Returns the address at which the proxy's connection has arrived.
    #[must_use]
    pub fn local_addr(&self) -> &Endpoint {
        &self.local
    }

    /// Returns true if the proxy has named a client, and false if the connection is its own, or of a client that
    /// it cannot name: `LOCAL` or an unspecified address in version 2, `UNKNOWN` in version 1. The addresses
    /// of the connection are then the socket's.
    #[must_use]
    pub fn has_client(&self) -> bool {
        self.named.is_some()
    }

    pub(in crate::net) fn client(&self) -> &Endpoint {
        self.named
            .as_ref()
            .map_or(&self.proxy, |[client, _]| client)
    }

    pub(in crate::net) fn server(&self) -> &Endpoint {
        self.named
            .as_ref()
            .map_or(&self.local, |[_, server]| server)
    }
}
