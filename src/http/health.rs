//! Endpoints that tell a load balancer or an orchestrator whether the server is well.

use http_types::{Response, StatusCode};

use super::request_ext::RequestExt;

/// Returns an endpoint for readiness: 200 `ready`, and 503 `stopping` from the stop on, which includes
/// the lame-duck time.
///
/// # Examples
///
/// ```
/// use neap::http;
///
/// let mut app = tide::new();
/// app.at("/ready").get(http::ready());
/// app.at("/live").get(http::live());
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

/// Returns an endpoint for liveness: 200 `live`, as long as the process can answer at all.
///
/// See [`ready`] for an example.
#[must_use]
pub fn live<State: Clone + Send + Sync + 'static>() -> impl tide::Endpoint<State> {
    |_: tide::Request<State>| async { Ok("live") }
}
