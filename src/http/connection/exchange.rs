//! One request and what the app made of it.

use std::fmt;
use std::time::{Duration, Instant};

use ::http::StatusCode;

use super::transport::Transport;
use crate::executor::panic::{Panicked, catch};
use crate::http::codec::{RequestFraming, RequestHead};
use crate::http::door::{Answer, Failure};
use crate::time::time_source::deadline_from;

/// One request and what the app made of it.
pub(super) struct Exchange {
    pub(super) head: RequestHead,
    /// Whether the peer is watched while the app is at work: not once it has closed its side alone.
    pub(super) watching: bool,
    /// The message of the handler's panic.
    pub(super) panic: Option<String>,
    /// When its handler has no time left; `None` if it has no limit.
    pub(super) deadline: Option<Instant>,
}

/// How the app has ended: well, with an error, or by a panic. Its response is in a place of its own.
pub(super) type Answered = Result<Result<(), Failure>, Panicked>;

impl Exchange {
    /// Makes the exchange of a request with this head.
    pub(super) fn new(transport: &Transport, head: RequestHead) -> Self {
        let timeout = transport.context.settings.handler_timeout;
        Self {
            head,
            deadline: (timeout != Duration::MAX)
                .then(|| deadline_from(transport.context.time.now(), timeout)),
            watching: true,
            panic: None,
        }
    }

    /// Returns true if a response can be the answer: an informational one would leave the client
    /// waiting, and take the next answer for this one's. One that switches protocols is an answer if
    /// the client has asked for that (RFC 9110, 7.8 and 15.2).
    fn is_final(&self, response: &impl Answer) -> bool {
        let status = response.status();
        let switches = status == StatusCode::SWITCHING_PROTOCOLS;
        // What is left of a body would be taken for the new protocol.
        let has_body = self.head.framing != RequestFraming::Empty;
        let may_switch = self.head.asks_upgrade && !has_body && response.has_upgrade();
        !status.is_informational() || switches && may_switch
    }

    /// Notes a panic of the user's code. The connection closes after this exchange.
    pub(super) fn note_panic(&mut self, transport: &Transport, Panicked(message): Panicked) {
        log_panic(transport, &message);
        self.panic.get_or_insert(message);
    }

    /// Returns the status to send instead of the app's own response, if that has failed or cannot be
    /// sent. A failure of the server is logged.
    #[inline(always)]
    pub(super) fn conclude(
        &mut self,
        transport: &Transport,
        answered: Answered,
        response: Option<&impl Answer>,
    ) -> Option<StatusCode> {
        match answered {
            Ok(Ok(())) if response.is_some_and(|response| self.is_final(response)) => None,
            Ok(Ok(())) => {
                log_not_final(transport);
                Some(StatusCode::INTERNAL_SERVER_ERROR)
            }
            Ok(Err(failure)) => Some(self.status_of(transport, failure)),
            Err(panicked) => {
                self.note_panic(transport, panicked);
                Some(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }

    /// Returns the status that an error is answered with. The error is the user's: a panic while it is
    /// displayed or dropped costs no more than this connection.
    fn status_of(&mut self, transport: &Transport, failure: Failure) -> StatusCode {
        let Failure { status, error } = failure;
        let told = catch(|| {
            if status.is_server_error() {
                log_failure(transport, &*error);
            }
            drop(error);
        });
        if let Err(panicked) = told {
            self.note_panic(transport, panicked);
        }
        if status.is_informational() {
            log_not_final(transport);
            return StatusCode::INTERNAL_SERVER_ERROR;
        }
        status
    }
}

fn log_not_final(transport: &Transport) {
    let (name, peer) = (&*transport.context.name, transport.peer());
    log::error!(target: "neap", event = "response not final", service = name, peer:%; "response to {peer} is informational, or switches protocols unasked: answered with 500");
}

fn log_failure(transport: &Transport, error: &dyn fmt::Display) {
    let (name, peer) = (&*transport.context.name, transport.peer());
    log::error!(target: "neap", event = "request failed", service = name, peer:%; "request from {peer} failed: {error}");
}

fn log_panic(transport: &Transport, message: &str) {
    let (name, peer) = (&*transport.context.name, transport.peer());
    log::error!(target: "neap", event = "handler panicked", service = name, peer:%; "handler panicked on a request from {peer}: {message}");
}
