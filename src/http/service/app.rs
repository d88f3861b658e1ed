//! What answers requests of `http`: a service of `tower`, or a function.

use std::future::Future;

use ::http::{Request, Response};

use super::answer::ServiceAnswer;
use super::body::Body;
use super::door::ServiceDoor;
use super::oneshot::{Oneshot, upgrade_end};
use crate::http::app::App;
use crate::http::door::Failure;
use crate::service::exit::BoxError;

/// Makes an app of a service of `tower`: an axum `Router`, with its extractors and layers as they are, or
/// any other [`tower_service::Service`] of requests of `http` 1.x.
///
/// It is cloned for each request, as axum and hyper do, and called once it is ready. A service that is
/// `Clone` and `Send` alone, such as tower's `BoxCloneService`, needs `BoxCloneSyncService` instead.
///
/// The body of a response is as long as its [`size_hint`](http_body::Body::size_hint) says exactly, or else
/// as its `Content-Length` says; one with neither is sent in chunks. What it has more is not sent. If it has
/// less, the client gets a 500, or sees that the answer is cut.
///
/// # Errors
///
/// A service that fails is answered for with an empty 500, and its error is logged. axum's never do.
///
/// # Examples
///
/// ```
/// use axum::{Router, routing::get};
/// use neap::{Group, http};
///
/// let app = Router::new().route("/hello", get(async || "Hello World!"));
///
/// # futures_lite::future::block_on(async {
/// let mut group = Group::new();
/// group.add("http", http::serve(http::service(app), "127.0.0.1:0"));
/// # group.handle().stop();
/// group.run().await?;
/// # Ok::<_, neap::Error>(())
/// # }).unwrap();
/// ```
pub fn service<S, B>(service: S) -> Service<S>
where
    S: tower_service::Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync,
{
    Service(service)
}

/// An app made of a service of `tower` by [`service`].
#[derive(Debug, Clone)]
pub struct Service<S>(S);

impl<S, B> App for Service<S>
where
    S: tower_service::Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: http_body::Body<Error: Into<BoxError>, Data: Send> + Send + 'static,
{
    type Door = ServiceDoor<B>;

    fn respond(
        &self,
        request: Request<Body>,
    ) -> impl Future<Output = Result<ServiceAnswer<B>, Failure>> + Send {
        Oneshot::new(self.0.clone(), request)
    }
}

/// Makes an app of a function, for programs without a framework.
///
/// An async closure that captures something borrows from itself, and is none that will do: write
/// `move |request| async move { .. }`, with a clone of what is captured.
///
/// # Examples
///
/// ```
/// use axum::http::{Request, Response};
/// use neap::http;
///
/// let app = http::from_fn(async |request: Request<http::Body>| {
///     Response::new(format!("you asked for {}", request.uri().path()))
/// });
/// let service = http::serve(app, "127.0.0.1:0");
/// # let mut group = neap::Group::new();
/// # group.add("http", service);
/// ```
pub fn from_fn<H, F, B>(handler: H) -> FromFn<H>
where
    H: Fn(Request<Body>) -> F + Send + Sync,
    F: Future<Output = Response<B>> + Send,
{
    FromFn(handler)
}

/// An app made of a function by [`from_fn`].
#[derive(Debug, Clone)]
pub struct FromFn<H>(H);

impl<H, F, B> App for FromFn<H>
where
    H: Fn(Request<Body>) -> F + Send + Sync,
    F: Future<Output = Response<B>> + Send,
    B: http_body::Body<Error: Into<BoxError>, Data: Send> + Send + 'static,
{
    type Door = ServiceDoor<B>;

    async fn respond(&self, request: Request<Body>) -> Result<ServiceAnswer<B>, Failure> {
        let upgrade = upgrade_end(&request);
        let response = (self.0)(request).await;
        Ok(ServiceAnswer::new(response, upgrade))
    }
}
