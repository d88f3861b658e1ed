//! What a handler can ask about the server and the connection that its request came by.

use std::fmt;
use std::sync::Arc;
#[cfg(feature = "tls")]
use std::sync::OnceLock;
use std::time::Duration;

use super::drain::{Noted, ServerLifecycle, TurnNumber};
use super::upgraded::{HandOver, Upgraded};
use crate::executor::panic::catch;
use crate::net::endpoint::Endpoint;
#[cfg(feature = "proxy-protocol")]
use crate::net::proxy::ProxyInfo;
#[cfg(feature = "tls")]
use crate::net::tls::TlsInfo;
use crate::stop::token::StopToken;
use crate::sync::{Mutex, lock};

/// The server, and the connection that a request came by: an extension of each request that the server
/// gives to an app.
///
/// In a handler of axum it is the extractor `Extension<RequestContext>`; anywhere else it is
/// `request.extensions().get::<RequestContext>()`. [`RequestExt`](super::RequestExt) asks it, and knows what
/// to say of a request that no server has made.
///
/// # Examples
///
/// ```
/// use axum::{Extension, Router, routing::get};
/// use neap::http::{self, RequestContext};
///
/// let app = Router::new().route("/", get(async |Extension(context): Extension<RequestContext>| {
///     let news = async {
///         smol::Timer::after(std::time::Duration::from_secs(20)).await;
///         "news"
///     };
///     // Answers early at the stop.
///     let news = context.stop_token().run_until_stopped(news).await;
///     format!("{} for {}", news.unwrap_or("no news"), context.peer())
/// }));
/// let service = http::serve(http::service(app), "127.0.0.1:0");
/// # let mut group = neap::Group::new();
/// # group.add("http", service);
/// ```
#[derive(Clone)]
pub struct RequestContext {
    pub(super) arrival: Arc<Arrival>,
    upgrade: Option<SharedWish>,
}

/// What is the same for all requests of a connection.
pub struct Arrival {
    pub(super) lifecycle: Arc<ServerLifecycle>,
    pub(super) local: Endpoint,
    pub(super) peer: Endpoint,
    /// The group of connections with which it drains.
    pub(super) turn: TurnNumber,
    /// The last request, if the server is a lame duck.
    pub(super) noted: Noted,
    /// Whether there is TLS.
    pub(super) is_secure: bool,
    /// What was agreed on in the TLS handshake, once it is over.
    #[cfg(feature = "tls")]
    pub(super) tls: OnceLock<TlsInfo>,
    /// What the proxy in front has said of the connection.
    #[cfg(feature = "proxy-protocol")]
    pub(super) proxy: Option<Arc<ProxyInfo>>,
}

impl Arrival {
    /// Returns the scheme of the connection's URLs.
    pub(super) fn scheme(&self) -> &'static str {
        match self.is_secure {
            true => "https",
            false => "http",
        }
    }
}

#[cfg(any(test, fuzzing))]
impl Arrival {
    /// That of a connection that there is not.
    pub(super) fn from_nowhere() -> Arrival {
        let stop = crate::stop::source::StopSource::new().token();
        let here = Endpoint::Tcp(std::net::SocketAddr::from(([127, 0, 0, 1], 80)));
        Arrival {
            lifecycle: Arc::new(ServerLifecycle::new(
                "http".into(),
                stop,
                Vec::new(),
                Default::default(),
                false,
                Duration::MAX,
            )),
            local: here.clone(),
            peer: here,
            turn: 0,
            noted: Noted::default(),
            is_secure: false,
            #[cfg(feature = "tls")]
            tls: OnceLock::new(),
            #[cfg(feature = "proxy-protocol")]
            proxy: None,
        }
    }
}

/// Whether the connection of a request is wanted after the answer, when it is no longer HTTP.
enum UpgradeWish {
    NotAsked,

    /// A handler has asked for the connection: this function hands it over.
    Asked(HandOver),

    /// The answer is over.
    Ended,
}

type SharedWish = Arc<Mutex<UpgradeWish>>;

/// The server's side of an [`UpgradeWish`]. Its drop ends the wish: who still waits is told so.
pub(super) struct UpgradeEnd(SharedWish);

impl UpgradeEnd {
    /// Returns true if a handler has asked for the connection.
    pub(super) fn is_asked(&self) -> bool {
        matches!(*lock(&self.0), UpgradeWish::Asked(_))
    }

    /// Hands the connection over. It is dropped if the handler has ceased to wait, or ever does.
    pub(super) fn send(self, upgraded: Upgraded) {
        let wish = std::mem::replace(&mut *lock(&self.0), UpgradeWish::Ended);
        if let UpgradeWish::Asked(hand_over) = wish {
            hand_over(upgraded);
        }
    }
}

impl Drop for UpgradeEnd {
    fn drop(&mut self) {
        let wish = std::mem::replace(&mut *lock(&self.0), UpgradeWish::Ended);
        // Outside of the lock: it wakes the handler's task.
        let _ = catch(|| drop(wish));
    }
}

impl RequestContext {
    pub(super) fn new(arrival: &Arc<Arrival>, asks_upgrade: bool) -> Self {
        Self {
            arrival: Arc::clone(arrival),
            upgrade: asks_upgrade.then(|| Arc::new(Mutex::new(UpgradeWish::NotAsked))),
        }
    }

    /// Returns the name of the service, for the log.
    pub(super) fn service(&self) -> &str {
        &self.arrival.lifecycle.name
    }

    /// Returns the address of the client, or of the proxy in front of the server, unless that has named the client
    /// by the PROXY protocol: see `Server::proxy_protocol`.
    #[must_use]
    pub fn peer(&self) -> &Endpoint {
        &self.arrival.peer
    }

    /// Returns the address at which the connection has arrived.
    #[must_use]
    pub fn local(&self) -> &Endpoint {
        &self.arrival.local
    }

    /// Returns `https` if the connection has TLS, else `http`: what a link to the same server begins with. A
    /// proxy in front of the server may have another with its clients.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        self.arrival.scheme()
    }

    /// Returns a token that is stopped when the server begins to drain, after the lame-duck time; later within
    /// the time over which the drain is [spread](super::Server::spread), and at the latest when the server
    /// cancels or ends.
    #[must_use]
    pub fn stop_token(&self) -> StopToken {
        self.arrival.lifecycle.draining(self.arrival.turn)
    }

    /// Returns how long the handler may go on before it is cancelled: zero from the deadline on, and
    /// `None` before the drain or if the drain has no deadline.
    #[must_use]
    pub fn remaining_time(&self) -> Option<Duration> {
        let lifecycle = &self.arrival.lifecycle;
        let deadline = lifecycle.draining(0).deadline()?;
        Some(deadline.saturating_duration_since(lifecycle.now()))
    }

    /// Returns true as long as the server wants more requests: once all services of its group have
    /// [started](crate::Handle::started), and until it or the group is told to stop. It is false in the lame-duck time.
    ///
    /// It stays true if a service is added later, or is restarted. [`ready`](super::ready()) says more.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let lifecycle = &self.arrival.lifecycle;
        lifecycle.has_started() && lifecycle.is_wanted()
    }

    /// Notes that the request was a health check, and whether it was told about readiness.
    pub(super) fn note_health_check(&self, told: bool) {
        let Arrival {
            lifecycle, noted, ..
        } = &*self.arrival;
        lifecycle.take_back(noted, told);
    }

    /// Returns a future of the connection, for a handler that answers with `101 Switching Protocols`
    /// (RFC 9110, 7.8): it is ready once that answer has been sent.
    ///
    /// Call it in the handler, and await it in a task: the answer has to be returned first. Its output is
    /// `None` if the answer was another, or was not sent. If it is dropped, the connection is closed behind the
    /// answer. This is `None` if the client has not asked
    /// for another protocol, or the request has a body, what is left of which would be taken for that; and
    /// from the second call on.
    ///
    /// # Examples
    ///
    /// ```
    /// use axum::{Extension, Router, http::StatusCode, response::IntoResponse, routing::get};
    /// use futures_lite::{AsyncReadExt, AsyncWriteExt};
    /// use neap::http::RequestContext;
    ///
    /// let echo = async |Extension(context): Extension<RequestContext>| {
    ///     let Some(upgrade) = context.upgrade() else {
    ///         return StatusCode::BAD_REQUEST.into_response();
    ///     };
    ///     smol::spawn(async move {
    ///         let Some(mut stream) = upgrade.await else { return };
    ///         let mut bytes = [0; 64];
    ///         while let Ok(length @ 1..) = stream.read(&mut bytes).await {
    ///             if stream.write_all(&bytes[..length]).await.is_err() {
    ///                 return;
    ///             }
    ///         }
    ///     })
    ///     .detach();
    ///     let fields = [("connection", "upgrade"), ("upgrade", "echo")];
    ///     (StatusCode::SWITCHING_PROTOCOLS, fields).into_response()
    /// };
    /// let app: Router = Router::new().route("/echo", get(echo));
    /// ```
    #[must_use]
    pub fn upgrade(&self) -> Option<impl Future<Output = Option<Upgraded>> + Send + use<>> {
        let (sender, receiver) = async_channel::bounded(1);
        // It sends only once: there is room.
        let is_first = self.ask_for_upgrade(Box::new(move |upgraded| {
            let _ = sender.try_send(upgraded);
        }));
        is_first.then_some(async move { receiver.recv().await.ok() })
    }

    /// Has the connection given to this, if it is no longer HTTP after the answer. Returns false if the client
    /// has not asked for that, or something else has been asked before.
    pub(super) fn ask_for_upgrade(&self, hand_over: HandOver) -> bool {
        let Some(wish) = &self.upgrade else {
            return false;
        };
        let mut wish = lock(wish);
        match *wish {
            UpgradeWish::Asked(_) => return false,
            UpgradeWish::NotAsked => *wish = UpgradeWish::Asked(hand_over),
            // Too late: it is dropped, and so is told.
            UpgradeWish::Ended => {}
        }
        true
    }

    /// Returns the server's side of a wish for the connection, if the client has asked for that.
    pub(super) fn upgrade_end(&self) -> Option<UpgradeEnd> {
        self.upgrade.clone().map(UpgradeEnd)
    }
}

impl fmt::Debug for RequestContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestContext")
            .field("service", &self.service())
            .field("local", self.local())
            .field("peer", self.peer())
            .field("is_ready", &self.is_ready())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arrival").finish_non_exhaustive()
    }
}
