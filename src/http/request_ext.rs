//! What a handler can ask about the server that serves its request.

use std::sync::Arc;
use std::time::Duration;

use super::drain::ServerLifecycle;
use crate::stop::source::StopSource;
use crate::stop::token::StopToken;

/// The extension of each request that the server gives to an app.
#[derive(Debug, Clone)]
pub(super) struct Served(pub(super) Arc<ServerLifecycle>);

/// What a handler can ask of a request: whether the server stops, and how much time is left.
///
/// For `http_types::Request` and `tide::Request`. A request that does not come from a neap server, in
/// a test for example, has a token that is never stopped, no limit of time, and is ready.
///
/// # Examples
///
/// A long poll that answers early at the stop, and does not begin when less than a second is left:
///
/// ```
/// use std::time::Duration;
/// use neap::http::RequestExt;
///
/// let mut app = tide::new();
/// app.at("/news").get(|request: tide::Request<()>| async move {
///     let left = request.remaining_time();
///     if !request.is_ready() && left.is_some_and(|left| left < Duration::from_secs(1)) {
///         return Ok("come back later");
///     }
///     let news = async {
///         smol::Timer::after(Duration::from_secs(20)).await;
///         "news"
///     };
///     let news = request.stop_token().run_until_stopped(news).await;
///     Ok(news.unwrap_or("nothing new"))
/// });
/// ```
pub trait RequestExt {
    /// Returns a token that is stopped when the server begins to drain, after the lame-duck time.
    fn stop_token(&self) -> StopToken;

    /// Returns how long the handler may go on before it is cancelled: zero from the deadline on, and
    /// `None` before the drain or if the drain has no deadline.
    fn remaining_time(&self) -> Option<Duration>;

    /// Returns true as long as the server wants more requests: until it is told to stop. It is false
    /// in the lame-duck time.
    fn is_ready(&self) -> bool;
}

impl RequestExt for http_types::Request {
    fn stop_token(&self) -> StopToken {
        stop_token(self.ext().get())
    }

    fn remaining_time(&self) -> Option<Duration> {
        remaining_time(self.ext().get())
    }

    fn is_ready(&self) -> bool {
        is_ready(self.ext().get())
    }
}

impl<State: Clone + Send + Sync + 'static> RequestExt for tide::Request<State> {
    fn stop_token(&self) -> StopToken {
        stop_token(self.ext::<Served>())
    }

    fn remaining_time(&self) -> Option<Duration> {
        remaining_time(self.ext::<Served>())
    }

    fn is_ready(&self) -> bool {
        is_ready(self.ext::<Served>())
    }
}

fn stop_token(served: Option<&Served>) -> StopToken {
    served.map_or_else(|| StopSource::new().token(), |served| served.0.draining())
}

fn remaining_time(served: Option<&Served>) -> Option<Duration> {
    let lifecycle = &served?.0;
    let deadline = lifecycle.draining().deadline()?;
    Some(deadline.saturating_duration_since(lifecycle.now()))
}

fn is_ready(served: Option<&Served>) -> bool {
    served.is_none_or(|served| served.0.is_serving())
}
