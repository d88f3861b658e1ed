//! What one client does, and sees.

use std::cell::Cell;
use std::time::{Duration, Instant};

use futures_lite::future;
use neap::net::Endpoint;
use neap::test::{Clock, Network};

use crate::plan::{ClientPlan, Leave, Out, Plan, Request, Sent};
use crate::wire::{Head, Reader, Seen, Sender, ends};

/// The most chunks of a body that has no end.
const MOST_CHUNKS: usize = 60;

/// The most of these chunks behind the answer.
const CHUNKS_BEHIND: usize = 50;

/// One connection, as its client has seen it.
#[derive(Debug, Default)]
pub struct Connection {
    pub server: usize,
    /// Where it comes from, for the server.
    pub peer: Option<Endpoint>,
    pub opened: Option<Instant>,
    pub sent: u64,
    pub read: u64,
    pub is_reset: bool,
    /// The client has left before it has seen the end.
    pub has_left: bool,
    /// A head in part was sent.
    pub in_head: bool,
    /// Bytes behind the last answer.
    pub extra: usize,
    pub results: Vec<Result>,
    /// Requests that were sent by a client that did not wait for what comes of them.
    pub unknown: Vec<usize>,
}

/// What has come of a request.
#[derive(Debug)]
pub struct Result {
    pub number: usize,
    pub seen: Seen,
    /// When it was begun to be sent, and when its answer was whole.
    pub sent_at: Instant,
    pub at: Instant,
    /// What has come of the bytes behind a 101.
    pub echoed: usize,
}

pub struct Client<'a> {
    pub plan: &'a Plan,
    pub own: &'a ClientPlan,
    pub network: Network,
    pub clock: Clock,
    pub done: Vec<Connection>,
}

struct Open {
    sender: Sender,
    reader: Reader,
    connection: Connection,
}

impl Client<'_> {
    async fn sleep(&self, millis: u64) {
        self.clock.sleep(Duration::from_millis(millis)).await;
    }

    pub async fn run(mut self) -> Vec<Connection> {
        self.sleep(self.own.start).await;
        let mut open = None;
        let count = self.own.batches.len();
        for (at, batch) in self.own.batches.iter().enumerate() {
            let is_last = at + 1 == count;
            let Some(mut now) = self.connected(open.take()).await else {
                return self.done;
            };
            let leaves = matches!(self.own.leave, Leave::Gone(_) | Leave::InBody(_));
            if is_last && leaves {
                self.leave(now, batch).await;
                return self.done;
            }
            match self.ask(&mut now, batch).await {
                true => open = Some(now),
                false => self.finish(now).await,
            }
            self.sleep(self.own.pause).await;
        }
        let Some(mut open) = open else {
            return self.done;
        };
        if let Leave::InHead(after) = self.own.leave {
            open.sender.send(b"GET /0 HTT").await;
            self.sleep(after).await;
            (open.connection.in_head, open.connection.has_left) = (true, true);
        }
        self.note(open);
        self.done
    }

    async fn connected(&self, open: Option<Open>) -> Option<Open> {
        if open.is_some() {
            return open;
        }
        let port = 80 + self.own.server as u16;
        let stream = self.network.connect(port).await.ok()?;
        let mut peer = stream.local_addr().clone();
        let (mut sender, reader) = ends(stream);
        if self.plan.settings.is_proxied {
            introduce(&mut sender, &mut peer).await;
        }
        let connection = Connection {
            peer: Some(peer),
            server: self.own.server,
            opened: Some(self.clock.now()),
            ..Connection::default()
        };
        Some(Open {
            sender,
            reader,
            connection,
        })
    }

    /// Notes what was seen of a connection, and drops it.
    fn note(&mut self, open: Open) {
        let Open {
            sender,
            reader,
            mut connection,
        } = open;
        (connection.sent, connection.read) = (sender.sent, reader.read);
        connection.is_reset = reader.is_reset();
        self.done.push(connection);
    }

    /// Reads to the end.
    async fn finish(&mut self, mut open: Open) {
        open.connection.extra = open.reader.finish().await;
        self.note(open);
    }

    /// Sends requests, or a part of them, and leaves without an answer.
    async fn leave(&mut self, mut open: Open, batch: &[usize]) {
        let (Leave::Gone(after) | Leave::InBody(after)) = self.own.leave else {
            return;
        };
        let in_body = matches!(self.own.leave, Leave::InBody(_));
        let mut bytes = Vec::new();
        for (at, number) in batch.iter().enumerate() {
            let mut request = head(*number, &self.plan.requests[*number]);
            if in_body && at + 1 == batch.len() {
                request =
                    format!("POST /{number} HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nabc");
            }
            bytes.extend_from_slice(request.as_bytes());
        }
        open.connection.unknown = batch.to_vec();
        open.connection.has_left = true;
        let send = async {
            open.sender.send(&bytes).await;
            future::pending::<()>().await;
        };
        future::or(send, self.sleep(after)).await;
        self.note(open);
    }

    /// Sends requests at once and reads their answers. Returns true if more can be asked.
    async fn ask(&self, open: &mut Open, batch: &[usize]) -> bool {
        let Open {
            sender,
            reader,
            connection,
        } = open;
        // Whether the last request is asked for its body, and whether it is answered.
        let (asked, answered) = (Cell::new(false), Cell::new(None));
        let sent_at = self.clock.now();
        let send = async {
            for number in batch {
                let request = &self.plan.requests[*number];
                if !sender.send(head(*number, request).as_bytes()).await
                    || !self.send_body(sender, request, &asked, &answered).await
                {
                    return;
                }
            }
        };
        let read = async {
            for number in batch {
                let is_head = self.plan.requests[*number].method == "HEAD";
                let seen = loop {
                    match reader.answer(is_head).await {
                        Seen::Whole(head, _) if head.status == 100 => asked.set(true),
                        seen => break seen,
                    }
                };
                let goes_on = matches!(&seen, Seen::Whole(head, _) if !ends_connection(head, &self.plan.requests[*number]));
                if Some(number) == batch.last() || !goes_on {
                    answered.set(Some(goes_on));
                }
                connection.results.push(Result {
                    number: *number,
                    seen,
                    sent_at,
                    at: self.clock.now(),
                    echoed: 0,
                });
                if !goes_on {
                    return false;
                }
            }
            true
        };
        let (_, goes_on) = future::zip(send, read).await;
        if let Some(last) = connection.results.last_mut() {
            if let (Seen::Whole(Head { status: 101, .. }, _), Out::Upgrade(bytes)) =
                (&last.seen, self.plan.requests[last.number].handler.out)
            {
                let echo = vec![b'e'; bytes];
                let sending = async {
                    sender.send(&echo).await;
                };
                last.echoed = future::zip(sending, reader.take(bytes)).await.1;
                return false;
            }
        }
        goes_on
    }

    /// Sends the body of a request. Returns false if the rest is not taken, or not wanted.
    async fn send_body(
        &self,
        sender: &mut Sender,
        request: &Request,
        asked: &Cell<bool>,
        answered: &Cell<Option<bool>>,
    ) -> bool {
        while request.expects && !asked.get() {
            if answered.get().is_some() {
                return false;
            }
            self.sleep(1).await;
        }
        match request.body {
            Sent::None | Sent::Bad => true,
            Sent::Length(length) => sender.send(&vec![b'b'; length]).await,
            Sent::Chunks(chunks, length) => {
                let chunk = format!("{length:x}\r\n{}\r\n", "c".repeat(length));
                let body = chunk.repeat(chunks) + "0\r\n\r\n";
                sender.send(body.as_bytes()).await
            }
            Sent::Endless(apart) => {
                let mut left = MOST_CHUNKS;
                while left > 0 {
                    left -= 1;
                    match answered.get() {
                        // What comes behind the answer is read away.
                        Some(true) => left = left.min(CHUNKS_BEHIND),
                        Some(false) => return false,
                        None => {}
                    }
                    if !sender.send(b"1\r\nx\r\n").await {
                        return false;
                    }
                    self.sleep(apart).await;
                }
                sender.send(b"0\r\n\r\n").await
            }
        }
    }
}

/// Returns true if nothing can follow this answer.
pub fn ends_connection(head: &Head, request: &Request) -> bool {
    head.closes || head.status == 101 || request.is_http10 && !head.keeps
}

fn head(number: usize, request: &Request) -> String {
    let version = if request.is_http10 { "1.0" } else { "1.1" };
    let mut head = format!("{} /{number} HTTP/{version}\r\nhost: a\r\n", request.method);
    if request.closes {
        head += "connection: close\r\n";
    }
    if request.expects {
        head += "expect: 100-continue\r\n";
    }
    if let Out::Upgrade(_) = request.handler.out {
        head += "connection: upgrade\r\nupgrade: echo\r\n";
    }
    match request.body {
        Sent::None => {}
        Sent::Length(length) => head += &format!("content-length: {length}\r\n"),
        Sent::Chunks(..) | Sent::Endless(_) => head += "transfer-encoding: chunked\r\n",
        Sent::Bad => head += "content-length: x\r\n",
    }
    head + "\r\n"
}

/// Sends a PROXY header that names a client of the same port elsewhere.
async fn introduce(sender: &mut Sender, peer: &mut Endpoint) {
    let port = peer.tcp().unwrap().port();
    let header = match port % 2 {
        0 => format!("PROXY TCP4 192.0.2.1 198.51.100.1 {port} 443\r\n").into_bytes(),
        _ => {
            let mut header =
                b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x10\xC0\x00\x02\x01\xC6\x33\x64\x01".to_vec();
            header.extend_from_slice(&port.to_be_bytes());
            header.extend_from_slice(b"\x01\xBB\xE0\x00\x01x");
            header
        }
    };
    *peer = Endpoint::Tcp(([192, 0, 2, 1], port).into());
    sender.send(&header).await;
}
