//! A race of a future with a stop.

use std::future::Future;

use futures_lite::future;

use super::cause::Cause;

/// Runs `future` until `stopped` is ready; a finished result wins a tie.
pub(crate) async fn run_until<F: Future>(
    future: F,
    stopped: impl Future<Output = Cause>,
) -> Option<F::Output> {
    future::or(async { Some(future.await) }, async {
        stopped.await;
        None
    })
    .await
}
