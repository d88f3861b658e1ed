//! Serving HTTP, with a drain that loses no request: an axum `Router`, a tide app, or any service of `tower`.
//!
//! The server owns its listeners and its connections, and speaks HTTP/1 itself: there is no hyper and no
//! tokio below it. What answers the requests is an [`App`], and the [service](serve) made of it is one like any
//! other.
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! # #[cfg(feature = "signal")]
//! use neap::signal;
//! use neap::{Group, http};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # futures_lite::future::block_on(async {
//! let app = Router::new()
//!     .route("/hello", get(async || "Hello World!"))
//!     .route_service("/ready", http::ready());
//!
//! # #[cfg(not(feature = "signal"))]
//! # let mut group = Group::new();
//! # #[cfg(feature = "signal")]
//! let mut group = Group::new().stop_on(signal::termination()?);
//! group.add("http", http::serve(http::service(app), "0.0.0.0:8080"));
//! group.run().await?;
//! # Ok(())
//! # })
//! # }
//! ```
//!
//! A tide app is served as it is, with the feature `tide`:
//!
//! ```
//! # #[cfg(feature = "tide")] {
//! use neap::http;
//!
//! let mut app = tide::new();
//! app.at("/hello").get(|_| async { Ok("Hello World!") });
//! app.at("/ready").get(http::ready());
//! let service = http::serve(app, "0.0.0.0:8080");
//! # let mut group = neap::Group::new();
//! # group.add("http", service);
//! # }
//! ```
//!
//! From the top:
//!
//! - [`serve`] and [`Server`]: an app, its address, and every limit and timeout; [those for a server with too
//!   much to do](Server#limits).
//! - [`service`](service()), [`from_fn`]: an [`App`] of a service of `tower`, and of a function.
//! - [`RequestContext`] and [`RequestExt`]: the stop token of a handler, the time it has left, the peer, and
//!   the connection after an upgrade.
//! - [`Body`]: the body of a request. `SizeHint` frames that of a response: one whose length is
//!   [exact](http_body::SizeHint::exact), or is said by the handler's `Content-Length`, has that length, any other is
//!   chunked, with its trailers. One that is shorter than that is cut, and what is longer is left out.
//! - [`events`](events()): a response of server-sent events, which ends well at the stop. A [`ServerEvent`] is one.
//! - [`ready`] and [`live`]: endpoints for load balancers and orchestrators.
//! - [`Report`] and [`Tally`]: how a drain went. [`Counters`] and [`Counts`]: what servers have done so far.
//!   [`AccessLog`]: a log record of each request.
//! - With the features `tls` and `proxy-protocol`: [`Server::tls`] and [`Server::proxy_protocol`].
//! - With the feature `tide`: `TideApp` and `from_tide_fn`, for what answers requests of `http_types`, and
//!   `tide_service`, by which an axum `Router` has a tide app for its fallback:
//!   [the way from tide to axum](crate::guide::axum).
//!
//! axum's own features `tokio`, `http1`, `ws` and the like bring tokio: have it with `default-features = false`
//! and those of `form`, `json`, `macros`, `matched-path`, `multipart`, `original-uri`, `query` and `tracing`
//! that are needed. Of tower, `util`, `steer` and `load-shed` are free of it, of tower-http `auth`, `catch-panic`, `cors`,
//! `limit`, `request-id`, `set-header` and `trace`.
//!
//! # What a stop does
//!
//! 1. **Lame duck**, if it is [set](Server::lame_duck): the server still serves everything, with
//!    `Connection: close` in each response, and readiness is 503.
//! 2. **Drain**: the token of the handlers is stopped, new connections are refused, those that clients
//!    have already are accepted, and the listeners are closed. Each connection finishes its request. A connection that is idle is
//!    closed after its [grace](Server::idle_grace), and after a last look at its socket.
//! 3. **Cancel**, at the deadline or at a second stop: handlers are dropped. A client whose response
//!    has not begun gets `503 Service Unavailable`. A response that has begun is cut in a way that the
//!    client notices: its length or its last chunk is missing, or, where the end of the connection is the
//!    end of the response, the connection is reset.
//!
//! A Unix socket cannot be reset. So on one, a response to HTTP/1.0 of which the length is not known looks
//! whole when it is cut. No server can do better there: have the client, or the proxy, speak HTTP/1.1
//! (`proxy_http_version 1.1;` in nginx).
//!
//! # Guarantees
//!
//! Each has tests named after its number, in `tests/http`, which run on seven runtimes.
//!
//! 1. No connection that a client holds for established before the listener closes is reset, also
//!    across a slow link, on a Unix socket, when descriptors run out, and when the kernel's queue was
//!    full, unless its handshake takes longer than [`handshake_grace`](Server::handshake_grace), or the
//!    deadline comes. That is so on Linux, for sockets that the server has bound;
//!    [`Listeners::close`](crate::net::Listeners::close) says what others lose.
//! 2. Request bytes that are in a socket at the stop are answered, even if the connection's task has
//!    not run yet.
//! 3. From the begin of the drain on, a connect is refused at once, unless the socket was
//!    [bound elsewhere](Server::listener_shared). Before Linux 5.7, one that comes
//!    before the close is refused when the client repeats it, a second later. A client that must not
//!    be refused needs a lame duck: time to be sent elsewhere.
//! 4. Every response head that is written after the stop says close; none says keep-alive.
//! 5. If no handler is at work, the drain ends within the longest of the two graces and
//!    [`drain_head_timeout`](Server::drain_head_timeout), and one [`linger`](Server::linger), or two where
//!    a client has not sent all of a body that nobody has read. All is after
//!    [`handshake_grace`](Server::handshake_grace) if handshakes are in flight, and longer if the kernel's
//!    queue was full. If there is no connection and no handshake in flight, it ends at once.
//!    A client that has not taken all of its response is waited for: 2 s if it takes nothing, else up to
//!    [`write_timeout`](Server::write_timeout).
//! 6. The drain ends by the deadline whatever the peers do: stalled uploads, half a head, a client
//!    that never reads, endless events.
//! 7. A large response arrives whole, also with garbage behind its request.
//! 8. A second stop cancels at once.
//! 9. A lame duck answers new connections, and says close.
//! 10. An upgrade that completes in the drain is counted, and cut at the deadline.
//! 11. At the end no connection and no descriptor is left. A stop may come at any time, also a hundred
//!     times at once.
//! 12. No request is lost, [as defined below](#what-it-means-that-no-request-is-lost), whatever clients do
//!     and at whatever moment the stop comes.
//! 13. A handler that panics costs its own connection only: the client gets a 500 and a close. Or it
//!     fails the service, if the server is [set](Server::panics_fail) so. The same holds for what reads a body
//!     of a request or is the body of a response, and for what is dropped with them.
//! 14. Whatever one client does, the others' answers and all deadlines come as without it, within their
//!     share: a connection yields after a bounded amount of work.
//! 15. No wake-up is lost, and no answer waits for a timer that has nothing to do with it.
//!
//! # What it means that no request is lost
//!
//! A request is lost if the client had a connection (its `connect` returned), sent the request whole as
//! the first unanswered one on it, and got no whole answer. Not lost is a connect that is refused or times
//! out, a request that was pipelined behind the one answered with `Connection: close` (RFC 9112, 9.6), and
//! a request of a client that has closed its side.
//!
//! Some requests no server can keep, and clients repeat them (RFC 9112, 9.3.1 and 9.5):
//!
//! - One that crosses the close of a connection, which was idle for longer than its
//!   [grace](Server::idle_grace): it is on its way while the end of the connection is.
//! - One that comes after a server was dropped that was bound and never ran. What had come before is
//!   answered with 503.
//! - The first one on a connection, if the network loses it and what repeats it arrives later than
//!   [`new_conn_grace`](Server::new_conn_grace) after the accept. Of 10,000 requests in flight at a stop, a link that
//!   loses 1% of all frames loses some ten; with a grace of 3 s, fewer. The kernel of a server that has
//!   not accepted for seconds does the same to a client that it had no room for.
//! - The answer to one, if its client reads none of it for 2 s after the server has closed its side, and
//!   then sends more: that is answered with a reset, which takes from the client what it has not read.
//!
//! # HTTP/1
//!
//! HTTP/1.1 and 1.0 (RFC 9110, RFC 9112): keep-alive, pipelining, chunked bodies and trailers both
//! ways, `100 Continue` when a handler first reads, HEAD, upgrades, absolute and asterisk targets.
//!
//! The answers to requests that are pipelined are gathered, up to 16 KiB, and leave in few writes. None waits
//! for a handler that is pending, for the rest of a request, or for a timer.
//!
//! What two parties could read in two ways is refused with a 4xx or 5xx and a close: bare line feeds,
//! folded lines, space before a colon, control characters, not exactly one `Host`, a
//! `Content-Length` that is not one run of digits or comes with a `Transfer-Encoding`, any transfer
//! coding but `chunked`, chunk sizes of more than 16 digits, overlong chunk extensions and trailers, and
//! targets that a `url::Url` would change: with a backslash, a dot segment, or a character that is none of a
//! URI and that browsers percent-encode (`"`, `<`, `>`, `{`, `}`, a backtick).
//! A field of a response that would end its line early is left out, with a log record.
//!
//! Any `Host` of RFC 9110 is served, and with axum any method. The `uri` of an absolute target has the path alone
//! if `Uri` does not take its host, such as `a%2eb`: that is in the field `Host`. What `http_types` cannot hold reaches a tide app
//! in another way: bytes beyond ASCII in fields are percent-encoded; a `Host` that `url::Url` does not take, such
//! as `pod.1`, `1.2.3.400` or `[fe80::1%25eth0]`, is in its field as it was sent, and the `url` has the address
//! that the request arrived at instead; a method that is none of its own is answered with 501.
//!
//! Empty lines in front of a request are skipped, as some clients send one behind a body (RFC 9112, 2.2). They
//! begin no request: the connection stays idle, and no time begins anew. They have at most
//! [`max_head`](Server::max_head) bytes.
//!
//! There is no HTTP/2: a proxy in front does that. TLS comes with the feature `tls`, see [`Server::tls`] and
//! [the guide](crate::guide::tls).
//!
//! # Log records
//!
//! All have the target `neap` and the key `event`. `service` is the name of the service. Which
//! connections a drain waits for is in the record that the group has once a second, see
//! [`Scope::waits_for`](crate::Scope::waits_for). Requests have records of their own if the server has an
//! [`AccessLog`].
//!
//! | event | level | other keys | when |
//! |---|---|---|---|
//! | `drain too short` | warn | `service` | at the start, or at the stop: the [lame duck](Server::lame_duck) and the [spread](Server::spread) take all the time that there is |
//! | `lame duck` | info | `service` | the lame-duck time begins |
//! | `connections drained` | info | `service` | the last connection has ended, and the [report](Report) is clean |
//! | `connections cut` | warn | `service` | the same, and it is not |
//! | `request failed` | error | `service`, `peer` | an app has returned an error of 500 or more; axum and tide make a response of it instead |
//! | `handler panicked` | error | `service`, `peer` | a handler, a body of its, or a destructor of these has panicked |
//! | `response not final` | error | `service`, `peer` | an app has answered with a status below 200, or switched protocols unasked; the client gets a 500 |
//! | `requests turned away` | warn | `service`, `limit`, `refused` | there are [as many requests](Server::max_in_flight) as there may be; at most once in 10 s, and at the end of the server |
//! | `connections full` | warn | `service`, `limit`, `times` | there are [as many connections](Server::max_connections) as there may be; at most once in 10 s |
//! | `proxy header refused` | warn | `service`, `peer`, `times` | a connection was closed for its PROXY header, or for want of one; at most once in 10 s |
//! | `handshake failed` | debug | `service`, `peer` | a handshake of TLS has failed, or took too long |
//! | `response cut` | debug | `service`, `peer` | a response was not sent to its end |
//! | `access log full` | warn | `service`, `lost` | records of the [access log](AccessLog) were lost |
//! | `field left out` | warn | `field` | a field of a response, or a trailer, would end its line early, or is no trailer (RFC 9110, 6.5.1) |
//!
//! Tide makes a response of an error that a handler returns, so without a logger nothing tells of it:
//! [`Group::narrate`](crate::Group::narrate) has no line for it, as requests and connections are left to
//! the log. A middleware of tide's sees it:
//!
//! ```
//! # #[cfg(feature = "tide")] {
//! let mut app = tide::new();
//! app.with(tide::utils::After(|response: tide::Response| async move {
//!     if let Some(error) = response.error() {
//!         eprintln!("{}: {error:?}", response.status());
//!     }
//!     Ok(response)
//! }));
//! # app.at("/").get(|_| async { Ok("") });
//! # }
//! ```
//!
//! # Tried with
//!
//! | what | how |
//! |---|---|
//! | nested apps, state, middleware, `Redirect`, `serve_dir` of tide 0.16 | `tests/http/tide.rs` |
//! | `tide::sse` | `tests/http/tide.rs`; an SSE handler is a detached async-std task, and ends once its connection has. [`events()`] needs none |
//! | `Json`, `Query`, `Form`, `Path`, `Multipart`, `State`, `Extension`, `MatchedPath`, `OriginalUri` of axum 0.8, what they refuse, nested routers, `fallback`, `Redirect`, `HEAD` | `tests/axum/routers.rs` |
//! | trace, cors, set-header, catch-panic, request-id and auth of tower-http 0.6 | `tests/axum/layers.rs` |
//! | `tower::service_fn`, `map_response`, `BoxCloneSyncService`, services that are not ready at once or fail | `tests/axum/services.rs` |
//! | axum's `Sse`, bodies streamed both ways, trailers both ways | `tests/axum/streams.rs` |
//! | bodies of `http-body` of every framing, and such that fail, panic, or break their `SizeHint` | `tests/axum/framing.rs`, `broken.rs`, `pipelining.rs` |
//! | bodies of requests read whole, in part, by another task, too late, too long; heads | `tests/axum/requests.rs`, `heads.rs` |
//! | WebSocket by async-tungstenite 0.35 with its client, in axum | `tests/axum/websocket.rs`, `examples/websocket.rs` |
//! | upgrades by `http_types::upgrade`, WebSocket by async-tungstenite 0.35 with its client | `tests/http/tide.rs` |
//! | sessions, cookies and the log middleware of tide 0.16, tide-websockets 0.4 (no default features) | by hand, 2026-11 |
//! | tide 0.17 beta | not tried; pass a function that calls its `respond` to `from_tide_fn` |
//!
//! # Why not a library's connection
//!
//! Looked at in 2026-11:
//!
//! | candidate | finding |
//! |---|---|
//! | async-h1 2.3.4, which is tide's own | last code 2023-10. Loses the second of two pipelined requests; hangs when a chunked end comes in two segments, so a drain never ends; accepts `Transfer-Encoding: gzip, chunked` and two lengths; lets line ends through in response fields; closes malformed requests without a reply |
//! | trillium-http 1.8 | well behaved, but does not compile with Rust 1.95, and its newest version that does lacks security fixes; resets a connection whose request is in the socket at the stop; no timeouts |
//! | hyper 1 | depends on the tokio crate |
//!
//! So the codec is a private one on `httparse`. It makes requests of the types of `http`, or of
//! tide's, straight from the bytes: neither kind is made of the other.
//!
//! # Costs
//!
//! A request costs no timer, no lock that another thread wants, and, on a busy server, one receive
//! and one send. A connection that is idle holds no buffer. Outside of the kernel it has 1.8 kB with an axum
//! `Router` and 1.9 kB with a tide app, and once it has asked 2.0 and 2.4 kB: measured at ten thousand, in place
//! (`torture idle`). One that waits for the rest of a request, or of a body,
//! holds little more than what has come. After a burst an idle connection holds what it held before; the
//! allocator of the C library may keep what was freed (malloc_trim(3) gives it back).

// The way of a request, from the socket to the app and back:
//
// - `server` has the app, the address (`unserved` before it runs) and the `settings`; `serving` accepts
//   connections, and drains. `limits` and `observing` are settings, too.
// - `connection` reads a head, runs the `app`, writes its response, and waits for the next head.
// - `service` and `tide` are the doors: the types of requests and responses that apps have. `door` is what the
//   connection asks of one, with `body_handle`, `request_context` and `upgraded` for what a handler is given.
// - `codec` turns bytes into requests and responses into bytes, without any I/O.
// - `context` is what a server shares with its connections; `drain` its state and its connections, `counters`
//   what they have done, and `access` the records of requests.
// - `socket` is one connection's socket, with its buffers and a timer.
//
// Imports go from the top of this list to the end. `request_ext`, `events` and `health` are for handlers.
mod access;
mod app;
mod body_handle;
mod codec;
mod connection;
mod context;
mod counters;
pub(crate) mod door;
mod drain;
mod events;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzz;
mod health;
mod limits;
mod observing;
#[cfg(feature = "proxy-protocol")]
mod proxied;
mod request_context;
mod request_ext;
mod server;
mod service;
mod serving;
mod settings;
mod socket;
#[cfg(feature = "tide")]
mod tide;
#[cfg(feature = "tls")]
mod tls;
mod unserved;
mod upgraded;

pub use self::access::{Access, AccessLog};
pub use self::app::App;
pub use self::counters::{Counters, Counts};
pub use self::drain::{Report, Tally};
pub use self::events::{EventStream, ServerEvent, events};
pub use self::health::{Health, live, ready};
pub use self::request_context::RequestContext;
pub use self::request_ext::RequestExt;
pub use self::server::{Server, Serving, serve};
pub use self::service::{Body, FromFn, Service, from_fn, service};
#[cfg(feature = "tide")]
pub use self::tide::{FromTideFn, TideApp, TideBody, TideService, from_tide_fn, tide_service};
pub use self::upgraded::Upgraded;
