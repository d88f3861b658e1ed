//! Futures, streams, I/O and iterators that end with the stop.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_lite::{AsyncBufRead, AsyncRead, AsyncWrite, Stream};
use pin_project_lite::pin_project;

use super::cause::Cause;
use super::token::{StopToken, Stopped};

/// Ends anything with a stop: `x.until(&token)`.
///
/// # Examples
///
/// ```
/// use futures_lite::{StreamExt, future, stream};
/// use neap::{Cause, StopSource, UntilExt};
///
/// let source = StopSource::new();
/// let token = source.token();
/// future::block_on(async {
///     assert_eq!(async { 7 }.until(&token).await, Some(7));
///
///     let mut numbers = stream::iter(1..).until(&token);
///     assert_eq!(numbers.next().await, Some(1));
///     source.stop(Cause::Requested);
///     assert_eq!(numbers.next().await, None);
/// });
/// ```
pub trait UntilExt: Sized {
    /// Makes a future, stream, reader, writer or iterator that ends with the stop; see [`Until`]
    /// for how each does.
    fn until(self, token: &StopToken) -> Until<Self> {
        Until {
            inner: self,
            stopped: token.stopped(),
            polled: false,
        }
    }
}

impl<T> UntilExt for T {}

pin_project! {
    /// What [`until`](UntilExt::until) makes: the same as the inner one, until the stop.
    ///
    /// | of a | once stopped | if both are there at once |
    /// |---|---|---|
    /// | [`Future`] | `None`; dropped without a poll if it was never polled | the output wins, as `Some` |
    /// | [`Stream`] | `None` | the stop wins, so that a busy stream ends |
    /// | [`AsyncRead`], [`AsyncBufRead`], [`AsyncWrite`] | an error, see below | the stop wins |
    /// | [`Iterator`] | `None` | the stop wins |
    ///
    /// Whatever is pending is woken by the stop; an iterator that blocks its thread is not, and
    /// ends when its next item has come. What is ready never sets up a listener: there is one
    /// from the first time that it has to wait.
    ///
    /// An interrupted read or write is an [`io::Error`] of kind [`Other`](io::ErrorKind::Other)
    /// with an [`Interrupted`] in it, and not an end of file: a cut should look like a cut. (It is
    /// not of the kind `Interrupted`, after which all the world tries again.) Closing a writer is
    /// not interrupted.
    ///
    /// # Cancel safety
    ///
    /// As that of the inner one: nothing that was read is lost, nothing is written twice.
    #[derive(Debug)]
    #[must_use = "futures, streams and iterators do nothing unless polled"]
    pub struct Until<T> {
        #[pin]
        inner: T,
        stopped: Stopped,

        // True once a future has been polled.
        polled: bool,
    }
}

impl<T> Until<T> {
    /// The inner one.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::{StopSource, UntilExt};
    ///
    /// let items = [1, 2, 3].into_iter().until(&StopSource::new().token());
    /// assert_eq!(items.get_ref().len(), 3);
    /// ```
    pub fn get_ref(&self) -> &T {
        &self.inner
    }

    /// The inner one, for changes.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::{StopSource, UntilExt};
    ///
    /// let mut items = [1, 2, 3].into_iter().until(&StopSource::new().token());
    /// items.get_mut().next_back();
    /// assert_eq!(items.collect::<Vec<_>>(), [1, 2]);
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.inner
    }

    /// The inner one, which does not end with the stop any more.
    ///
    /// # Examples
    ///
    /// What was read up to the stop is not lost:
    ///
    /// ```
    /// use futures_lite::{AsyncReadExt, future};
    /// use neap::{Cause, StopSource, UntilExt};
    ///
    /// let source = StopSource::new();
    /// let mut reader = (&b"abcd"[..]).until(&source.token());
    /// future::block_on(async {
    ///     let mut two = [0; 2];
    ///     reader.read_exact(&mut two).await?;
    ///     source.stop(Cause::Requested);
    ///     assert!(reader.read_exact(&mut two).await.is_err());
    ///     assert_eq!(reader.into_inner(), b"cd");
    ///     Ok::<(), std::io::Error>(())
    /// })?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn into_inner(self) -> T {
        self.inner
    }
}

impl<F: Future> Future for Until<F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if !std::mem::replace(this.polled, true) && this.stopped.is_due() {
            return Poll::Ready(None);
        }
        match this.inner.poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => Pin::new(this.stopped).poll(cx).map(|_| None),
        }
    }
}

impl<S: Stream> Stream for Until<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        if this.stopped.is_due() {
            return Poll::Ready(None);
        }
        match this.inner.poll_next(cx) {
            Poll::Pending => Pin::new(this.stopped).poll(cx).map(|_| None),
            ready => ready,
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, self.inner.size_hint().1)
    }
}

impl<I: Iterator> Iterator for Until<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        if self.stopped.is_due() {
            return None;
        }
        self.inner.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, self.inner.size_hint().1)
    }
}

/// The error inside that of a read or write which the stop interrupted.
///
/// # Examples
///
/// ```
/// use futures_lite::{AsyncReadExt, future};
/// use neap::{Cause, Interrupted, StopSource, UntilExt};
///
/// let source = StopSource::new();
/// source.stop(Cause::Requested);
/// let mut reader = (&b"abcd"[..]).until(&source.token());
/// let error = future::block_on(reader.read(&mut [0; 4])).unwrap_err();
/// let interrupted = error.get_ref().and_then(|inner| inner.downcast_ref::<Interrupted>());
/// assert_eq!(interrupted.map(Interrupted::cause), Some(&Cause::Requested));
/// ```
#[derive(Clone, Debug)]
pub struct Interrupted {
    cause: Cause,
}

impl Interrupted {
    /// Why it was stopped.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::{AsyncReadExt, future};
    /// use neap::{Cause, Interrupted, StopSource, UntilExt};
    ///
    /// let source = StopSource::new();
    /// source.stop(Cause::Requested);
    /// let mut reader = (&b"abcd"[..]).until(&source.token());
    /// let error = future::block_on(reader.read(&mut [0; 4])).unwrap_err();
    /// let interrupted = error.into_inner().unwrap().downcast::<Interrupted>().unwrap();
    /// assert_eq!(*interrupted.cause(), Cause::Requested);
    /// ```
    pub fn cause(&self) -> &Cause {
        &self.cause
    }
}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "interrupted: stopped by {}", self.cause)
    }
}

impl Error for Interrupted {}

/// Does I/O until the stop, which comes first.
///
/// `io` is called once and its answer returned as it is, so that it may borrow.
fn interruptible<T>(
    stopped: &mut Stopped,
    cx: &mut Context<'_>,
    io: impl FnOnce(&mut Context<'_>) -> Poll<io::Result<T>>,
) -> Poll<io::Result<T>> {
    if !stopped.is_due() {
        if let Poll::Ready(done) = io(cx) {
            return Poll::Ready(done);
        }
    }
    let cause = ready!(Pin::new(stopped).poll(cx));
    Poll::Ready(Err(io::Error::other(Interrupted { cause })))
}

impl<R: AsyncRead> AsyncRead for Until<R> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.project();
        interruptible(this.stopped, cx, |cx| this.inner.poll_read(cx, buf))
    }

    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &mut [io::IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.project();
        interruptible(this.stopped, cx, |cx| {
            this.inner.poll_read_vectored(cx, bufs)
        })
    }
}

impl<R: AsyncBufRead> AsyncBufRead for Until<R> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.project();
        interruptible(this.stopped, cx, |cx| this.inner.poll_fill_buf(cx))
    }

    fn consume(self: Pin<&mut Self>, amount: usize) {
        self.project().inner.consume(amount);
    }
}

impl<W: AsyncWrite> AsyncWrite for Until<W> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.project();
        interruptible(this.stopped, cx, |cx| this.inner.poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.project();
        interruptible(this.stopped, cx, |cx| {
            this.inner.poll_write_vectored(cx, bufs)
        })
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.project();
        interruptible(this.stopped, cx, |cx| this.inner.poll_flush(cx))
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().inner.poll_close(cx)
    }
}
