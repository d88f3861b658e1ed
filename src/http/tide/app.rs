//! What answers requests of `http_types`: a tide app, or a function.

use std::future::Future;

use ::http::StatusCode;
use http_types::{Error, Request, Response, Result};

use super::answer::TideAnswer;
use super::door::TideDoor;
use crate::http::app::App;
use crate::http::door::Failure;

/// Something that answers requests of `http_types`: a [`tide::Server`], or a function by way of
/// [`from_tide_fn`](super::from_tide_fn).
///
/// # Examples
///
/// ```
/// use http_types::{Request, Response, Result};
/// use neap::http::TideApp;
///
/// struct Greeter(&'static str);
///
/// impl TideApp for Greeter {
///     async fn respond(&self, _: Request) -> Result<Response> {
///         Ok(Response::from(self.0))
///     }
/// }
///
/// let server = neap::http::Server::new(Greeter("hello"), "127.0.0.1:0");
/// # drop(server);
/// ```
pub trait TideApp: Send + Sync {
    /// Answers one request.
    ///
    /// # Errors
    ///
    /// The client gets an empty response with the status of the error. One of 500 or more is logged.
    fn respond(&self, request: Request) -> impl Future<Output = Result<Response>> + Send;
}

impl<State: Clone + Send + Sync + 'static> TideApp for tide::Server<State> {
    fn respond(&self, request: Request) -> impl Future<Output = Result<Response>> + Send {
        tide::Server::respond(self, request)
    }
}

/// Makes an app of a function, for programs without tide or with another version of it.
///
/// # Examples
///
/// ```
/// use http_types::{Request, Response};
/// use neap::http;
///
/// let app = http::from_tide_fn(|request: Request| async move {
///     Ok(Response::from(format!("you asked for {}", request.url().path())))
/// });
/// let service = http::serve(app, "127.0.0.1:0");
/// # let mut group = neap::Group::new();
/// # group.add("http", service);
/// ```
pub fn from_tide_fn<H, F>(handler: H) -> FromTideFn<H>
where
    H: Fn(Request) -> F + Send + Sync,
    F: Future<Output = Result<Response>> + Send,
{
    FromTideFn(handler)
}

/// An app made of a function by [`from_tide_fn`].
#[derive(Debug, Clone)]
pub struct FromTideFn<H>(H);

impl<H, F> TideApp for FromTideFn<H>
where
    H: Fn(Request) -> F + Send + Sync,
    F: Future<Output = Result<Response>> + Send,
{
    fn respond(&self, request: Request) -> impl Future<Output = Result<Response>> + Send {
        (self.0)(request)
    }
}

impl<A: TideApp> App for A {
    type Door = TideDoor;

    async fn respond(&self, request: Request) -> std::result::Result<TideAnswer, Failure> {
        let response = TideApp::respond(self, request).await;
        response.map(TideAnswer::from).map_err(failure)
    }
}

fn failure(error: Error) -> Failure {
    let status = StatusCode::from_u16(error.status().into());
    Failure {
        status: status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        error: Box::new(error),
    }
}
