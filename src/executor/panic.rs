//! Panics of the user's code, caught.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The message of a panic.
#[derive(Debug)]
pub(crate) struct Panicked(pub(crate) String);

/// Runs code of the user's; a panic of it is returned as an error.
///
/// The code is not run again after a panic, so what the panic left half done is not seen.
pub(crate) fn catch<T>(run: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|payload| {
        let panicked = Panicked(message(&*payload));
        discard(payload);
        panicked
    })
}

/// Drops the payload of a panic, which may panic in its turn. The payload of that is leaked: it
/// may go on so without end.
fn discard(payload: Box<dyn Any + Send>) {
    if let Err(next) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(next);
    }
}

/// Returns the message of a panic's payload, as far as it has one.
fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("(a panic without a message)").to_owned()
}
