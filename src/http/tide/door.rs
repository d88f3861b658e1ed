//! How requests and responses of `http_types` are made, and looked at.

use std::sync::Arc;

use ::http::{Method, StatusCode};
use http_types::headers::RETRY_AFTER;
use http_types::{Request, Response};

use super::answer::TideAnswer;
use super::request::Memory;
use super::{body_reader, request};
use crate::http::access::Described;
use crate::http::body_handle::BodyHandle;
use crate::http::codec::{Changes, RawHead, Refusal};
use crate::http::door::Door;
use crate::http::request_context::{Arrival, RequestContext};

/// The door of tide.
#[derive(Debug)]
pub struct TideDoor;

impl Door for TideDoor {
    type Request = Request;
    type Response = TideAnswer;
    type Memory = Memory;

    fn memory(arrival: &Arc<Arrival>) -> Memory {
        Memory::new(arrival)
    }

    fn forget(memory: &mut Memory) {
        memory.forget();
    }

    #[inline(always)]
    fn request(
        memory: &mut Memory,
        head: &RawHead<'_>,
        slot: &mut Option<Request>,
    ) -> Result<(), Refusal> {
        request::make(memory, head, slot)
    }

    fn remember(memory: &mut Memory, head: &RawHead<'_>, request: &Request) -> bool {
        memory.remember(head, request)
    }

    #[inline(always)]
    fn request_like_last(
        memory: &mut Memory,
        changes: &Changes<'_>,
        slot: &mut Option<Request>,
    ) -> Result<bool, Refusal> {
        memory.copy(changes, slot)
    }

    fn describe(request: &Request) -> Described<'_> {
        let (method, url) = (request.method(), request.url());
        let id = request.header(Described::REQUEST_ID);
        Described {
            // All methods that `http_types` has are tokens.
            method: Method::from_bytes(method.as_ref().as_bytes()).unwrap_or_default(),
            path: url.path(),
            query: url.query(),
            request_id: id.and_then(|id| id.get(0)).map(|id| id.as_str().as_bytes()),
        }
    }

    fn set_context(request: &mut Request, context: RequestContext) {
        request.ext_mut().insert(context);
    }

    fn set_body(request: &mut Request, body: BodyHandle, length: Option<u64>) {
        body_reader::attach(request, body, length);
    }

    fn unavailable() -> TideAnswer {
        let mut response = Response::new(503);
        response.insert_header(RETRY_AFTER, "1");
        TideAnswer::from(response)
    }

    fn empty(status: StatusCode) -> TideAnswer {
        TideAnswer::from(Response::new(status.as_u16()))
    }
}
