//! The door of tide: `http_types` requests and responses.
//!
//! - `app`: what can be served by it.
//! - `request`: makes a request of a head, with `targets` for its URL and `names` for its fields.
//! - `body_reader`: the body of a request. `answer`: what the connection asks of a response.

mod answer;
mod app;
mod body_reader;
mod names;
mod request;
mod targets;

use std::sync::Arc;

use ::http::StatusCode;
use http_types::{Request, Response};

use self::answer::TideAnswer;
pub use self::app::{FromTideFn, TideApp, from_tide_fn};
use self::targets::Targets;
use super::body_handle::BodyHandle;
use super::codec::{RawHead, Refusal};
use super::door::Door;
use super::request_context::{Arrival, RequestContext};

/// The door of tide.
#[derive(Debug)]
pub struct TideDoor;

impl Door for TideDoor {
    type Request = Request;
    type Response = TideAnswer;
    type Memory = Targets;

    fn memory(arrival: &Arc<Arrival>) -> Targets {
        Targets::new(&arrival.local, &arrival.peer)
    }

    fn forget(memory: &mut Targets) {
        memory.forget();
    }

    #[inline(always)]
    fn request(
        memory: &mut Targets,
        head: &RawHead<'_>,
        slot: &mut Option<Request>,
    ) -> Result<(), Refusal> {
        request::make(memory, head, slot)
    }

    fn copy(request: &Request) -> Request {
        request.clone()
    }

    fn set_context(request: &mut Request, context: RequestContext) {
        request.ext_mut().insert(context);
    }

    fn set_body(request: &mut Request, body: BodyHandle, length: Option<u64>) {
        body_reader::attach(request, body, length);
    }

    fn empty(status: StatusCode) -> TideAnswer {
        TideAnswer::from(Response::new(status.as_u16()))
    }
}
