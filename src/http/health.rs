//! Endpoints for those who ask whether the server is well.

use http_types::{Response, StatusCode};

use super::RequestExt;

/// An endpoint that says whether the server wants more work: 200 `ready`, and from the stop on,
/// the lame-duck time included, 503 `stopping`.
///
/// # Examples
///
/// ```
/// use neap::http;
///
/// let mut app = tide::new();
/// app.at("/ready").get(http::ready());
/// ```
#[must_use]
pub fn ready<State: Clone + Send + Sync + 'static>() -> impl tide::Endpoint<State> {
    |request: tide::Request<State>| async move {
        let (status, text) = match request.is_ready() {
            true => (StatusCode::Ok, "ready"),
            false => (StatusCode::ServiceUnavailable, "stopping"),
        };
        let mut response = Response::new(status);
        response.set_body(text);
        Ok(response)
    }
}

/// An endpoint that says that the process lives: 200 `live`, as long as it can answer at all.
///
/// # Examples
///
/// ```
/// use neap::http;
///
/// let mut app = tide::new();
/// app.at("/live").get(http::live());
/// ```
#[must_use]
pub fn live<State: Clone + Send + Sync + 'static>() -> impl tide::Endpoint<State> {
    |_: tide::Request<State>| async { Ok("live") }
}
