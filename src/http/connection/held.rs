//! What is of the user's, and may panic when it is dropped.

use crate::executor::panic::{Panicked, catch};

/// Something of the user's, whose destructor may panic, also when the connection is cancelled. That
/// costs no more than the connection.
pub(super) struct Held<T>(pub(super) Option<T>);

impl<T> Drop for Held<T> {
    fn drop(&mut self) {
        if let Err(Panicked(message)) = catch(|| self.0 = None) {
            log::error!(target: "neap", event = "handler panicked"; "a handler panicked when it was dropped: {message}");
        }
    }
}
