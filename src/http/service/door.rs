//! How requests and responses of `http` are made, and looked at.

use std::marker::PhantomData;
use std::sync::Arc;

use ::http::header::RETRY_AFTER;
use ::http::{HeaderValue, Request, Response, StatusCode};

use super::answer::ServiceAnswer;
use super::body::Body;
use super::model::Model;
use super::request;
use crate::http::access::Described;
use crate::http::body_handle::BodyHandle;
use crate::http::codec::{Changes, RawHead, Refusal};
use crate::http::door::Door;
use crate::http::request_context::{Arrival, RequestContext};
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
    type Memory = Model;

    fn memory(_: &Arc<Arrival>) -> Model {
        Model::default()
    }

    fn forget(memory: &mut Model) {
        *memory = Model::default();
    }

    #[inline(always)]
    fn request(
        _: &mut Model,
        head: &RawHead<'_>,
        slot: &mut Option<Request<Body>>,
    ) -> Result<(), Refusal> {
        request::make(head, slot)
    }

    fn remember(memory: &mut Model, head: &RawHead<'_>, request: &Request<Body>) -> bool {
        *memory = Model::of(head, request);
        memory.is_known()
    }

    #[inline(always)]
    fn request_like_last(
        memory: &mut Model,
        changes: &Changes<'_>,
        slot: &mut Option<Request<Body>>,
    ) -> Result<bool, Refusal> {
        memory.copy(changes, slot)
    }

    fn describe(request: &Request<Body>) -> Described<'_> {
        let uri = request.uri();
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let id = request.headers().get(Described::REQUEST_ID);
        Described {
            method: request.method().clone(),
            path: match uri.path() {
                "" => authority,
                path => path,
            },
            query: uri.query(),
            request_id: id.map(HeaderValue::as_bytes),
        }
    }

    fn set_context(request: &mut Request<Body>, context: RequestContext) {
        request.extensions_mut().insert(context);
    }

    fn set_body(request: &mut Request<Body>, body: BodyHandle, length: Option<u64>) {
        *request.body_mut() = Body::new(body, length);
    }

    fn unavailable() -> ServiceAnswer<B> {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        let fields = response.headers_mut();
        fields.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        ServiceAnswer::empty(response.into_parts().0)
    }

    fn empty(status: StatusCode) -> ServiceAnswer<B> {
        let mut response = Response::new(());
        *response.status_mut() = status;
        ServiceAnswer::empty(response.into_parts().0)
    }
}
