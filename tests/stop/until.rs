//! `until`: futures, streams, I/O and iterators that end with the stop.

use std::future::pending;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_lite::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use futures_lite::{StreamExt, future, stream};
use neap::{Cause, Interrupted, StopSource, UntilExt};

use crate::runtimes::{limited, on_all};
use crate::support::{CountingWaker, poll, stop_once_started};

/// Reads and writes nothing, and never will.
struct Never;

impl AsyncRead for Never {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Pending
    }
}

impl AsyncWrite for Never {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Pending
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn is_interrupted(error: &io::Error) -> bool {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Interrupted>());
    inner.is_some_and(|interrupted| *interrupted.cause() == Cause::Requested)
}

#[test]
fn g14_a_future_that_is_stopped_before_is_not_polled() {
    limited(|| {
        let source = StopSource::new();
        source.stop(Cause::Requested);
        let future = async { panic!("polled") }.until(&source.token());
        assert_eq!(future::block_on(future), None::<()>);
    });
}

#[test]
fn g14_a_finished_output_wins_a_tie() {
    limited(|| {
        let source = StopSource::new();
        let (sender, receiver) = async_channel::bounded(1);
        let mut future = pin!(async { receiver.recv().await.unwrap() }.until(&source.token()));
        let waker = Arc::<CountingWaker>::default();
        assert!(poll(future.as_mut(), &waker).is_pending());
        source.stop(Cause::Requested);
        sender.try_send(7).unwrap();
        assert_eq!(poll(future.as_mut(), &waker), Poll::Ready(Some(7)));
    });
}

#[test]
fn a_pending_future_is_woken_by_the_stop() {
    limited(|| {
        let source = StopSource::new();
        let mut future = pin!(pending::<()>().until(&source.token()));
        let waker = Arc::<CountingWaker>::default();
        assert!(poll(future.as_mut(), &waker).is_pending());
        source.stop(Cause::Requested);
        assert_eq!(waker.count(), 1);
        assert_eq!(poll(future.as_mut(), &waker), Poll::Ready(None));
    });
}

#[test]
fn a_busy_stream_ends_with_the_stop() {
    limited(|| {
        let source = StopSource::new();
        let mut stream = stream::repeat(1).until(&source.token());
        future::block_on(async {
            assert_eq!(stream.next().await, Some(1));
            source.stop(Cause::Requested);
            assert_eq!(stream.next().await, None);
            assert_eq!(stream.next().await, None, "and stays so");
        });
    });
}

#[test]
fn a_pending_stream_is_woken_by_the_stop() {
    limited(|| {
        let source = StopSource::new();
        let mut stream = stream::pending::<()>().until(&source.token());
        let waker = Arc::<CountingWaker>::default();
        let mut next = pin!(stream.next());
        assert!(poll(next.as_mut(), &waker).is_pending());
        source.stop(Cause::Requested);
        assert_eq!(waker.count(), 1);
        assert_eq!(poll(next.as_mut(), &waker), Poll::Ready(None));
    });
}

#[test]
fn a_pending_read_is_woken_by_the_stop_and_is_no_end_of_file() {
    limited(|| {
        let source = StopSource::new();
        let mut reader = Never.until(&source.token());
        let (waker, mut buffer) = (Arc::<CountingWaker>::default(), [0; 4]);
        let mut read = pin!(reader.read(&mut buffer));
        assert!(poll(read.as_mut(), &waker).is_pending());
        source.stop(Cause::Requested);
        assert_eq!(waker.count(), 1);
        let Poll::Ready(Err(error)) = poll(read.as_mut(), &waker) else {
            panic!("not interrupted");
        };
        assert!(is_interrupted(&error));
        assert_eq!(error.to_string(), "interrupted: stopped by request");
    });
}

#[test]
fn a_pending_write_or_flush_is_interrupted_and_a_close_is_not() {
    limited(|| {
        let source = StopSource::new();
        let mut writer = Never.until(&source.token());
        future::block_on(async {
            let stopping = async {
                future::yield_now().await;
                source.stop(Cause::Requested);
            };
            let (written, ()) = future::zip(writer.write(b"abc"), stopping).await;
            assert!(is_interrupted(&written.unwrap_err()));
            assert!(is_interrupted(&writer.flush().await.unwrap_err()));
            writer.close().await.unwrap();
        });
    });
}

#[test]
fn lines_end_with_the_stop_and_none_before_it_is_lost() {
    limited(|| {
        let source = StopSource::new();
        let mut reader = (&b"one\ntwo\nthree\n"[..]).until(&source.token());
        future::block_on(async {
            let mut line = String::new();
            reader.read_line(&mut line).await.unwrap();
            assert_eq!(std::mem::take(&mut line), "one\n");
            source.stop(Cause::Requested);
            assert!(is_interrupted(
                &reader.read_line(&mut line).await.unwrap_err()
            ));
            assert_eq!(reader.into_inner(), b"two\nthree\n");
        });
    });
}

#[test]
fn an_iterator_on_a_thread_ends_with_the_stop() {
    limited(|| {
        let source = StopSource::new();
        let numbers = (1..).until(&source.token());
        let thread = std::thread::spawn(move || numbers.count());
        source.stop(Cause::Requested);
        thread.join().unwrap();
    });
}

#[test]
fn a_dropped_wait_leaves_no_waker_behind() {
    limited(|| {
        let source = StopSource::new();
        for _ in 0..1000 {
            let mut waiting = Box::pin(pending::<()>().until(&source.token()));
            let ready = async { 7 }.until(&source.token());
            assert_eq!(future::block_on(ready), Some(7));
            let waker = Arc::<CountingWaker>::default();
            assert!(poll(waiting.as_mut(), &waker).is_pending());
            drop(waiting);
            assert_eq!(Arc::strong_count(&waker), 1, "its waker is gone with it");
        }
    });
}

#[test]
fn a_socket_read_in_a_service_is_woken_by_the_stop() {
    on_all(|runtime| async move {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        let mut group = runtime.group().drain_timeout(Duration::from_secs(3600));
        group.add("reader", |scope| async move {
            let server = async_io::Async::new(server).unwrap();
            let mut server = server.until(&scope.token());
            let error = server.read(&mut [0; 16]).await.unwrap_err();
            assert!(is_interrupted(&error));
        });
        stop_once_started(&mut group);
        group.run().await.unwrap();
        drop(client);
    });
}
