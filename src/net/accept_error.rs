//! The kinds of error that an accept can end with.

use std::io;

/// What a failed accept is about, which decides how to go on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum AcceptError {
    /// The one connection is gone: accept the next.
    Connection,
    /// Descriptors or memory ran out: try again later.
    Resources,
    /// The listener is broken: no accept will succeed.
    Listener,
}

impl AcceptError {
    pub(super) fn of(error: &io::Error) -> Self {
        use io::ErrorKind::{
            ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted, InvalidInput,
            NotConnected, Unsupported,
        };
        match error.kind() {
            ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
            | NotConnected => Self::Connection,
            InvalidInput | Unsupported => Self::Listener,
            // EMFILE, ENFILE, ENOBUFS and ENOMEM. Errors that are not known go with them, as a
            // pause keeps the loop from spinning.
            _ => Self::Resources,
        }
    }
}
