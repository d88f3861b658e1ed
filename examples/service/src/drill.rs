//! Faults on request, to see that they cost no more than they must. A release build has none.

/// Panics if a letter's text says that it is to: `panic: handler`, or `panic: delivery`.
#[allow(clippy::panic)]
pub fn panic_if_asked(place: &str, text: &str) {
    if cfg!(debug_assertions) && text.strip_prefix("panic: ") == Some(place) {
        panic!("as the letter asks");
    }
}
