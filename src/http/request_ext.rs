//! What a handler can ask of its request.

use std::time::Duration;

use super::request_context::RequestContext;
use crate::stop::source::StopSource;
use crate::stop::token::StopToken;

/// What a handler can ask of a request: whether the server stops, and how much time is left.
///
/// For [`::http::Request`], and with the feature `tide` for `http_types::Request` and `tide::Request`. A
/// request that does not come from a neap server, in a test for example, has a token that is never stopped,
/// no limit of time, and is ready. The [`RequestContext`] is the same as an extension, and has this trait too.
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
    /// Returns what a neap server says of the request; `None` if it has not come by one.
    fn context(&self) -> Option<&RequestContext>;

    /// Returns a token that is stopped when the server begins to drain, after the lame-duck time.
    fn stop_token(&self) -> StopToken {
        let context = self.context();
        context.map_or_else(|| StopSource::new().token(), RequestContext::stop_token)
    }

    /// Returns how long the handler may go on before it is cancelled: zero from the deadline on, and
    /// `None` before the drain or if the drain has no deadline.
    fn remaining_time(&self) -> Option<Duration> {
        self.context()?.remaining_time()
    }

    /// Returns true as long as the server wants more requests: see [`RequestContext::is_ready`].
    fn is_ready(&self) -> bool {
        self.context().is_none_or(RequestContext::is_ready)
    }
}

impl RequestExt for RequestContext {
    fn context(&self) -> Option<&RequestContext> {
        Some(self)
    }
}

impl<B> RequestExt for ::http::Request<B> {
    fn context(&self) -> Option<&RequestContext> {
        self.extensions().get()
    }
}

#[cfg(feature = "tide")]
impl RequestExt for http_types::Request {
    fn context(&self) -> Option<&RequestContext> {
        self.ext().get()
    }
}

#[cfg(feature = "tide")]
impl<State: Clone + Send + Sync + 'static> RequestExt for tide::Request<State> {
    fn context(&self) -> Option<&RequestContext> {
        self.ext()
    }
}
