//! The handler's end of a request's body, as the doors get it.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use ::http::HeaderMap;

use super::connection::RequestBody;

/// The handler's end of a request's body.
pub struct BodyHandle(Arc<RequestBody>);

impl BodyHandle {
    pub(in crate::http) fn new(body: Arc<RequestBody>) -> Self {
        Self(body)
    }

    /// Reads bytes of the body. Returns their number, 0 at its end.
    pub(in crate::http) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        out: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_read(cx, out)
    }

    /// Has this called with the trailers, once they have come; it is dropped if there are none.
    pub(in crate::http) fn on_trailers(&self, call: impl FnOnce(HeaderMap) + Send + 'static) {
        self.0.on_trailers(Box::new(call));
    }
}

impl fmt::Debug for BodyHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyHandle").finish_non_exhaustive()
    }
}
