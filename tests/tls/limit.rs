//! The time that a story may take, by the clock that it moves.

use std::time::Duration;

use futures_lite::future;
use neap::test::Clock;

/// Fails if a story and all beside it wait for each other: then the clock moves on to this limit.
pub(crate) async fn limited<T>(clock: &Clock, story: impl Future<Output = T>) -> T {
    let late = async {
        clock.sleep(Duration::from_secs(3600)).await;
        panic!("all wait for each other");
    };
    future::or(story, late).await
}
