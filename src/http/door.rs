//! How the requests and responses of one kind of app look: what a door is.
//!
//! The connection knows nothing of their types. A door makes a request of a head, straight from the
//! buffer, and lets the connection look at a response and take its body.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use ::http::{HeaderMap, StatusCode};
use bytes::Bytes;

use super::access::Described;
use super::body_handle::BodyHandle;
use super::codec::{AnswerHead, Changes, RawHead, Refusal};
use super::request_context::{Arrival, RequestContext};
use super::upgraded::HandOver;

/// The types of one kind of app, and how they are made.
pub trait Door: Sized + Send + Sync + 'static {
    type Request: Send;
    type Response: Answer + Send;

    /// What a connection keeps from one head to the next.
    type Memory: Send;

    /// Makes the memory of a connection.
    fn memory(arrival: &Arc<Arrival>) -> Self::Memory;

    /// Frees what is remembered of earlier heads.
    fn forget(memory: &mut Self::Memory);

    /// Makes a request of a head, still without its body, and puts it into `slot`: it has some hundreds
    /// of bytes, which each return and each wrapper would copy.
    ///
    /// # Errors
    ///
    /// What its types cannot hold.
    fn request(
        memory: &mut Self::Memory,
        head: &RawHead<'_>,
        slot: &mut Option<Self::Request>,
    ) -> Result<(), Refusal>;

    /// Remembers a request as the model of the next ones, as [`request`](Door::request) has made it: one for
    /// a path, without trailers. Returns false if it cannot be one.
    fn remember(memory: &mut Self::Memory, head: &RawHead<'_>, request: &Self::Request) -> bool;

    /// Makes a request of the model, with some changes, and puts it into `slot`; returns false if it cannot.
    ///
    /// # Errors
    ///
    /// What its types cannot hold.
    fn request_like_last(
        memory: &mut Self::Memory,
        changes: &Changes<'_>,
        slot: &mut Option<Self::Request>,
    ) -> Result<bool, Refusal>;

    /// Returns what the access log says of a request.
    fn describe(request: &Self::Request) -> Described<'_>;

    /// Lets the handler ask about its server.
    fn set_context(request: &mut Self::Request, context: RequestContext);

    /// Gives a request its body, of a length that may be known.
    fn set_body(request: &mut Self::Request, body: BodyHandle, length: Option<u64>);

    /// Makes the response to a request that the server has no room or no time for, without a body: a 503 after
    /// which the client may come again in a second (RFC 9110, 10.2.3).
    fn unavailable() -> Self::Response;

    /// Makes a response without a body.
    fn empty(status: StatusCode) -> Self::Response;
}

/// A response, and its body.
#[allow(
    unreachable_pub,
    reason = "Rust 1.85 does not see that it can be reached by way of `App`"
)]
pub trait Answer: AnswerHead {
    /// Returns true if someone waits for the connection, which is to be no longer HTTP.
    fn has_upgrade(&self) -> bool;

    /// Reads the next part of the body. What is copied is appended to `out`, and has `most` bytes at
    /// most; what is returned may have more.
    fn poll_part(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut Vec<u8>,
        most: usize,
    ) -> Poll<io::Result<Part>>;

    /// Returns bytes of the body that are there already, if they are many: they are written from where they
    /// are, and then [consumed](Answer::consume). None otherwise.
    fn ahead(self: Pin<&mut Self>, _: &mut Context<'_>) -> &[u8] {
        &[]
    }

    /// Drops the first n bytes of those [ahead](Answer::ahead).
    fn consume(self: Pin<&mut Self>, _: usize) {}

    /// Returns the trailers, behind the body.
    fn poll_trailers(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<HeaderMap>>;

    /// Takes out what waits for the connection.
    fn take_upgrade(self: Pin<&mut Self>) -> Option<HandOver>;
}

/// A part of a response's body.
#[derive(Debug)]
#[allow(
    unreachable_pub,
    reason = "Rust 1.85 does not see that it can be reached by way of `App`"
)]
pub enum Part {
    /// n bytes were appended, perhaps none.
    Copied(usize),

    /// These bytes, at least one, which are too many to copy.
    Whole(Bytes),

    /// There is no more.
    End,
}

/// The error of an app.
pub struct Failure {
    /// What it is answered with.
    pub status: StatusCode,

    pub error: Box<dyn fmt::Display + Send>,
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}
