//! A tide app as a service of `tower`.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use ::http::{HeaderValue, Response, StatusCode, header};

use super::answer::TideAnswer;
use super::app::TideApp;
use super::frame_reader::{self, Promise};
use super::tide_body::TideBody;
use super::{fields, targets};
use crate::http::codec::AnswerHead;
use crate::http::door::Answer;
use crate::http::request_context::RequestContext;
use crate::service::exit::BoxError;

/// Makes a tide app a service of `tower`, so that an axum `Router` can have it for its fallback: those who
/// move from tide to axum move route by route, under one server and one drain.
///
/// Handlers get what they get from a tide server of this crate: [`RequestExt`](crate::http::RequestExt), the
/// addresses, bodies and trailers both ways, upgrades. Middleware of either side works on its own part.
///
/// # Errors
///
/// There are none. An app that fails is answered for with an empty response of the status of its error. A
/// request that `http_types` cannot hold is answered with 400, or with 501 if it does not know the method. A
/// path that `Url` would change, such as `/a/../b`, is a 400, too: a layer or another server may let it through,
/// and it would pass by the rules that are for another path.
///
/// # Examples
///
/// ```
/// use axum::{Router, routing::get};
/// use neap::http;
///
/// let mut old = tide::new();
/// old.at("/old").get(|_| async { Ok("still on tide") });
///
/// let app = Router::new()
///     .route("/new", get(async || "on axum"))
///     .fallback_service(http::tide_service(old));
/// let service = http::serve(http::service(app), "127.0.0.1:0");
/// # let mut group = neap::Group::new();
/// # group.add("http", service);
/// ```
pub fn tide_service<A: TideApp + 'static>(app: A) -> TideService<A> {
    TideService(Arc::new(app))
}

/// A tide app as a service of `tower`, made by [`tide_service`].
pub struct TideService<A>(Arc<A>);

impl<A> Clone for TideService<A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<A> fmt::Debug for TideService<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TideService").finish_non_exhaustive()
    }
}

impl<A, B> tower_service::Service<::http::Request<B>> for TideService<A>
where
    A: TideApp + 'static,
    B: http_body::Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response<TideBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: ::http::Request<B>) -> Self::Future {
        let app = Arc::clone(&self.0);
        let context = request.extensions().get::<RequestContext>().cloned();
        let request = to_tide(request, context.as_ref());
        Box::pin(async move {
            Ok(match request {
                Ok((request, promise)) => match app.respond(request).await {
                    Ok(response) => from_tide(response, context, promise),
                    Err(error) => {
                        log_failure(&error, context.as_ref());
                        empty(error.status().into())
                    }
                },
                Err(status) => empty(status.as_u16()),
            })
        })
    }
}

/// Makes a request of `http_types` of one of `http`.
///
/// # Errors
///
/// Returns the status that says what of it `http_types` cannot hold.
fn to_tide<B>(
    request: ::http::Request<B>,
    context: Option<&RequestContext>,
) -> Result<(http_types::Request, Option<Promise>), StatusCode>
where
    B: http_body::Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    let (parts, body) = request.into_parts();
    let method = fields::method(parts.method.as_str()).map_err(|refusal| refusal.status)?;
    let host = parts.headers.get(header::HOST).map(HeaderValue::to_str);
    let host = host.transpose().map_err(|_| StatusCode::BAD_REQUEST)?;
    let url = targets::url_of(&parts.uri, host, context).ok_or(StatusCode::BAD_REQUEST)?;
    let mut tide = http_types::Request::new(method, url);
    tide.set_version(Some(match parts.version {
        ::http::Version::HTTP_10 => http_types::Version::Http1_0,
        _ => http_types::Version::Http1_1,
    }));
    for (name, value) in &parts.headers {
        fields::insert(&mut tide, name.as_str(), value.as_bytes())
            .map_err(|refusal| refusal.status)?;
    }
    if let Some(context) = context {
        tide.set_local_addr(Some(context.local().to_string()));
        tide.set_peer_addr(Some(context.peer().to_string()));
        tide.ext_mut().insert(context.clone());
    }
    let promise = frame_reader::attach(&mut tide, body);
    Ok((tide, promise))
}

/// Makes a response of `http` of one of `http_types`. A field that would end its line early is left out, with a
/// log record.
fn from_tide(
    tide: http_types::Response,
    context: Option<RequestContext>,
    promise: Option<Promise>,
) -> Response<TideBody> {
    let mut answer = TideAnswer::from(tide);
    let status = answer.status();
    let switches = status == StatusCode::SWITCHING_PROTOCOLS && answer.has_upgrade();
    if let Some(context) = context.filter(|_| switches) {
        if let Some(hand_over) = Pin::new(&mut answer).take_upgrade() {
            context.ask_for_upgrade(hand_over);
        }
    }
    let mut response = Response::new(());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    answer.visit_fields(|name, value| fields::append(headers, name, value));
    response.map(|()| TideBody::new(answer, promise))
}

/// Logs a failure of the server, as the server itself does.
fn log_failure(error: &http_types::Error, context: Option<&RequestContext>) {
    if !error.status().is_server_error() {
        return;
    }
    match context {
        Some(context) => {
            let (name, peer) = (context.service(), context.peer());
            log::error!(target: "neap", event = "request failed", service = name, peer:%; "request from {peer} failed: {error}");
        }
        None => log::error!(target: "neap", event = "request failed"; "request failed: {error}"),
    }
}

fn empty(status: u16) -> Response<TideBody> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::new(TideBody::empty());
    *response.status_mut() = status;
    response
}
