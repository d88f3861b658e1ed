//! The handler's end of a request's body, as the doors get it.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use ::http::HeaderMap;

/// The body of a request, as its connection reads it.
pub(super) trait Incoming: Send + Sync {
    /// Reads bytes of the body. Returns their number, 0 at its end.
    fn poll_read(&self, cx: &mut Context<'_>, out: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Has this called with the trailers, once they have come; it is dropped if there are none.
    fn on_trailers(&self, call: OnTrailers);
}

/// What is called with the trailers of a body.
pub(super) type OnTrailers = Box<dyn FnOnce(HeaderMap) + Send>;

/// The handler's end of a request's body.
pub struct BodyHandle(Arc<dyn Incoming>);

impl BodyHandle {
    pub(super) fn new(body: Arc<dyn Incoming>) -> Self {
        Self(body)
    }

    /// Reads bytes of the body. Returns their number, 0 at its end.
    pub(super) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        out: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_read(cx, out)
    }

    /// Has this called with the trailers, once they have come; it is dropped if there are none.
    pub(super) fn on_trailers(&self, call: impl FnOnce(HeaderMap) + Send + 'static) {
        self.0.on_trailers(Box::new(call));
    }
}

impl fmt::Debug for BodyHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyHandle").finish_non_exhaustive()
    }
}
