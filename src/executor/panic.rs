//! Panics of the user's code, caught and put into words.

use std::any::Any;
#[cfg(feature = "net")]
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
#[cfg(feature = "net")]
use std::pin::pin;
#[cfg(feature = "net")]
use std::task::Poll;

/// The message of a panic.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Panicked(pub(crate) String);

/// Runs code of the user's; a panic of it is returned as an error.
///
/// The code is not run again after a panic, so what the panic left half done is not seen.
#[inline]
pub(crate) fn catch<T>(run: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|payload| Panicked(message(payload)))
}

/// Awaits a future of the user's; a panic of it is returned as an error.
#[cfg(feature = "net")]
pub(crate) async fn catch_future<F: Future>(future: F) -> Result<F::Output, Panicked> {
    let mut future = pin!(future);
    poll_fn(|cx| match catch(|| future.as_mut().poll(cx)) {
        Ok(polled) => polled.map(Ok),
        Err(panicked) => Poll::Ready(Err(panicked)),
    })
    .await
}

/// Returns the message of a panic, or a text that says it has none.
pub(crate) fn message(payload: Box<dyn Any + Send>) -> String {
    if let Some(message) = payload.downcast_ref::<&str>() {
        return (*message).to_owned();
    }
    match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => {
            discard(payload);
            "(a panic without a message)".to_owned()
        }
    }
}

/// Drops the payload of a panic. Its destructor is the user's code, and may panic in turn.
fn discard(payload: Box<dyn Any + Send>) {
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(payload)));
    // This second payload is leaked, as its destructor could panic again.
    dropped.unwrap_or_else(std::mem::forget);
}

#[cfg(test)]
mod tests {
    use std::panic::panic_any;

    #[cfg(feature = "net")]
    use futures_lite::future::block_on;

    use super::*;

    /// Panics with itself when it is dropped.
    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic_any(Bomb);
        }
    }

    fn panicked(message: &str) -> Result<(), Panicked> {
        Err(Panicked(message.to_owned()))
    }

    #[test]
    fn a_panic_is_put_into_words() {
        assert_eq!(catch(|| 1), Ok(1));
        assert_eq!(catch(|| panic!("a literal")), panicked("a literal"));
        assert_eq!(catch(|| panic!("{} and {}", 1, 2)), panicked("1 and 2"));
        let wordless = "(a panic without a message)";
        assert_eq!(catch(|| panic_any(7)), panicked(wordless));
        assert_eq!(catch(|| panic_any(Bomb)), panicked(wordless));
    }

    #[cfg(feature = "net")]
    #[test]
    fn a_panic_of_a_future_is_caught_whenever_it_comes() {
        block_on(async {
            assert_eq!(catch_future(async { 1 }).await, Ok(1));
            let late = async {
                futures_lite::future::yield_now().await;
                panic!("late");
            };
            assert_eq!(catch_future(late).await, panicked("late"));
        });
    }
}
