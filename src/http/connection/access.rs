//! The record of a request for the access log, if there is one.

use ::http::{StatusCode, Version};

use super::transport::Transport;
use crate::http::access::Access;
use crate::http::codec::RequestHead;
use crate::http::door::Door;

/// A server without an access log has no record in its transports: each of these is one look then.
impl Transport {
    /// Begins the record of a request; of one whose head was refused, if there is none.
    #[inline(always)]
    pub(super) fn begin_access<D: Door>(&mut self, request: Option<(&D::Request, RequestHead)>) {
        if self.context.access.is_some() {
            self.access = self.new_access::<D>(request);
        }
    }

    fn new_access<D: Door>(
        &self,
        request: Option<(&D::Request, RequestHead)>,
    ) -> Option<Box<Access>> {
        let queue = self.context.access.as_ref()?;
        let request = request.map(|(request, head)| {
            let version = match head.is_http10 {
                true => Version::HTTP_10,
                false => Version::HTTP_11,
            };
            (D::describe(request), version)
        });
        queue.begin(self.peer(), self.context.time.now(), request)
    }

    /// Notes the status of an answer of the server's own.
    pub(super) fn note_status(&mut self, status: StatusCode) {
        if let Some(access) = &mut self.access {
            access.status = Some(status);
        }
    }

    /// Notes how many bytes of the answer's body were put into the output.
    #[inline(always)]
    pub(super) fn note_body(&mut self, bytes: impl FnOnce() -> u64) {
        if let Some(access) = &mut self.access {
            access.bytes = bytes().saturating_sub(self.output.unsent());
        }
    }

    /// Ends the record of a request whose answer is sent.
    #[inline(always)]
    pub(super) fn end_access(&mut self, bytes: impl FnOnce() -> u64) {
        if let Some(mut access) = self.access.take() {
            access.bytes = bytes();
            self.push_access(access, false);
        }
    }

    /// Ends the record of a request whose answer was cut, if there is one.
    pub(super) fn cut_access(&mut self) {
        if let Some(access) = self.access.take() {
            self.push_access(access, true);
        }
    }

    pub(super) fn push_access(&self, mut access: Box<Access>, is_cut: bool) {
        if let Some(queue) = &self.context.access {
            access.end(self.context.time.now(), is_cut);
            queue.push(access);
        }
    }
}
