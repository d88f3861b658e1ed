//! Streams of `net` over TLS: their ends, and what the kernel has not taken.

use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_lite::{AsyncReadExt, AsyncWriteExt, future};
use futures_rustls::TlsConnector;
use futures_rustls::client::TlsStream;
use futures_rustls::rustls::pki_types::ServerName;
use neap::net::{self, Certificates, Stream};
use neap::test::{Clock, Network};
use neap::{Group, StopToken};

use crate::client::trusting;
use crate::limit::limited;
use crate::pems::Pems;

/// How many bytes are on their way at once: fewer than a record has.
const CAPACITY: usize = 4000;

type Client = TlsStream<Stream>;

/// Runs a story of a client beside a server with this handler. Returns the result of the handler.
fn serve<S: Future<Output = ()>>(
    handler: impl AsyncHandler,
    story: impl FnOnce(Client, Clock) -> S,
) -> io::Result<()> {
    let (network, clock) = (Network::with_capacity(CAPACITY), Clock::new());
    let Pems { chain, key } = Pems::usual();
    let certificates = Certificates::from_pem(chain, key).unwrap();
    let result = Arc::new(Mutex::new(None));
    let noted = Arc::clone(&result);
    let handler = Arc::new(handler);
    let noting = move |stream: Stream, token: StopToken| {
        let (handled, noted) = (handler(stream, token), Arc::clone(&noted));
        async move { *noted.lock().unwrap() = Some(handled.await) }
    };
    let mut group = Group::new().clock(&clock);
    let server = net::Server::new(network.listen(80), noting).tls(certificates);
    group.add("net", server.into_service());
    let handle = group.handle();
    let story = async {
        let stream = network.connect(80).await.unwrap();
        let config = Arc::new(trusting(&[chain]));
        let name = ServerName::try_from("localhost").unwrap();
        let client = TlsConnector::from(config).connect(name, stream).await;
        story(client.unwrap(), clock.clone()).await;
        handle.stop();
    };
    let both = limited(&clock, future::zip(group.run(), story));
    clock.block_on(both).0.unwrap();
    assert_eq!(network.open_ends(), 0);
    let result = result.lock().unwrap().take();
    result.expect("the handler has returned")
}

trait AsyncHandler:
    Fn(Stream, StopToken) -> future::Boxed<io::Result<()>> + Send + Sync + 'static
{
}
impl<F> AsyncHandler for F where
    F: Fn(Stream, StopToken) -> future::Boxed<io::Result<()>> + Send + Sync + 'static
{
}

fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|at| (at / 3) as u8).collect()
}

#[test]
fn what_a_handler_has_written_arrives_though_it_has_returned() {
    for count in [1, 3900, 16_384, 1_000_000] {
        let write = move |mut stream: Stream, _| -> future::Boxed<_> {
            Box::pin(async move { stream.write_all(&bytes(count)).await })
        };
        let read = |mut client: Client, clock: Clock| async move {
            clock.sleep(Duration::from_secs(1)).await;
            let mut read = Vec::new();
            // With a good-bye: an end without one is an error.
            client.read_to_end(&mut read).await.unwrap();
            assert!(read == bytes(count), "{} of {count}", read.len());
        };
        serve(write, read).unwrap();
    }
}

#[test]
fn a_peer_that_takes_nothing_of_the_rest_is_not_waited_for() {
    let write = |mut stream: Stream, _| -> future::Boxed<_> {
        Box::pin(async move { stream.write_all(&bytes(8000)).await })
    };
    serve(write, |client, clock| async move {
        clock.sleep(Duration::from_secs(40)).await;
        drop(client);
    })
    .unwrap();
}

#[test]
fn a_stream_that_is_dropped_is_closed_though_its_handler_goes_on() {
    let waits = |mut stream: Stream, token: StopToken| -> future::Boxed<_> {
        Box::pin(async move {
            stream.write_all(b"bye").await?;
            drop(stream);
            token.stopped().await;
            Ok(())
        })
    };
    serve(waits, |mut client, _| async move {
        let mut read = Vec::new();
        client.read_to_end(&mut read).await.unwrap();
        assert_eq!(read, b"bye");
    })
    .unwrap();
}

/// Reads to the end, and answers with the number of bytes.
fn count(mut stream: Stream, _: StopToken) -> future::Boxed<io::Result<()>> {
    Box::pin(async move {
        let mut read = Vec::new();
        stream.read_to_end(&mut read).await?;
        stream.write_all(read.len().to_string().as_bytes()).await
    })
}

#[test]
fn a_peer_that_has_said_good_bye_is_still_written_to() {
    serve(count, |mut client, _| async move {
        client.write_all(&bytes(50_000)).await.unwrap();
        client.close().await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "50000");
    })
    .unwrap();
}

#[test]
fn an_end_without_a_good_bye_is_an_error() {
    let error = serve(count, |mut client, _| async move {
        client.write_all(&bytes(500)).await.unwrap();
        client.flush().await.unwrap();
        // The socket alone.
        client.get_ref().0.shutdown(Shutdown::Write).unwrap();
        let mut rest = Vec::new();
        let _ = client.read_to_end(&mut rest).await;
        assert_eq!(rest, b"");
    });
    assert_eq!(error.unwrap_err().kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn a_side_that_was_closed_can_still_read() {
    let half = |mut stream: Stream, _| -> future::Boxed<_> {
        Box::pin(async move {
            stream.write_all(&bytes(50_000)).await?;
            // The kernel has not taken all of it.
            let error = stream.shutdown(Shutdown::Write).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            stream.close().await?;
            let error = stream.write(b"more").await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BrokenPipe);
            let mut read = Vec::new();
            stream.read_to_end(&mut read).await?;
            assert!(read == bytes(20_000));
            Ok(())
        })
    };
    serve(half, |mut client, _| async move {
        let mut read = Vec::new();
        client.read_to_end(&mut read).await.unwrap();
        assert!(read == bytes(50_000));
        client.write_all(&bytes(20_000)).await.unwrap();
        client.close().await.unwrap();
    })
    .unwrap();
}

#[test]
fn a_read_sends_what_a_write_has_left() {
    let asks = |mut stream: Stream, _| -> future::Boxed<_> {
        Box::pin(async move {
            // Ready, though there is no room for so much.
            stream.write_all(&bytes(9000)).await?;
            let mut answer = [0; 2];
            stream.read_exact(&mut answer).await?;
            assert_eq!(&answer, b"ok");
            Ok(())
        })
    };
    serve(asks, |mut client, clock| async move {
        clock.sleep(Duration::from_secs(1)).await;
        let mut read = vec![0; 9000];
        client.read_exact(&mut read).await.unwrap();
        assert!(read == bytes(9000));
        client.write_all(b"ok").await.unwrap();
        client.flush().await.unwrap();
        let _ = client.read(&mut read).await;
    })
    .unwrap();
}

#[test]
fn both_directions_go_on_at_once() {
    const COUNT: usize = 300_000;
    let both = |stream: Stream, _| -> future::Boxed<_> {
        Box::pin(async move {
            let (mut reader, mut writer) = (&stream, &stream);
            let write = async {
                writer.write_all(&bytes(COUNT)).await?;
                writer.flush().await
            };
            let mut read = vec![0; COUNT];
            let read_all = reader.read_exact(&mut read);
            future::try_zip(write, read_all).await?;
            assert!(read == bytes(COUNT));
            Ok(())
        })
    };
    serve(both, |client, _| async move {
        let (mut reader, mut writer) = futures_lite::io::split(client);
        let mut read = vec![0; COUNT];
        let write = async {
            writer.write_all(&bytes(COUNT)).await?;
            writer.flush().await
        };
        future::try_zip(write, reader.read_exact(&mut read))
            .await
            .unwrap();
        assert!(read == bytes(COUNT));
    })
    .unwrap();
}

#[test]
fn a_reset_is_no_good_bye() {
    let resets = |mut stream: Stream, _| -> future::Boxed<_> {
        Box::pin(async move {
            stream.write_all(b"half").await?;
            stream.reset_on_close()
        })
    };
    serve(resets, |mut client, clock| async move {
        clock.sleep(Duration::from_secs(1)).await;
        let mut read = Vec::new();
        let error = client.read_to_end(&mut read).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    })
    .unwrap();
}
