//! One call of a service.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use ::http::{Request, Response, StatusCode};
use futures_lite::ready;
use pin_project_lite::pin_project;

use super::answer::ServiceAnswer;
use super::body::Body;
use crate::http::door::Failure;
use crate::http::request_context::{RequestContext, UpgradeEnd};
use crate::service::exit::BoxError;

pin_project! {
    /// One call of a service, once it is ready.
    ///
    /// Written by hand, as a request is large: an async function would hold it twice, and move it with
    /// everything else.
    #[project = OneshotProj]
    pub(super) enum Oneshot<S, F> {
        /// The service is not ready.
        Waiting { service: S, request: Option<Request<Body>> },

        /// It has been called.
        Called { #[pin] response: F, upgrade: Option<UpgradeEnd> },
    }
}

impl<S, F> Oneshot<S, F> {
    pub(super) fn new(service: S, request: Request<Body>) -> Self {
        Self::Waiting {
            service,
            request: Some(request),
        }
    }
}

impl<S, B> Future for Oneshot<S, S::Future>
where
    S: tower_service::Service<Request<Body>, Response = Response<B>, Error: Into<BoxError>>,
    B: http_body::Body<Error: Into<BoxError>>,
{
    type Output = Result<ServiceAnswer<B>, Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            match self.as_mut().project() {
                OneshotProj::Waiting { service, request } => {
                    ready!(service.poll_ready(cx)).map_err(failure)?;
                    let Some(request) = request.take() else {
                        return Poll::Pending;
                    };
                    let upgrade = upgrade_end(&request);
                    let response = service.call(request);
                    self.set(Self::Called { response, upgrade });
                }
                OneshotProj::Called { response, upgrade } => {
                    let response = ready!(response.poll(cx)).map_err(failure)?;
                    return Poll::Ready(Ok(ServiceAnswer::new(response, upgrade.take())));
                }
            }
        }
    }
}

/// Returns the server's side of a wish for the connection, which ends with the answer.
pub(super) fn upgrade_end(request: &Request<Body>) -> Option<UpgradeEnd> {
    request.extensions().get::<RequestContext>()?.upgrade_end()
}

fn failure(error: impl Into<BoxError>) -> Failure {
    Failure {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        error: Box::new(error.into()),
    }
}
