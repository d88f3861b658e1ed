//! The kinds of error that an accept can end with.

use std::io;

/// What a failed accept is about, which decides how to go on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum AcceptError {
    /// The one connection is gone: accept the next.
    Connection,
    /// No connection is there.
    Empty,
    /// Descriptors or memory ran out: try again later.
    Resources,
    /// Not known: try again later, as a pause keeps a loop from spinning.
    Unknown,
    /// The listener is broken: no accept will succeed.
    Listener,
}

impl AcceptError {
    pub(super) fn of(error: &io::Error) -> Self {
        use io::ErrorKind::{
            ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted, InvalidInput,
            NotConnected, OutOfMemory, Unsupported, WouldBlock,
        };
        match error.kind() {
            ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
            | NotConnected => Self::Connection,
            WouldBlock => Self::Empty,
            InvalidInput | Unsupported => Self::Listener,
            OutOfMemory => Self::Resources,
            _ if is_resource(error) => Self::Resources,
            _ => Self::Unknown,
        }
    }
}

/// Returns true if descriptors or memory ran out, accept(2).
#[cfg(unix)]
fn is_resource(error: &io::Error) -> bool {
    let codes = [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM];
    error
        .raw_os_error()
        .is_some_and(|code| codes.contains(&code))
}

#[cfg(not(unix))]
fn is_resource(_: &io::Error) -> bool {
    false
}
