//! The connection's end of a request's body.

use std::ops::Deref;
use std::sync::Arc;
use std::task::Waker;

use super::request_body::{RequestBody, TakenBack};
use super::transport::Transport;
use crate::http::context::ServerContext;

/// The connection's end of a request's body. Its drop takes the socket back from the handler. So the
/// socket of a connection that is cut is closed, also while a handler holds the body.
pub(super) struct BodyOwner {
    body: Arc<RequestBody>,
    /// The task that the connection was in at its last poll.
    task: Option<Waker>,
    /// Whether the socket was taken back.
    has_ended: bool,
}

impl BodyOwner {
    pub(super) fn new(body: Arc<RequestBody>) -> Self {
        Self {
            body,
            task: None,
            has_ended: false,
        }
    }

    /// Notes that the connection is polled, in this task.
    pub(super) fn begin_poll(&mut self, task: &Waker) {
        let known = self.task.as_ref();
        if !known.is_some_and(|known| known.will_wake(task)) {
            self.task = Some(task.clone());
            self.body.set_connection(task);
        }
        self.body.begin_poll();
    }

    /// Ends the body before its response, once nothing is left to read: the connection reads the socket
    /// again.
    pub(super) fn end_whole(mut self, transport: &mut Transport) {
        self.has_ended = true;
        transport.buffer = self.body.take_back().buffer;
        transport.watch_anew(None);
    }

    /// Ends the body after its response, see [`RequestBody::finish`].
    pub(super) async fn finish(mut self, discard: bool, context: &ServerContext) -> TakenBack {
        let taken_back = self.body.finish(discard, context).await;
        self.has_ended = true;
        taken_back
    }
}

impl Deref for BodyOwner {
    type Target = RequestBody;

    fn deref(&self) -> &RequestBody {
        &self.body
    }
}

impl Drop for BodyOwner {
    fn drop(&mut self) {
        // Without a handler's end there is no one to take it from.
        if !self.has_ended && Arc::strong_count(&self.body) > 1 {
            self.body.take_back();
        }
    }
}
