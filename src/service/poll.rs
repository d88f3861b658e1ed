//! Polling what belongs to the user.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::exit::{End, Failure};
use super::result::sealed::IntoEnd;
use crate::executor::panic::{Panicked, catch};

/// Polls a future of the user's. A panic is how it ends, also one in the conversion of its error.
#[inline]
pub(crate) fn poll_to_end<F: Future<Output: IntoEnd>>(
    future: Pin<&mut F>,
    cx: &mut Context<'_>,
) -> Poll<End> {
    let polled = catch(|| future.poll(cx).map(IntoEnd::into_end));
    polled.unwrap_or_else(|panicked| Poll::Ready(panicked.into()))
}

impl From<Panicked> for Failure {
    fn from(Panicked(message): Panicked) -> Failure {
        Failure::Panic(message)
    }
}

impl From<Panicked> for End {
    fn from(panicked: Panicked) -> End {
        End::Failed(panicked.into())
    }
}
