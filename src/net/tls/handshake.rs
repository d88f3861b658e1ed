//! The handshake of a connection, within its limits.

use std::future::poll_fn;
use std::io;
use std::time::Duration;

use futures_lite::future::{or, poll_once};

use crate::net::stream::Stream;
use crate::stop::token::StopToken;
use crate::time::time_source::{TimeSource, deadline_from};

/// How long a handshake may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HandshakeLimits {
    /// In all, from the accept on.
    pub(crate) timeout: Duration,
    /// While the server drains, if the peer has sent nothing; from the accept on.
    pub(crate) new_conn_grace: Duration,
    /// While the server drains, if it has; from the begin of the drain on.
    pub(crate) drain_timeout: Duration,
}

impl HandshakeLimits {
    /// Those of a server that has no settings for a drain.
    pub(in crate::net) fn new(timeout: Duration) -> HandshakeLimits {
        HandshakeLimits {
            timeout,
            new_conn_grace: Duration::from_secs(1),
            drain_timeout: Duration::from_secs(5),
        }
    }
}

/// Waits for the end of the handshake of a connection that has just been accepted. A stream without TLS has
/// none.
///
/// A client that is in its handshake when the server is told to stop goes on with it.
///
/// # Errors
///
/// The peer has broken the protocol or is gone, or `TimedOut`.
pub(crate) async fn shake_hands(
    stream: &Stream,
    limits: HandshakeLimits,
    time: &TimeSource,
    draining: StopToken,
) -> io::Result<()> {
    let accepted_at = time.now();
    let limit = async {
        time.alarm(deadline_from(accepted_at, limits.timeout)).await;
        "the handshake took too long"
    };
    let drained = async {
        draining.stopped().await;
        let told_at = time.now();
        time.alarm(deadline_from(accepted_at, limits.new_conn_grace))
            .await;
        // What has come by now was read before this was polled.
        if !stream.has_begun_handshake() {
            return "nothing came before the server has stopped";
        }
        time.alarm(deadline_from(told_at, limits.drain_timeout))
            .await;
        "the handshake was not over before the server has stopped"
    };
    let late = async {
        let why = or(limit, drained).await;
        // A last look: it may have come to its end while the time ran out.
        let shaken = poll_once(poll_fn(|cx| stream.poll_handshake(cx))).await;
        shaken.unwrap_or_else(|| Err(io::Error::new(io::ErrorKind::TimedOut, why)))
    };
    or(poll_fn(|cx| stream.poll_handshake(cx)), late).await
}
