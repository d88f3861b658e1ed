//! How many records and writes there are.

#[allow(dead_code, reason = "the tests of TLS use all of it")]
#[path = "../../../tests/tls/pems.rs"]
mod pems;

use std::future::poll_fn;
use std::io::IoSlice;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_lite::{AsyncReadExt, AsyncWrite, AsyncWriteExt, future};

use self::pems::Pems;
use super::{Certificates, TlsAcceptor, TlsClient, TlsConfig};
use crate::net::memory::network::Network;
use crate::net::memory::wire::{Operation, Side};
use crate::net::stream::Stream;

/// A connection whose handshake is over: both ends, and how often the server has written.
struct Pair {
    client: Stream,
    server: Stream,
    writes: Arc<AtomicUsize>,
}

impl Pair {
    async fn new() -> Pair {
        let network = Network::with_capacity(1024 * 1024);
        let writes = Arc::new(AtomicUsize::new(0));
        let noted = Arc::clone(&writes);
        network.observe(move |side, operation| {
            let is_write = (side, operation) == (Side::Server, Operation::Write);
            noted.fetch_add(usize::from(is_write), Ordering::Relaxed);
        });
        let Pems { chain, key } = Pems::usual();
        let certificates = Certificates::from_pem(chain, key).unwrap();
        let acceptor = TlsAcceptor::new(&TlsConfig::new(&certificates)).unwrap();
        let mut listeners = network.listen(80).bind().unwrap();
        let client = network.connect(80).await.unwrap();
        let client = client.with_tls_of(&TlsClient::new(chain).unwrap());
        let server = listeners.accept().await.unwrap().with_tls(&acceptor);
        let shaken = future::try_zip(
            poll_fn(|cx| client.poll_handshake(cx)),
            poll_fn(|cx| server.poll_handshake(cx)),
        );
        shaken.await.unwrap();
        Pair {
            client,
            server,
            writes,
        }
    }

    /// Returns how often the server has written since this was last called.
    fn writes(&self) -> usize {
        self.writes.swap(0, Ordering::Relaxed)
    }

    /// Returns the lengths of the records that are on their way to the client.
    fn records(&self) -> Vec<usize> {
        self.client.discard();
        let mut bytes = vec![0; 1024 * 1024];
        let length = self.client.try_read(&mut bytes).unwrap();
        let (mut rest, mut records) = (&bytes[..length], Vec::new());
        while let [_, 3, 3, high, low, ..] = *rest {
            let length = usize::from(u16::from_be_bytes([high, low]));
            records.push(length);
            rest = &rest[5 + length..];
        }
        assert!(rest.is_empty());
        records
    }
}

/// What the last record of TLS 1.3 has beside its bytes: its type and a tag.
const MORE: usize = 17;

#[test]
fn parts_that_are_written_at_once_are_one_record_and_one_write() {
    future::block_on(async {
        let pair = Pair::new().await;
        // Its part of the handshake, of which the network in memory takes each message alone.
        assert!(pair.writes() > 0);
        // The client takes the tickets.
        let _ = pair.client.try_read(&mut [0]);
        let parts = [&b"head"[..], b"body", b"end"].map(IoSlice::new);
        let mut server = &pair.server;
        let write = poll_fn(|cx| Pin::new(&mut server).poll_write_vectored(cx, &parts));
        assert_eq!(write.await.unwrap(), 11);
        assert_eq!((pair.writes(), pair.records()), (1, vec![11 + MORE]));
        // What is large is records of the largest size, which leave together where the network takes them so.
        (&pair.server).write_all(&[0; 40_000]).await.unwrap();
        let records = vec![16_384 + MORE, 16_384 + MORE, 40_000 - 2 * 16_384 + MORE];
        assert_eq!(pair.records(), records);
    });
}

#[test]
fn a_large_part_leaves_in_one_write_with_what_frames_it_or_in_records_of_the_largest_size() {
    future::block_on(async {
        const LARGEST: usize = 16_384 + MORE;
        let pair = Pair::new().await;
        let _ = pair.client.try_read(&mut [0]);
        pair.writes();
        let parts = [&b"10000\r\n"[..], &[0; 65_536], b"\r\n"].map(IoSlice::new);
        let mut server = &pair.server;
        let write = poll_fn(|cx| Pin::new(&mut server).poll_write_vectored(cx, &parts));
        assert_eq!(write.await.unwrap(), 65_545);
        assert_eq!(
            pair.records(),
            [LARGEST, LARGEST, LARGEST, LARGEST, 9 + MORE]
        );
        let mut server = &pair.server;
        let write = poll_fn(|cx| Pin::new(&mut server).poll_write(cx, &[0; 100_000]));
        assert_eq!(write.await.unwrap(), 65_536);
        assert_eq!(pair.records(), [LARGEST; 4]);
    });
}

#[test]
fn an_answer_is_one_write_and_so_is_the_good_bye() {
    future::block_on(async {
        let pair = Pair::new().await;
        pair.writes();
        (&pair.client).write_all(b"ask").await.unwrap();
        let mut asked = [0; 3];
        (&pair.server).read_exact(&mut asked).await.unwrap();
        (&pair.server).write_all(b"answer").await.unwrap();
        assert_eq!(pair.writes(), 1);
        pair.server.end();
        poll_fn(|cx| pair.server.poll_sent(cx)).await.unwrap();
        assert_eq!(pair.writes(), 1);
        drop(pair.server);
        assert_eq!(pair.writes.load(Ordering::Relaxed), 0, "said once");
    });
}
