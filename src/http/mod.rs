//! Serving `tide` apps, with a drain that loses no request.
//!
//! `tide::Server::listen` has no graceful stop: it detaches every connection, and its loop never
//! ends. So this module owns the listeners and the connections, and calls only
//! [`tide::Server::respond`]. The [service](serve) it makes is one like any other.
//!
//! ```no_run
//! use neap::{Group, http, signal};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # futures_lite::future::block_on(async {
//! let mut app = tide::new();
//! app.at("/hello").get(|_| async { Ok("Hello World!") });
//! app.at("/ready").get(http::ready());
//!
//! let mut group = Group::new();
//! # #[cfg(feature = "signal")]
//! group.stop_on(signal::termination()?);
//! group.add("http", http::serve(app, "0.0.0.0:8080"));
//! group.run().await?;
//! # Ok(())
//! # })
//! # }
//! ```
//!
//! From the top:
//!
//! - [`serve`] and [`Server`]: an app, where it listens, and every limit and timeout.
//! - [`App`]: what can be served. A [`tide::Server`], or a function by way of [`from_fn`].
//! - [`RequestExt`]: a handler's stop token and the time it has left.
//! - [`ready`] and [`live`]: endpoints for those who ask.
//! - [`Report`] and [`Tally`]: how a drain went.
//!
//! # What a stop does
//!
//! 1. **Lame duck**, if [set](Server::lame_duck): everything is served still, with
//!    `Connection: close` in each response, and readiness is 503.
//! 2. **Drain**: the handlers' token is stopped, what the kernel has accepted is accepted, and the
//!    listeners are closed. Each connection finishes its request; what is idle is closed after its
//!    [grace](Server::idle_grace), but not before a last look at its socket.
//! 3. **Cancel**, at the deadline or at a second stop: handlers are dropped. Whoever has no response
//!    yet is told `503 Service Unavailable`; a response that is under way is cut so that it shows.
//!
//! # Guarantees
//!
//! Each has tests named after it, in `tests/http_drain.rs`, which run on seven runtimes.
//!
//! 1. No connection that the kernel has accepted before the listener closes is reset, unless 4096 of
//!    them or 250 ms are not enough, or the deadline comes.
//! 2. Request bytes that are in a socket at the stop are answered, even if the connection's task has
//!    not run yet.
//! 3. After the listener is closed, a connect is refused. On Linux one that falls into the
//!    microseconds between the last accept and the close is refused at its first repetition, a
//!    second later.
//! 4. Every response head that is written after the stop says close; none says keep-alive.
//! 5. With no handler at work the drain ends within the longest of the two graces and
//!    [`drain_head_timeout`](Server::drain_head_timeout), and a [`linger`](Server::linger); with no
//!    connection, at once.
//! 6. It ends by the deadline whatever the peers do: stalled uploads, half a head, a client that
//!    never reads, endless events.
//! 7. A large response arrives whole, with garbage behind its request.
//! 8. A second stop cancels at once.
//! 9. A lame duck answers new connections, and says close.
//! 10. An upgrade that completes in the drain is counted, and cut at the deadline.
//! 11. At the end no connection and no descriptor is left. A stop may come at any time, a hundred
//!     times at once.
//! 12. Clients that send back to back, or with pauses, or with a connection for each request, lose no
//!     request that they sent whole: each is answered, or its connect refused.
//! 13. A handler that panics costs its own connection only: 500, and a close. Or the group, if it is
//!     [so set](Server::panics_fail).
//!
//! # HTTP/1
//!
//! HTTP/1.1 and 1.0 (RFC 9110, RFC 9112): keep-alive, pipelining, chunked bodies and trailers both
//! ways, `100 Continue` when a handler first reads, HEAD, upgrades, absolute and asterisk targets.
//! What two parties could read in two ways is refused with a 4xx or 5xx and a close: bare line feeds,
//! folded lines, space before a colon, control characters, not exactly one `Host`, a
//! `Content-Length` that is not one run of digits or comes with a `Transfer-Encoding`, any transfer
//! coding but `chunked`, chunk sizes past 16 digits, overlong chunk extensions and trailers. Fields of a response that would break out of their
//! line are left out, with a log line. Bytes beyond ASCII in a request's fields, which `http_types`
//! cannot hold, are passed on percent-encoded.
//!
//! No TLS and no HTTP/2: that is for a proxy in front.
//!
//! # Tried with
//!
//! | what | how |
//! |---|---|
//! | nested apps, state, middleware, `Redirect`, `serve_dir` of tide 0.16 | `tests/http_tide.rs` |
//! | `tide::sse` | `tests/http_tide.rs`; an SSE handler is a detached async-std task, and ends once its connection has |
//! | upgrades by `http_types::upgrade`, WebSocket by async-tungstenite 0.35 with its client | `tests/http_tide.rs` |
//! | sessions, cookies and the log middleware of tide 0.16, tide-websockets 0.4 (no default features) | by hand, 2026-11 |
//! | tide 0.17 beta | not tried; pass a function that calls its `respond` to [`from_fn`] |
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
//! So the codec is a private one on `httparse`, straight to `http_types`. The drain knows nothing of
//! its inside, and a library can take its place once one fits.
//!
//! # Costs
//!
//! A request costs no timer, no lock that another thread wants, and, on a busy server, one receive
//! and one send. A kept-alive connection that is idle holds no buffer: 1.6 KB in all outside of
//! the kernel, measured at ten thousand of them.

mod app;
mod codec;
mod connection;
mod context;
mod drain;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzz;
mod health;
mod request_ext;
mod server;
mod serving;
mod settings;
mod socket;

pub use self::app::{App, FromFn, from_fn};
pub use self::drain::{Report, Tally};
pub use self::health::{live, ready};
pub use self::request_ext::RequestExt;
pub use self::server::{Server, Serving, serve};
