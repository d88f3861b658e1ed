//! What the two sides of a TLS connection have agreed on.

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
}

impl TlsInfo {
    /// Reads it off a session whose handshake is over.
    pub(super) fn of(session: &Connection) -> TlsInfo {
        let server_name = match session {
            Connection::Server(session) => session.server_name().map(str::to_owned),
            Connection::Client(_) => None,
        };
        TlsInfo {
            server_name,
            alpn: session.alpn_protocol().map(<[u8]>::to_vec),
            version: session.protocol_version(),
            cipher_suite: session.negotiated_cipher_suite().map(|suite| suite.suite()),
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
