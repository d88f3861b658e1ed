//! What the two sides of a TLS connection have agreed on.

use std::sync::Arc;

use rustls::Connection;
use rustls::{CipherSuite, ProtocolVersion};

/// What the two sides of a TLS connection have agreed on in their handshake.
///
/// A handler of `net` asks its stream, by [`Stream::tls`](super::super::Stream::tls); one of `http` asks the context of its
/// request, by `RequestContext::tls`.
///
/// # Examples
///
/// ```
/// use neap::net::Stream;
///
/// async fn serve(stream: Stream) {
///     match stream.tls() {
///         Some(tls) => println!("{} for {}", tls.version(), tls.server_name().unwrap_or("nobody")),
///         None => println!("in the clear"),
///     }
/// }
/// # drop(serve);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsInfo {
    server_name: Option<String>,
    alpn: Option<Vec<u8>>,
    version: Option<ProtocolVersion>,
    cipher_suite: Option<CipherSuite>,
    /// `None` if the client has shown none.
    client_certificates: Option<Arc<[Vec<u8>]>>,
}

impl TlsInfo {
    /// Reads it off a session whose handshake is over.
    pub(super) fn of(session: &Connection) -> TlsInfo {
        let (server_name, chain) = match session {
            Connection::Server(server) => (server.server_name(), session.peer_certificates()),
            Connection::Client(_) => (None, None),
        };
        TlsInfo {
            server_name: server_name.map(str::to_owned),
            alpn: session.alpn_protocol().map(<[u8]>::to_vec),
            version: session.protocol_version(),
            cipher_suite: session.negotiated_cipher_suite().map(|suite| suite.suite()),
            client_certificates: chain.map(|chain| chain.iter().map(|der| der.to_vec()).collect()),
        }
    }

    /// Returns the name of the server that the client has asked for (SNI, RFC 6066, 3), in lower case; `None`
    /// if it has not said one, as one that connects to an address has not.
    ///
    /// It is what the client says. The certificate is the same whatever it says.
    #[must_use]
    pub fn server_name(&self) -> Option<&str> {
        self.server_name.as_deref()
    }

    /// Returns the protocol that both have agreed on (ALPN, RFC 7301); `None` if the client has offered none,
    /// or the server has [none](super::super::TlsConfig::alpn).
    #[must_use]
    pub fn alpn(&self) -> Option<&[u8]> {
        self.alpn.as_deref()
    }

    /// Returns the certificates that the client has shown, as DER (X.509, RFC 5280): its own first, and then those that
    /// it has sent to lead to an authority. None if it was not [asked](super::super::TlsConfig::require_client_certificate), or
    /// has none.
    ///
    /// One of the authorities has signed the first, or one of the others has that leads there, and the client has the key
    /// of the first. What else the client sends was not looked at. A crate such as `x509-parser` reads names out of
    /// them.
    #[must_use]
    pub fn client_certificates(&self) -> &[Vec<u8>] {
        self.client_certificates.as_deref().unwrap_or_default()
    }

    /// Returns the version of TLS: `TLSv1_3` or `TLSv1_2`.
    #[must_use]
    pub fn version(&self) -> &'static str {
        self.version
            .and_then(|version| version.as_str())
            .unwrap_or("unknown")
    }

    /// Returns the name of the cipher suite, such as `TLS13_AES_256_GCM_SHA384`.
    #[must_use]
    pub fn cipher_suite(&self) -> &'static str {
        self.cipher_suite
            .and_then(|suite| suite.as_str())
            .unwrap_or("unknown")
    }
}
