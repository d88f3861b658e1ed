//! Endpoints that tell a load balancer or an orchestrator whether the server is well.

use std::convert::Infallible;
use std::future::{self, Ready};
use std::task::{Context, Poll};

use ::http::{Request, Response, StatusCode};

use super::request_context::RequestContext;

/// Returns an endpoint for readiness: 200 `ready`, and 503 `stopping` from the stop on, which includes
/// the lame-duck time. It is a service of `tower`, and with the feature `tide` an endpoint of tide.
///
/// # Examples
///
/// ```
/// use axum::Router;
/// use neap::http;
///
/// let app: Router = Router::new()
///     .route_service("/ready", http::ready())
///     .route_service("/live", http::live());
/// ```
///
/// With the feature `tide`:
///
/// ```
/// # #[cfg(feature = "tide")] {
/// use neap::http;
///
/// let mut app = tide::new();
/// app.at("/ready").get(http::ready());
/// app.at("/live").get(http::live());
/// # }
/// ```
#[must_use]
pub fn ready() -> Health {
    Health { is_live: false }
}

/// Returns an endpoint for liveness: 200 `live`, as long as the process can answer at all.
///
/// See [`ready`] for an example.
#[must_use]
pub fn live() -> Health {
    Health { is_live: true }
}

/// An endpoint that tells whether the server is well: see [`ready`] and [`live`].
#[derive(Debug, Clone)]
pub struct Health {
    is_live: bool,
}

impl Health {
    fn answer(&self, context: Option<&RequestContext>) -> (StatusCode, &'static str) {
        if let Some(context) = context {
            context.note_health_check(!self.is_live);
        }
        let is_ready = context.is_none_or(RequestContext::is_ready);
        match (self.is_live, is_ready) {
            (true, _) => (StatusCode::OK, "live"),
            (false, true) => (StatusCode::OK, "ready"),
            (false, false) => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
        }
    }
}

impl<B> tower_service::Service<Request<B>> for Health {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (status, text) = self.answer(request.extensions().get());
        let mut response = Response::new(text.to_owned());
        *response.status_mut() = status;
        future::ready(Ok(response))
    }
}

#[cfg(feature = "tide")]
impl<State: Clone + Send + Sync + 'static> tide::Endpoint<State> for Health {
    fn call<'s, 'f>(
        &'s self,
        request: tide::Request<State>,
    ) -> std::pin::Pin<Box<dyn Future<Output = tide::Result> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        let (status, text) = self.answer(request.ext());
        let mut response = http_types::Response::new(status.as_u16());
        response.set_body(text);
        Box::pin(future::ready(Ok(response.into())))
    }
}
