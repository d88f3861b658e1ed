//! The door of `tower` services: requests and responses of `http` 1.x.
//!
//! - `app`: what can be served by it.
//! - `request`: makes a request of a head. `body`: its body.
//! - `answer`: what the connection asks of a response.

mod answer;
mod app;
mod body;
mod request;

use std::marker::PhantomData;
use std::sync::Arc;

use ::http::{Request, Response, StatusCode};

use self::answer::ServiceAnswer;
pub use self::app::{FromFn, Service, from_fn, service};
pub use self::body::Body;
use super::body_handle::BodyHandle;
use super::codec::{RawHead, Refusal};
use super::door::Door;
use super::request_context::{Arrival, RequestContext};
use crate::service::exit::BoxError;

/// The door of services whose responses have a `B` for body.
#[derive(Debug)]
pub struct ServiceDoor<B>(PhantomData<fn() -> B>);

impl<B> Door for ServiceDoor<B>
where
    B: http_body::Body<Error: Into<BoxError>> + Send + 'static,
{
    type Request = Request<Body>;
    type Response = ServiceAnswer<B>;
    type Memory = ();

    fn memory(_: &Arc<Arrival>) {}

    fn forget((): &mut ()) {}

    #[inline(always)]
    fn request(
        (): &mut (),
        head: &RawHead<'_>,
        slot: &mut Option<Request<Body>>,
    ) -> Result<(), Refusal> {
        request::make(head, slot)
    }

    fn copy(request: &Request<Body>) -> Request<Body> {
        let mut copy = Request::new(Body::empty());
        *copy.method_mut() = request.method().clone();
        *copy.uri_mut() = request.uri().clone();
        *copy.version_mut() = request.version();
        *copy.headers_mut() = request.headers().clone();
        copy
    }

    fn set_context(request: &mut Request<Body>, context: RequestContext) {
        request.extensions_mut().insert(context);
    }

    fn set_body(request: &mut Request<Body>, body: BodyHandle, length: Option<u64>) {
        *request.body_mut() = Body::new(body, length);
    }

    fn empty(status: StatusCode) -> ServiceAnswer<B> {
        let mut response = Response::new(());
        *response.status_mut() = status;
        ServiceAnswer::empty(response.into_parts().0)
    }
}
