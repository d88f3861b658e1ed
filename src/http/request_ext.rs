//! What a handler can ask of its request.

use std::time::Duration;

use super::request_context::RequestContext;
use crate::stop::source::StopSource;
use crate::stop::token::StopToken;

/// What a handler can ask of a request: whether the server stops, and how much time is left.
///
/// For [`::http::Request`], and with the feature `tide` for `http_types::Request` and `tide::Request`. A
/// request that does not come from a neap server, in a test for example, has a token that is never stopped,
/// no limit of time, and is ready. The [`RequestContext`] is the same as an extension.
///
/// # Examples
///
/// A long poll that answers early at the stop, and does not begin when less than a second is left:
///
/// ```
/// use std::time::Duration;
/// use axum::{Router, extract::Request, routing::get};
/// use neap::http::RequestExt;
///
/// let app: Router = Router::new().route("/news", get(async |request: Request| {
///     let left = request.remaining_time();
///     if !request.is_ready() && left.is_some_and(|left| left < Duration::from_secs(1)) {
///         return "come back later";
///     }
///     let news = async {
///         smol::Timer::after(Duration::from_secs(20)).await;
///         "news"
///     };
///     let news = request.stop_token().run_until_stopped(news).await;
///     news.unwrap_or("nothing new")
/// }));
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

impl<B> RequestExt for ::http::Request<B> {
    fn stop_token(&self) -> StopToken {
        stop_token(self.extensions().get())
    }

    fn remaining_time(&self) -> Option<Duration> {
        remaining_time(self.extensions().get())
    }

    fn is_ready(&self) -> bool {
        is_ready(self.extensions().get())
    }
}

#[cfg(feature = "tide")]
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

#[cfg(feature = "tide")]
impl<State: Clone + Send + Sync + 'static> RequestExt for tide::Request<State> {
    fn stop_token(&self) -> StopToken {
        stop_token(self.ext())
    }

    fn remaining_time(&self) -> Option<Duration> {
        remaining_time(self.ext())
    }

    fn is_ready(&self) -> bool {
        is_ready(self.ext())
    }
}

fn stop_token(context: Option<&RequestContext>) -> StopToken {
    context.map_or_else(|| StopSource::new().token(), RequestContext::stop_token)
}

fn remaining_time(context: Option<&RequestContext>) -> Option<Duration> {
    context?.remaining_time()
}

fn is_ready(context: Option<&RequestContext>) -> bool {
    context.is_none_or(RequestContext::is_ready)
}
