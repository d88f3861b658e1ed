//! A client that sends requests one after the other, and counts all that fail.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use compare::Failure;
use compare::response::{Expected, Reader};

use crate::tally::Tally;

/// The limit of a connect, and of each wait for a part of an answer. Longer than any balancer retries.
const PATIENCE: Duration = Duration::from_secs(30);
/// What `/hello` answers.
const HELLO: &[u8] = b"Hello World!";
/// How long the bodies are that are sent, in turn: one that goes with its head, one that a balancer has in
/// its buffer, and one that it does not.
const BODIES: [usize; 3] = [10, 3_000, 40_000];

/// What a client does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client {
    pub(crate) to: SocketAddr,
    /// Every second request is a POST if there are both.
    pub(crate) kinds: Kinds,
    /// A connection has many requests, not one.
    pub(crate) keeps_alive: bool,
    /// How long it waits between two requests.
    pub(crate) pause: Duration,
}

/// Which requests a client sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kinds {
    Get,
    Post,
    Both,
}

impl Client {
    /// Sends requests for as long as `goes_on` says.
    pub(crate) fn run(&self, mut goes_on: impl FnMut() -> bool) -> Tally {
        let (mut tally, mut kept, mut count) = (Tally::default(), None, 0);
        while goes_on() {
            let body = self.body(count);
            count += 1;
            let method = if body.is_some() { "POST" } else { "GET" };
            let began = Instant::now();
            let had_one = kept.is_some();
            match self.ask(&mut kept, body) {
                Ok(()) if body.is_some() => tally.posts += 1,
                Ok(()) => tally.gets += 1,
                Err(error) => {
                    let what = format!("{method}: {}", in_words(&*error));
                    *tally.failed.entry(what).or_default() += 1;
                    kept = None;
                }
            }
            tally.connections += u64::from(!had_one);
            tally.longest = tally.longest.max(began.elapsed());
            if !self.pause.is_zero() {
                thread::sleep(self.pause);
            }
        }
        tally
    }

    /// Returns how long the body of the next request is; `None` if that is a GET.
    fn body(&self, count: usize) -> Option<usize> {
        let is_post = match self.kinds {
            Kinds::Get => false,
            Kinds::Post => true,
            Kinds::Both => count % 2 == 1,
        };
        is_post.then(|| BODIES[count / 2 % BODIES.len()])
    }

    /// Sends a request, and reads its answer. Leaves in `kept` the connection, if it goes on.
    ///
    /// # Errors
    ///
    /// No connection could be made, or there was no whole answer with 200 and the body that is expected.
    fn ask(&self, kept: &mut Option<TcpStream>, body: Option<usize>) -> Result<(), Failure> {
        let mut stream = match kept.take() {
            Some(stream) => stream,
            None => self
                .connect()
                .map_err(|error| format!("connect: {error}"))?,
        };
        stream.write_all(&self.request(body))?;
        if !receive(&mut stream, body)? && self.keeps_alive {
            *kept = Some(stream);
        }
        Ok(())
    }

    fn connect(&self) -> io::Result<TcpStream> {
        loop {
            match TcpStream::connect_timeout(&self.to, PATIENCE) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    stream.set_read_timeout(Some(PATIENCE))?;
                    return Ok(stream);
                }
                // All ports of this machine are in use, which says nothing of the balancer.
                Err(error) if error.kind() == ErrorKind::AddrNotAvailable => {
                    thread::sleep(Duration::from_millis(1));
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn request(&self, body: Option<usize>) -> Vec<u8> {
        let close = match self.keeps_alive {
            true => "",
            false => "Connection: close\r\n",
        };
        let host = format!("Host: {}\r\n{close}", self.to);
        match body {
            None => format!("GET /hello HTTP/1.1\r\n{host}\r\n").into_bytes(),
            Some(length) => {
                let head = format!("POST /echo HTTP/1.1\r\n{host}Content-Length: {length}\r\n\r\n");
                let mut request = head.into_bytes();
                request.resize(request.len() + length, b'x');
                request
            }
        }
    }
}

/// Reads an answer to its end. Returns true if the connection ends with it.
fn receive(stream: &mut TcpStream, body: Option<usize>) -> Result<bool, Failure> {
    let mut reader = Reader::new(match body {
        None => Expected::Exactly(HELLO),
        Some(length) => Expected::Letters(length as u64),
    });
    let (mut buffer, mut begin, mut end) = ([0; 16 * 1024], 0, 0);
    loop {
        buffer.copy_within(begin..end, 0);
        (begin, end) = (0, end - begin);
        match stream.read(&mut buffer[end..])? {
            0 if end == 0 => return Err("closed without an answer".into()),
            0 => return Err("closed in the middle of an answer".into()),
            length => end += length,
        }
        let (taken, response) = reader.read(&buffer[begin..end])?;
        begin += taken;
        if let Some(response) = response {
            return Ok(response.close);
        }
    }
}

/// Says what failed, in the same words for what is the same.
fn in_words(error: &(dyn std::error::Error + Send + Sync + 'static)) -> String {
    match error.downcast_ref::<io::Error>().map(io::Error::kind) {
        Some(ErrorKind::WouldBlock | ErrorKind::TimedOut) => "no answer in time".into(),
        Some(kind) => kind.to_string(),
        None => error.to_string(),
    }
}
