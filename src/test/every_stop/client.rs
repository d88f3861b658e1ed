//! A client that goes through an exchange, and notes what it sees.

#[cfg(feature = "tls")]
use std::future::poll_fn;
use std::io;
use std::net::Shutdown;
use std::time::{Duration, Instant};

use futures_lite::{AsyncReadExt, AsyncWriteExt, future};

use super::answer::{Answer, AnswerHead};
use super::exchange::{Exchange, Step};
use crate::net::stream::Stream;
use crate::time::clock::Clock;

/// What a client has seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// How many requests it has sent whole.
    pub(super) asked: usize,
    /// The final answers, as far as they have come. All but the last are whole.
    pub(super) answers: Vec<Answer>,
    /// Whether it has left on its own before it had all answers.
    pub(super) has_left: bool,
    /// Whether the server has closed its side well.
    pub(super) is_over: bool,
    /// How long the connection had been idle when the server closed it, if the last request was on its
    /// way by then.
    pub(super) crossed_after: Option<Duration>,
    /// What has come behind an answer that closes the connection.
    pub(super) behind: Vec<u8>,
    /// Why the handshake of TLS has failed, if it has.
    pub(super) unshaken: Option<String>,
}

/// A client on one connection.
struct Client<'e> {
    stream: Stream,
    clock: &'e Clock,
    seen: Seen,
    /// Bytes that were read and belong to no answer yet.
    bytes: Vec<u8>,
    /// Whether each request that was begun and not answered is a HEAD.
    heads: Vec<bool>,
    /// Whether the connection has broken.
    is_broken: bool,
    /// How long what is sent is on its way.
    delay: Duration,
    /// Since when nothing was asked, and when the last request began.
    idle_since: Instant,
    asked_at: Option<Instant>,
    /// When the last pause began and ended.
    paused: [Instant; 2],
}

/// Goes through an exchange on a connection.
pub(super) async fn converse(stream: Stream, exchange: &Exchange, clock: &Clock) -> Seen {
    let mut client = Client {
        stream,
        clock,
        seen: Seen::default(),
        bytes: Vec::new(),
        heads: Vec::new(),
        is_broken: false,
        delay: exchange.delay,
        idle_since: clock.now(),
        asked_at: None,
        paused: [clock.now(); 2],
    };
    let is_sent = client.stream.write_all(&exchange.preamble).await.is_ok();
    if !exchange.preamble.is_empty() && (!is_sent || client.is_closed()) {
        client.seen.unshaken = Some("the preamble is not taken".into());
        return client.seen;
    }
    #[cfg(feature = "tls")]
    if let Some(tls) = &exchange.tls {
        client.stream = client.stream.with_tls_of(tls);
        let shaken = poll_fn(|cx| client.stream.poll_handshake(cx)).await;
        if let Err(error) = shaken {
            client.seen.unshaken = Some(error.to_string());
            return client.seen;
        }
    }
    let steps = &exchange.steps;
    for (at, step) in steps.iter().enumerate() {
        // The request is whole once nothing more of it is to be sent.
        let mut next = steps[at + 1..].iter();
        let next = next.find(|step| !matches!(step, Step::Pause(_)));
        let is_last_part = !matches!(next, Some(Step::Send(_) | Step::Continued));
        if !client.take_step(step, is_last_part).await {
            break;
        }
    }
    client.await_close().await;
    client.seen
}

impl Client<'_> {
    /// Takes one step. Returns false if it is the last.
    async fn take_step(&mut self, step: &Step, is_last_part: bool) -> bool {
        match step {
            // A client sees that the server has closed before it asks again.
            Step::Request(_) if self.is_closed() => false,
            Step::Request(bytes) => {
                self.heads.push(bytes.starts_with(b"HEAD "));
                self.asked_at = Some(self.clock.now());
                self.send(bytes, is_last_part).await
            }
            Step::Send(bytes) => self.send(bytes, is_last_part).await,
            Step::Continued => self.await_continue().await,
            Step::Answer(_) => self.await_answer().await,
            Step::Read(bytes) => self.read(*bytes).await,
            Step::Pause(time) => {
                let began = self.clock.now();
                self.clock.sleep(*time).await;
                self.paused = [began, self.clock.now()];
                true
            }
            Step::Finish => {
                self.seen.has_left = self.seen.answers.len() < self.heads.len();
                match self.stream.shutdown(Shutdown::Write) {
                    // Over TLS there is something to say before.
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        self.stream.close().await.is_ok()
                    }
                    closed => closed.is_ok(),
                }
            }
            Step::Idle => {
                while self.fill().await {}
                false
            }
            Step::Reset => {
                self.seen.has_left = true;
                drop(self.stream.reset_on_close());
                false
            }
        }
    }

    /// Returns true if the server has closed the connection.
    fn is_closed(&mut self) -> bool {
        let mut buffer = [0; 4096];
        match self.stream.try_read(&mut buffer) {
            Ok(0) => true,
            Ok(bytes) => {
                self.bytes.extend_from_slice(&buffer[..bytes]);
                false
            }
            Err(error) => error.kind() != io::ErrorKind::WouldBlock,
        }
    }

    /// Sends bytes, and reads meanwhile what comes. A connection that breaks amid leaves what has come of
    /// an answer to be read.
    async fn send(&mut self, mut bytes: &[u8], is_last_part: bool) -> bool {
        let (mut buffer, mut is_sent) = ([0; 4096], false);
        while !is_sent && !self.is_broken {
            let (stream, is_over) = (&self.stream, self.seen.is_over);
            let (mut writer, mut reader) = (stream, stream);
            let write = async {
                match bytes.is_empty() {
                    // Over TLS the network may not have taken all.
                    true => writer.flush().await.map(|()| 0).map_err(Err),
                    false => writer.write(bytes).await.map_err(Err),
                }
            };
            let read = async {
                match is_over {
                    true => std::future::pending().await,
                    false => Err(reader.read(&mut buffer).await),
                }
            };
            match future::or(write, read).await {
                Ok(written) => {
                    is_sent = bytes.is_empty();
                    bytes = &bytes[written..];
                }
                Err(read) => {
                    self.note_read(read, &buffer);
                }
            }
        }
        if !self.is_broken && is_last_part && self.heads.len() > self.seen.asked {
            self.seen.asked += 1;
        }
        // An answer may have come before the request was whole.
        true
    }

    /// Notes the result of a read. Returns whether bytes have come.
    fn note_read(&mut self, read: io::Result<usize>, buffer: &[u8]) -> bool {
        match read {
            Ok(0) => self.note_end(),
            Ok(bytes) => {
                self.bytes.extend_from_slice(&buffer[..bytes]);
                return true;
            }
            Err(_) => self.is_broken = true,
        }
        false
    }

    /// Notes that the server has closed its side. It has done so a delay ago, and the request arrives a
    /// delay after it was sent.
    fn note_end(&mut self) {
        let now = self.clock.now();
        let crosses = |asked_at| now < asked_at + 2 * self.delay;
        if !self.seen.is_over && self.asked_at.is_some_and(crosses) {
            self.seen.crossed_after = Some(now - self.idle_since);
        }
        self.seen.is_over = true;
    }

    /// Waits for `100 Continue`.
    async fn await_continue(&mut self) -> bool {
        loop {
            if let Some(head) = AnswerHead::parse(&self.bytes, false) {
                if head.status >= 200 {
                    self.await_answer().await;
                    return false;
                }
                self.bytes.drain(..head.length);
                return true;
            }
            if !self.fill().await {
                return false;
            }
        }
    }

    /// Waits for a final answer. Returns false if the connection does not go on after it.
    async fn await_answer(&mut self) -> bool {
        loop {
            let is_open = self.take_answer();
            if let Some(goes_on) = is_open {
                return goes_on;
            }
            if !self.fill().await {
                return self.take_answer().unwrap_or(false);
            }
        }
    }

    /// Takes the next answer from the bytes, if it is whole or will not become so. Returns whether the
    /// connection goes on after it.
    fn take_answer(&mut self) -> Option<bool> {
        let to_head = *self.heads.get(self.seen.answers.len())?;
        let head = AnswerHead::parse(&self.bytes, to_head)?;
        if head.status < 200 && head.status != 101 {
            self.bytes.drain(..head.length);
            return self.take_answer();
        }
        let (answer, used) = head.answer(&self.bytes, self.seen.is_over);
        let has_ended = self.seen.is_over || self.is_broken;
        if !answer.is_whole && !has_ended {
            return None;
        }
        self.bytes.drain(..used);
        let goes_on = answer.is_whole && !answer.closes;
        self.seen.answers.push(answer);
        // An answer that is there when a pause ends may have come while it lasted.
        let [paused_at, woken_at] = self.paused;
        self.idle_since = match self.clock.now() {
            now if now == woken_at => paused_at,
            now => now,
        };
        self.asked_at = None;
        Some(goes_on)
    }

    /// Waits for the end of the connection, if the last answer closes it.
    async fn await_close(&mut self) {
        let last = self.seen.answers.last();
        if last.is_some_and(|last| last.is_whole && last.closes && last.status != 101) {
            while self.fill().await {}
            self.seen.behind = std::mem::take(&mut self.bytes);
        }
    }

    /// Waits for this many bytes, and drops them.
    async fn read(&mut self, bytes: usize) -> bool {
        while self.bytes.len() < bytes {
            if !self.fill().await {
                // It may be whole with fewer.
                self.take_answer();
                return false;
            }
        }
        self.bytes.drain(..bytes);
        // The answer is not read to its end.
        self.seen.has_left = self.seen.answers.len() < self.heads.len();
        true
    }

    /// Reads some bytes. Returns false at the end of the stream, or if the connection is broken.
    async fn fill(&mut self) -> bool {
        let mut buffer = [0; 4096];
        let read = self.stream.read(&mut buffer).await;
        self.note_read(read, &buffer)
    }
}
