//! A server on a network in memory, by a clock that moves by itself.

use std::future::Future;
use std::io;
use std::time::{Duration, Instant};

use futures_lite::{AsyncReadExt, AsyncWriteExt, future};
use neap::http::{App, Server};
use neap::net::{Address, Stream};
use neap::test::{Clock, Network};
use neap::{Error, Group, Handle, Outcome};

/// What a story has to do with.
pub struct Site {
    pub network: Network,
    pub clock: Clock,
    pub handle: Handle<'static>,
}

/// How a group has ended.
#[derive(Debug)]
pub struct Ended {
    pub result: Result<Outcome, Error>,
    /// When it has ended, by the clock.
    pub at: Instant,
}

/// Runs a server beside a story, and stops it, if it runs still, when the story is over. Returns how the
/// group has ended, beside the story's result.
pub fn serve<A: App + 'static, S: Future>(
    place: (Network, Clock),
    server: impl FnOnce(Address) -> Server<A>,
    story: impl FnOnce(Site) -> S,
) -> (Ended, S::Output) {
    serve_in(Group::new(), place, server, story)
}

/// Does the same in a group that has settings of its own.
pub fn serve_in<A: App + 'static, S: Future>(
    group: Group<'static>,
    (network, clock): (Network, Clock),
    server: impl FnOnce(Address) -> Server<A>,
    story: impl FnOnce(Site) -> S,
) -> (Ended, S::Output) {
    let mut group = group.clock(&clock);
    group.add("http", server(network.listen(80)).into_service());
    let handle = group.handle();
    let site = Site {
        network: network.clone(),
        clock: clock.clone(),
        handle: handle.clone(),
    };
    let story = async {
        handle.started().await.unwrap();
        let result = story(site).await;
        handle.stop();
        result
    };
    let group = async {
        let result = group.run().await;
        let at = clock.now();
        Ended { result, at }
    };
    let ended = clock.block_on(future::zip(group, story));
    assert_eq!(network.open_ends(), 0);
    ended
}

/// Returns a network on which all arrives at once, and its clock.
pub fn at_once() -> (Network, Clock) {
    (Network::new(), Clock::new())
}

impl Site {
    pub async fn connect(&self) -> Client {
        self.try_connect().await.unwrap()
    }

    /// Connects, if the server does not refuse that.
    pub async fn try_connect(&self) -> io::Result<Client> {
        Ok(Client {
            stream: self.network.connect(80).await?,
            rest: Vec::new(),
        })
    }

    pub async fn sleep(&self, millis: u64) {
        self.clock.sleep(Duration::from_millis(millis)).await;
    }
}

/// A client on a connection in memory.
pub struct Client {
    pub stream: Stream,
    /// Bytes that were read and not used.
    rest: Vec<u8>,
}

impl Client {
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Reads the next head, and the body that a length frames.
    pub async fn answer(&mut self) -> String {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        loop {
            let rest = text(&self.rest);
            if let Some((head, behind)) = rest.split_once("\r\n\r\n") {
                let length = head.split("\r\ncontent-length: ").nth(1);
                let length = length.map_or(0, |line| line.lines().next().unwrap().parse().unwrap());
                if behind.len() >= length {
                    return text(
                        &self
                            .rest
                            .drain(..head.len() + 4 + length)
                            .collect::<Vec<_>>(),
                    );
                }
            }
            assert!(self.more().await.unwrap() > 0, "not whole: {rest}");
        }
    }

    /// Reads to the end of the stream. Returns what has come.
    pub async fn end(&mut self) -> io::Result<String> {
        while self.more().await? > 0 {}
        Ok(String::from_utf8(std::mem::take(&mut self.rest)).unwrap())
    }

    /// Reads what is there, at most this many bytes.
    pub async fn read(&mut self, bytes: usize) -> io::Result<usize> {
        self.stream.read(&mut vec![0; bytes]).await
    }

    async fn more(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 4096];
        let bytes = self.stream.read(&mut buffer).await?;
        self.rest.extend_from_slice(&buffer[..bytes]);
        Ok(bytes)
    }
}
