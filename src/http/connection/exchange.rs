//! One request and what the app made of it.

use http_types::{Response, Result, StatusCode};

use super::transport::Transport;
use crate::executor::panic::Panicked;
use crate::http::codec::RequestHead;

/// One request and what the app made of it.
pub(super) struct Exchange {
    pub(super) head: RequestHead,
    /// Whether a reset by the peer is looked for while the app is at work.
    pub(super) watching: bool,
    /// The message of the handler's panic.
    pub(super) panic: Option<String>,
}

/// How the app has ended: well, with an error, or by a panic. Its response is in a place of its own.
pub(super) type Answered = std::result::Result<Result<()>, Panicked>;

impl Exchange {
    /// Makes the exchange of a request with this head.
    pub(super) fn new(head: RequestHead) -> Self {
        Self {
            head,
            watching: true,
            panic: None,
        }
    }

    /// Returns true if a response can be the answer: an informational one would leave the client
    /// waiting, and take the next answer for this one's. One that switches protocols is an answer if
    /// the client has asked for that (RFC 9110, 7.8 and 15.2).
    fn is_final(&self, response: &Response) -> bool {
        let switches = response.status() == StatusCode::SwitchingProtocols;
        let may_switch = self.head.asks_upgrade && response.has_upgrade();
        !response.status().is_informational() || switches && may_switch
    }

    /// Notes a panic of the user's code. The connection closes after this exchange.
    pub(super) fn note_panic(&mut self, transport: &Transport, Panicked(message): Panicked) {
        log_panic(transport, &message);
        self.panic.get_or_insert(message);
    }

    /// Returns the response to send: the app's own in `slot`, or one with the status of its failure.
    /// A failure of the server is logged.
    #[inline(always)]
    pub(super) fn conclude<'a>(
        &mut self,
        transport: &Transport,
        answered: Answered,
        slot: &'a mut Option<Response>,
    ) -> &'a mut Response {
        let failed = match answered {
            // Not replaced: a response is too large to move without need.
            Ok(Ok(()))
                if slot
                    .as_ref()
                    .is_some_and(|response| self.is_final(response)) =>
            {
                return slot.get_or_insert_with(|| Response::new(StatusCode::InternalServerError));
            }
            Ok(Ok(())) => {
                log_not_final(transport);
                StatusCode::InternalServerError
            }
            Ok(Err(error)) => {
                if error.status().is_server_error() {
                    log_failure(transport, &error);
                }
                error.status()
            }
            Err(panicked) => {
                self.note_panic(transport, panicked);
                StatusCode::InternalServerError
            }
        };
        slot.insert(Response::new(failed))
    }
}

fn log_not_final(transport: &Transport) {
    let (name, peer) = (&*transport.context.name, transport.peer());
    log::error!(target: "neap", event = "response not final", service = name, peer:%; "response to {peer} is informational, or switches protocols unasked: answered with 500");
}

fn log_failure(transport: &Transport, error: &http_types::Error) {
    let (name, peer) = (&*transport.context.name, transport.peer());
    log::error!(target: "neap", event = "request failed", service = name, peer:%; "request from {peer} failed: {error}");
}

fn log_panic(transport: &Transport, message: &str) {
    let (name, peer) = (&*transport.context.name, transport.peer());
    log::error!(target: "neap", event = "handler panicked", service = name, peer:%; "handler panicked on a request from {peer}: {message}");
}
