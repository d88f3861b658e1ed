//! Endpoints that tell a load balancer or an orchestrator whether the server is well.

use std::convert::Infallible;
use std::future::{self, Ready};
use std::task::{Context, Poll};

use ::http::{Request, Response, StatusCode};

use super::request_context::RequestContext;

/// Returns an endpoint for readiness: 200 `ready` while the program wants requests. It is a service of `tower`, and
/// with the feature `tide` an endpoint of tide.
///
/// - 503 `starting` until every service of the group is ready, or has ended: what
///   [`Handle::started`](crate::Handle::started) waits for, and systemd is told. So a migration, or a cache that is
///   filled, beside the server keeps the load balancer away until it is over; have it call
///   [`Scope::starting`](crate::Scope::starting). If the group is a service of another, those of that group count
///   too.
/// - 503 `stopping` from the stop of the group on, which includes the lame-duck time. So a server that is stopped last,
///   as others [need](crate::Added::needs) it, may answer for all of them, at an address of its own. Only a lame
///   duck that is to [end early](super::Server::lame_duck_quiet) has to be asked itself.
///
/// A program that has started stays so: a service that is added later, or that is
/// [restarted](crate::restart()), takes no readiness away. One that asks its dependencies for each answer takes
/// all instances away at once when one of these is slow.
///
/// [`server_only`](Health::server_only) asks nothing of the other services.
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
    Health(Question::Ready)
}

/// Returns an endpoint for liveness: 200 `live`, as long as the process can answer at all, also while it starts
/// and stops.
///
/// See [`ready`] for an example.
#[must_use]
pub fn live() -> Health {
    Health(Question::Live)
}

/// An endpoint that tells whether the server is well: see [`ready`] and [`live`].
#[derive(Debug, Clone)]
pub struct Health(Question);

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    Live,
    Ready,
    /// Whether the server is, whatever the others of its group are.
    ServerReady,
}

impl Health {
    /// Has readiness ask nothing of the other services: the server is ready once it accepts.
    ///
    /// For a group of which some start late, or wait for their turn in a [limit](crate::Group::limit), while the
    /// server can do without them. It changes nothing of [`live`].
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::http;
    ///
    /// let app: axum::Router = axum::Router::new()
    ///     .route_service("/ready", http::ready().server_only());
    /// ```
    #[must_use]
    pub fn server_only(self) -> Self {
        match self.0 {
            Question::Live => self,
            _ => Health(Question::ServerReady),
        }
    }

    fn answer(&self, context: Option<&RequestContext>) -> (StatusCode, &'static str) {
        let Some(context) = context else {
            let text = if self.0 == Question::Live {
                "live"
            } else {
                "ready"
            };
            return (StatusCode::OK, text);
        };
        context.note_health_check(self.0 != Question::Live);
        let lifecycle = &context.arrival.lifecycle;
        let (is_wanted, has_started) = match self.0 {
            Question::Live => return (StatusCode::OK, "live"),
            Question::Ready => (lifecycle.is_wanted(), lifecycle.has_started()),
            Question::ServerReady => (lifecycle.is_serving(), true),
        };
        match (is_wanted, has_started) {
            (true, true) => (StatusCode::OK, "ready"),
            (true, false) => (StatusCode::SERVICE_UNAVAILABLE, "starting"),
            (false, _) => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
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
