//! What a handler can ask about the server that runs it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::phase::Lifecycle;
use crate::{StopSource, StopToken};

/// What is put into each request's extensions.
#[derive(Debug, Clone)]
pub(super) struct Served(pub(super) Arc<Lifecycle>);

/// What a handler can ask of a request: whether the server is to stop, and how long there is.
///
/// For `http_types::Request` and `tide::Request`. On a request that no neap server has served, in
/// a test for example, the token never stops.
///
/// # Examples
///
/// A long poll that answers early when told to stop:
///
/// ```
/// use std::time::Duration;
/// use neap::http::RequestExt;
///
/// let mut app = tide::new();
/// app.at("/news").get(|request: tide::Request<()>| async move {
///     let news = async {
///         smol::Timer::after(Duration::from_secs(20)).await;
///         "news"
///     };
///     let news = request.stop_token().run_until_stopped(news).await;
///     Ok(news.unwrap_or("nothing new"))
/// });
/// ```
pub trait RequestExt {
    /// A token that is stopped when the server drains.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::http::RequestExt;
    ///
    /// async fn export(request: tide::Request<()>) -> tide::Result<String> {
    ///     let token = request.stop_token();
    ///     let rows = (0..1000).take_while(|_| !token.is_stopped());
    ///     Ok(format!("{} rows", rows.count()))
    /// }
    /// ```
    fn stop_token(&self) -> StopToken;

    /// How long the handler still has before it is cancelled; `None` while nothing limits it.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::http::RequestExt;
    ///
    /// # fn example(request: tide::Request<()>) {
    /// if let Some(left) = request.remaining_time() {
    ///     println!("{} ms left", left.as_millis());
    /// }
    /// # }
    /// ```
    fn remaining_time(&self) -> Option<Duration>;

    /// Whether the server wants more work: false from the stop on, the lame-duck time included.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::http::RequestExt;
    ///
    /// # fn example(request: tide::Request<()>) {
    /// let status = if request.is_ready() { 200 } else { 503 };
    /// # }
    /// ```
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
    let deadline = served?.0.draining().deadline()?;
    Some(deadline.saturating_duration_since(Instant::now()))
}

fn is_ready(served: Option<&Served>) -> bool {
    served.is_none_or(|served| served.0.is_serving())
}
