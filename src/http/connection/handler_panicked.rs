//! The failure of a service whose handler has panicked.

use std::fmt;

/// A handler has panicked, on a server where that is a failure of the service.
#[derive(Debug)]
pub(in crate::http) struct HandlerPanicked {
    /// The message of the panic.
    pub(super) message: String,
}

impl fmt::Display for HandlerPanicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a handler panicked: {}", self.message)
    }
}

impl std::error::Error for HandlerPanicked {}
