//! What answers the requests: a tide app, or a function.

use std::future::Future;

use http_types::{Request, Response, Result};

/// Something that answers requests: a [`tide::Server`], or a function by way of
/// [`from_fn`](super::from_fn).
///
/// # Examples
///
/// ```
/// use http_types::{Request, Response, Result};
/// use neap::http::App;
///
/// struct Greeter(&'static str);
///
/// impl App for Greeter {
///     async fn respond(&self, _: Request) -> Result<Response> {
///         Ok(Response::from(self.0))
///     }
/// }
///
/// let server = neap::http::Server::new(Greeter("hello"), "127.0.0.1:0");
/// # drop(server);
/// ```
pub trait App: Send + Sync {
    /// Answers one request.
    ///
    /// # Errors
    ///
    /// The client gets an empty response with the status of the error. One of 500 or more is logged.
    fn respond(&self, request: Request) -> impl Future<Output = Result<Response>> + Send;
}

impl<State: Clone + Send + Sync + 'static> App for tide::Server<State> {
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
/// let app = http::from_fn(|request: Request| async move {
///     Ok(Response::from(format!("you asked for {}", request.url().path())))
/// });
/// let service = http::serve(app, "127.0.0.1:0");
/// # let mut group = neap::Group::new();
/// # group.add("http", service);
/// ```
pub fn from_fn<H, F>(handler: H) -> FromFn<H>
where
    H: Fn(Request) -> F + Send + Sync,
    F: Future<Output = Result<Response>> + Send,
{
    FromFn(handler)
}

/// An app made of a function by [`from_fn`].
#[derive(Debug, Clone)]
pub struct FromFn<H>(H);

impl<H, F> App for FromFn<H>
where
    H: Fn(Request) -> F + Send + Sync,
    F: Future<Output = Result<Response>> + Send,
{
    fn respond(&self, request: Request) -> impl Future<Output = Result<Response>> + Send {
        (self.0)(request)
    }
}
