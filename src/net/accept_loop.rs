//! The loop that accepts connections until the stop.

use std::future::Future;
use std::io;
use std::pin::pin;

use futures_lite::future::{or, yield_now};

use super::connections::{Connections, Counted};
use super::listeners::Listeners;
use super::stream::Stream;

/// Gives each connection to `each` until `stop` is ready, and returns the output of `stop`.
///
/// An accepted connection is given to `each` before `stop` is polled again, so none is lost.
///
/// # Errors
///
/// Returns an error if a listener is broken for good.
pub(crate) async fn accept_until<S: Future>(
    listeners: &mut Listeners,
    connections: &Connections,
    stop: S,
    mut each: impl FnMut(Stream, Counted),
) -> io::Result<S::Output> {
    /// The number of connections after which the other tasks of this thread have a turn.
    const BATCH: usize = 32;
    let mut stop = pin!(stop);
    let mut turn = 0_usize;
    loop {
        turn += 1;
        let stopped = async { Ok(Err((&mut stop).await)) };
        let accepted = async {
            connections.note_full();
            connections.room().await;
            listeners.accept().await.map(Ok)
        };
        match or(stopped, accepted).await? {
            Ok(stream) => each(stream, connections.enter()),
            Err(cause) => return Ok(cause),
        }
        if turn % BATCH == 0 {
            yield_now().await;
        }
    }
}
