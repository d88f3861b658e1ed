//! What a client does on one connection.

use std::fmt;
#[cfg(feature = "tls")]
use std::io;
use std::time::Duration;

#[cfg(feature = "tls")]
use crate::net::tls::TlsClient;

/// What a client does on one connection, step by step.
///
/// The steps are those of a client that keeps to the protocol: after an answer that closes the
/// connection it waits for the end of the connection, after one that is not whole it leaves.
///
/// # Examples
///
/// ```
/// use neap::test::Exchange;
///
/// let upload = Exchange::new("upload")
///     .request("POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n")
///     .continued()
///     .send("hello")
///     .answer_of(200);
/// assert_eq!(upload.to_string(), "upload");
/// ```
#[derive(Clone)]
#[must_use = "an exchange does nothing until it is tried"]
pub struct Exchange {
    pub(super) name: String,
    pub(super) steps: Vec<Step>,
    /// What is sent first, and is no part of a request.
    pub(super) preamble: Vec<u8>,
    /// How many bytes may be on their way.
    pub(super) window: usize,
    /// How long what is sent is on its way.
    pub(super) delay: Duration,
    /// Whether the answers may be others than without a stop.
    pub(super) may_differ: bool,
    /// How the client speaks TLS; `None` if it does not.
    #[cfg(feature = "tls")]
    pub(super) tls: Option<TlsClient>,
}

/// One step of a client.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Begins a request: sends these bytes, which begin with its method.
    Request(Vec<u8>),
    /// Sends more bytes, of the last request or of what the connection was switched to.
    Send(Vec<u8>),
    /// Waits for `100 Continue`, or for an answer instead.
    Continued,
    /// Waits for an answer, up to its last byte.
    Answer(Expected),
    /// Waits by the clock.
    Pause(Duration),
    /// Reads n bytes.
    Read(usize),
    /// Closes its side.
    Finish,
    /// Waits until the server has closed the connection.
    Idle,
    /// Closes the connection with a reset.
    Reset,
}

/// What an answer is like if there is no stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    Any,
    Status(u16),
    /// It has this status, and closes the connection.
    Closing(u16),
    /// It breaks off.
    Cut,
}

impl Exchange {
    /// Makes an exchange without a step. It has a name for error messages.
    pub fn new(name: &str) -> Exchange {
        Exchange {
            name: name.to_owned(),
            steps: Vec::new(),
            preamble: Vec::new(),
            window: 64 * 1024,
            delay: Duration::ZERO,
            may_differ: false,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// Begins a request: sends these bytes, which begin with its method. They may be the whole request,
    /// or its first part.
    pub fn request(self, bytes: impl AsRef<[u8]>) -> Exchange {
        self.step(Step::Request(bytes.as_ref().to_vec()))
    }

    /// Sends more bytes: of the last request, or of what the connection was switched to by a 101.
    pub fn send(self, bytes: impl AsRef<[u8]>) -> Exchange {
        self.step(Step::Send(bytes.as_ref().to_vec()))
    }

    /// Waits for `100 Continue`. If an answer comes instead, the exchange ends with it.
    pub fn continued(self) -> Exchange {
        self.step(Step::Continued)
    }

    /// Waits for the next answer, up to its last byte.
    pub fn answer(self) -> Exchange {
        self.step(Step::Answer(Expected::Any))
    }

    /// Waits for the next answer, which has this status if there is no stop.
    pub fn answer_of(self, status: u16) -> Exchange {
        self.step(Step::Answer(Expected::Status(status)))
    }

    /// Waits for the next answer, which has this status if there is no stop, and closes the connection.
    pub fn closing_answer_of(self, status: u16) -> Exchange {
        self.step(Step::Answer(Expected::Closing(status)))
    }

    /// Waits for an answer that breaks off, such that it shows: bytes or the last chunk are missing, or
    /// the connection is reset.
    pub fn cut_answer(self) -> Exchange {
        self.step(Step::Answer(Expected::Cut))
    }

    /// Reads this many bytes: of an answer without an end, or of what the connection was switched to.
    pub fn read(self, bytes: usize) -> Exchange {
        self.step(Step::Read(bytes))
    }

    /// Waits this long by the hand clock.
    pub fn pause(self, time: Duration) -> Exchange {
        self.step(Step::Pause(time))
    }

    /// Closes the client's side. What was asked and not answered until then does not count as lost.
    pub fn finish(self) -> Exchange {
        self.step(Step::Finish)
    }

    /// Waits until the server closes the connection. Without it, the client closes it after its last
    /// step.
    pub fn idle(self) -> Exchange {
        self.step(Step::Idle)
    }

    /// Closes the connection with a reset. Nothing counts as lost then.
    pub fn reset(self) -> Exchange {
        self.step(Step::Reset)
    }

    /// Has these bytes sent first, also before a handshake of TLS. They are no part of a request: a header of the PROXY
    /// protocol, which a server with `proxy_protocol` requires. The client is `10.0.0.2`.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "proxy-protocol")] {
    /// use neap::{http, net::ProxyProtocol};
    /// use neap::test::{Exchange, every_stop};
    ///
    /// let exchange = Exchange::new("behind a proxy")
    ///     .preamble("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n")
    ///     .request("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
    ///     .answer_of(404);
    /// let proxies = ProxyProtocol::from_peers(["10.0.0.2"])?;
    /// let stops = every_stop(&exchange, |site| {
    ///     http::Server::new(http::service(axum::Router::new()), site.address).proxy_protocol(&proxies)
    /// });
    /// println!("{}", stops?);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn preamble(mut self, bytes: impl AsRef<[u8]>) -> Exchange {
        self.preamble = bytes.as_ref().to_vec();
        self
    }

    /// Sets how many bytes may be on their way in each direction, unread; 64 KiB by default. With 1,
    /// every byte is read and written alone, and so the stop comes between any two of them.
    pub fn window(mut self, bytes: usize) -> Exchange {
        self.window = bytes;
        self
    }

    /// Sets how long what is sent is on its way, as on a [network with a delay](crate::test::Network::with_delay): half a
    /// round trip. By default it arrives at once. With a delay the stop comes also while a handshake or a
    /// request is on its way.
    pub fn delay(mut self, delay: Duration) -> Exchange {
        self.delay = delay;
        self
    }

    /// Allows answers to be others than without a stop: an app may answer a long poll early, or end a
    /// stream. They have to be whole all the same.
    pub fn answers_may_differ(mut self) -> Exchange {
        self.may_differ = true;
        self
    }

    /// Has the client speak TLS, and trust these certificates, which are PEM: for a server with
    /// [`tls`](crate::http::Server::tls). Its certificate has to be for `localhost`.
    ///
    /// The stop comes at every moment of the handshake too. A client that is connected when the stop comes must
    /// get through it, and each answer that closes the connection must be followed by `close_notify`.
    ///
    /// # Errors
    ///
    /// The certificates are malformed, or there are none.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use axum::{Router, routing::get};
    /// use neap::http;
    /// use neap::net::Certificates;
    /// use neap::test::{Exchange, every_stop};
    ///
    /// let certificates = Certificates::from_files("chain.pem", "key.pem")?;
    /// let exchange = Exchange::new("over TLS").request("GET / HTTP/1.1\r\nhost: a\r\n\r\n").answer_of(200);
    /// let stops = every_stop(&exchange.tls(&std::fs::read("chain.pem")?)?, |site| {
    ///     let app = Router::new().route("/", get("hello"));
    ///     http::Server::new(http::service(app), site.address).tls(&certificates)
    /// });
    /// println!("{}", stops?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "tls")]
    pub fn tls(mut self, roots: &[u8]) -> io::Result<Exchange> {
        self.tls = Some(TlsClient::new(roots)?);
        Ok(self)
    }

    /// Returns true if the client speaks TLS.
    pub(super) fn has_tls(&self) -> bool {
        #[cfg(feature = "tls")]
        return self.tls.is_some();
        #[cfg(not(feature = "tls"))]
        return false;
    }

    fn step(mut self, step: Step) -> Exchange {
        self.steps.push(step);
        self
    }
}

/// The name.
impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("name", &self.name)
            .field("steps", &self.steps.len())
            .field("window", &self.window)
            .finish_non_exhaustive()
    }
}
