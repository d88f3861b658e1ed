//! Why a message is not served.

use std::{error, fmt, io};

use ::http::StatusCode;

use super::method::MethodKind;

/// The answer to a message that cannot be served. After it the connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The status of the answer.
    pub(in crate::http) status: StatusCode,
    /// One line that says what is wrong: the body of the answer.
    pub(in crate::http) reason: &'static str,
    /// Whether that is left out, with its length, as the request is a `HEAD` (RFC 9110, 9.3.2).
    pub(in crate::http) to_head: bool,
}

impl Refusal {
    const fn new(status: StatusCode, reason: &'static str) -> Self {
        Self {
            status,
            reason,
            to_head: false,
        }
    }

    /// 400: the message breaks the grammar, or gives its length in two ways.
    pub(in crate::http) const fn malformed(reason: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, reason)
    }

    /// 408: the client took too long.
    pub(in crate::http) const fn too_slow(reason: &'static str) -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, reason)
    }

    /// 413: the body is longer than the server accepts.
    pub(in crate::http) const fn body_too_long() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body too long")
    }

    /// 414: the request line alone is longer than a head may be.
    pub(in crate::http) const fn target_too_long() -> Self {
        Self::new(StatusCode::URI_TOO_LONG, "request target too long")
    }

    /// 417: an expectation other than `100-continue`.
    pub(in crate::http) const fn expectation() -> Self {
        Self::new(StatusCode::EXPECTATION_FAILED, "unknown expectation")
    }

    /// 431: the head is longer, or has more fields, than the server accepts.
    pub(in crate::http) const fn head_too_long() -> Self {
        Self::new(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "request head too long",
        )
    }

    /// 500: the app has failed before anything of its response was sent.
    pub(in crate::http) const fn failed() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "")
    }

    /// 501: a method or a transfer coding that the server does not know.
    pub(in crate::http) const fn unknown(reason: &'static str) -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, reason)
    }

    /// 503: the server cancels the request before its response has begun.
    pub(in crate::http) const fn unavailable() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "")
    }

    /// 505: another version of HTTP.
    pub(in crate::http) const fn version() -> Self {
        Self::new(
            StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            "HTTP/1.0 and HTTP/1.1 only",
        )
    }

    /// Returns the answer to a request of this method.
    pub(in crate::http) fn to(self, method: MethodKind) -> Self {
        let to_head = method == MethodKind::Head;
        Self { to_head, ..self }
    }

    /// Returns the error that a handler sees when it reads the body.
    pub(in crate::http) fn into_io(self) -> io::Error {
        let kind = match self.status {
            StatusCode::REQUEST_TIMEOUT => io::ErrorKind::TimedOut,
            _ => io::ErrorKind::InvalidData,
        };
        io::Error::new(kind, self)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason)
    }
}

impl error::Error for Refusal {}
