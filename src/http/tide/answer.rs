//! What the connection asks of a response of `http_types`.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use ::http::{HeaderMap, StatusCode};
use futures_lite::{AsyncBufRead, AsyncRead, ready};
use http_types::{Response, Trailers, trailers};

use super::fields::append;
use super::piece::{LONGEST_READ, Piece};
use crate::executor::panic::catch;
use crate::http::codec::AnswerHead;
use crate::http::door::{Answer, Part};
use crate::http::socket::BUFFER_SIZE;
use crate::http::upgraded::HandOver;

/// Bytes that are there of a body are written from where they are if they are at least as many.
const MANY: usize = 4 * BUFFER_SIZE;
/// How many short reads there may be of a body that is read piece by piece. The first one is short if its
/// reader has a buffer of its own.
const SHORT_READS: u8 = 2;

/// Where a body comes from, as far as is known.
#[derive(Clone, Copy, Debug)]
enum Source {
    /// It may have many bytes in memory. It was pending, or not.
    Memory { was_pending: bool },

    /// It is waited for, and comes in large pieces: a file, for one.
    Elsewhere { short_reads: u8 },

    /// It comes in small parts.
    Parts,
}

/// A response of `http_types`, while it is sent.
#[derive(Debug)]
pub struct TideAnswer {
    /// With its body: taken out, it would leave a `Content-Type` behind in a response that has none.
    response: Response,
    length: Option<u64>,
    source: Source,
    /// What is read of a body from elsewhere.
    piece: Piece,
    /// What the last look [ahead](Answer::ahead) has come to, if there was nothing: the next part is the same.
    found: Option<Poll<io::Result<Part>>>,
    /// How many bytes are read at once, as many as come; none once the body has ended.
    read: usize,
    /// The trailers, if the handler has promised some, and they are awaited.
    trailers: Option<trailers::Receiver>,
}

impl From<Response> for TideAnswer {
    fn from(response: Response) -> Self {
        let length = response.len();
        let is_long = length.is_some_and(|length| length >= LONGEST_READ);
        Self {
            length: length.map(|length| length as u64),
            response,
            source: Source::Memory { was_pending: false },
            piece: Piece::default(),
            found: None,
            read: if is_long { LONGEST_READ } else { BUFFER_SIZE },
            trailers: None,
        }
    }
}

impl AnswerHead for TideAnswer {
    const IS_CHECKED: bool = false;

    fn status(&self) -> StatusCode {
        let status = StatusCode::from_u16(self.response.status().into());
        status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn length(&self) -> Option<u64> {
        self.length
    }

    fn visit_fields(&self, mut field: impl FnMut(&str, &[u8])) {
        for (name, values) in self.response.iter() {
            for value in values.iter() {
                field(name.as_str(), value.as_str().as_bytes());
            }
        }
    }
}

impl Answer for TideAnswer {
    fn has_upgrade(&self) -> bool {
        self.response.has_upgrade()
    }

    fn poll_part(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut Vec<u8>,
        most: usize,
    ) -> Poll<io::Result<Part>> {
        let this = self.get_mut();
        if let Some(found) = this.found.take() {
            return found;
        }
        let unsent = this.piece.unsent();
        if unsent.is_empty() {
            return this.poll_copied(cx, out, most);
        }
        let bytes = unsent.len().min(most);
        out.extend_from_slice(&unsent[..bytes]);
        this.piece.consume(bytes);
        Poll::Ready(Ok(Part::Copied(bytes)))
    }

    fn ahead(self: Pin<&mut Self>, cx: &mut Context<'_>) -> &[u8] {
        let this = self.get_mut();
        if matches!(this.found, Some(Poll::Ready(_))) {
            return &[];
        }
        this.found = None;
        if let Source::Memory { was_pending } = this.source {
            if this.has_many(was_pending, cx) {
                // They are there still: none was consumed.
                let there = Pin::new(&mut this.response).poll_fill_buf(cx);
                return match there {
                    Poll::Ready(Ok(bytes)) => bytes,
                    _ => &[],
                };
            }
        }
        if this.piece.unsent().is_empty() {
            this.poll_piece(cx);
        }
        this.piece.unsent()
    }

    fn consume(self: Pin<&mut Self>, bytes: usize) {
        let this = self.get_mut();
        match this.source {
            Source::Memory { .. } => Pin::new(&mut this.response).consume(bytes),
            Source::Elsewhere { .. } | Source::Parts => this.piece.consume(bytes),
        }
    }

    fn poll_trailers(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<HeaderMap>> {
        let this = &mut *self;
        if this.trailers.is_none() && this.response.has_trailers() {
            // `recv_trailers` panics if the handler has taken the receiver itself.
            this.trailers = catch(|| this.response.recv_trailers()).ok();
        }
        let Some(receiver) = &mut this.trailers else {
            return Poll::Ready(None);
        };
        let trailers = ready!(Pin::new(receiver).poll(cx));
        Poll::Ready(trailers.map(|trailers| to_map(&trailers)))
    }

    fn take_upgrade(mut self: Pin<&mut Self>) -> Option<HandOver> {
        // `send_upgrade` panics if the handler has taken the sender itself.
        let sender = catch(|| self.response.send_upgrade()).ok()?;
        Some(Box::new(|upgraded| {
            let upgraded = http_types::upgrade::Connection::new(upgraded);
            // The channel has room for its only message, so the send is ready at once.
            let _ = pin!(sender.send(upgraded)).poll(&mut Context::from_waker(Waker::noop()));
        }))
    }
}

impl TideAnswer {
    /// Returns true if the body has many bytes in memory, and notes otherwise where it comes from.
    fn has_many(&mut self, was_pending: bool, cx: &mut Context<'_>) -> bool {
        match Pin::new(&mut self.response).poll_fill_buf(cx) {
            Poll::Ready(Ok(bytes)) if bytes.len() >= MANY => return true,
            Poll::Ready(Ok(_)) if was_pending => {
                self.source = Source::Elsewhere { short_reads: 0 };
                self.piece = Piece::new(self.response.len().unwrap_or(LONGEST_READ));
            }
            Poll::Ready(Ok(_)) => self.source = Source::Parts,
            Poll::Ready(Err(error)) => self.found = Some(Poll::Ready(Err(error))),
            Poll::Pending => {
                self.source = Source::Memory { was_pending: true };
                self.found = Some(Poll::Pending);
            }
        }
        false
    }

    /// Reads a piece of a body that comes in pieces.
    fn poll_piece(&mut self, cx: &mut Context<'_>) {
        let Source::Elsewhere { short_reads } = self.source else {
            self.piece = Piece::default();
            return;
        };
        let read = self.piece.poll_read(Pin::new(&mut self.response), cx);
        self.found = match read {
            Poll::Ready(Ok((0, _))) => Some(Poll::Ready(Ok(self.end()))),
            Poll::Ready(Ok((_, true))) => None,
            Poll::Ready(Ok((_, false))) => {
                self.source = match short_reads + 1 {
                    SHORT_READS.. => Source::Parts,
                    short_reads => Source::Elsewhere { short_reads },
                };
                None
            }
            Poll::Ready(Err(error)) => Some(Poll::Ready(Err(error))),
            Poll::Pending => Some(Poll::Pending),
        };
    }

    /// Reads a part into the output.
    fn poll_copied(
        &mut self,
        cx: &mut Context<'_>,
        out: &mut Vec<u8>,
        most: usize,
    ) -> Poll<io::Result<Part>> {
        if self.read == 0 {
            return Poll::Ready(Ok(Part::End));
        }
        let most = most.min(self.read);
        let start = out.len();
        out.resize(start + most, 0);
        let read = Pin::new(&mut self.response).poll_read(cx, &mut out[start..]);
        let bytes = match read {
            Poll::Ready(Ok(bytes)) => bytes,
            Poll::Ready(Err(_)) | Poll::Pending => 0,
        };
        out.truncate(start + bytes);
        ready!(read)?;
        // What is read into is cleared before.
        if bytes == self.read {
            self.read = (2 * self.read).min(LONGEST_READ);
        } else if bytes < most / 4 {
            self.read = (self.read / 2).max(BUFFER_SIZE);
        }
        Poll::Ready(Ok(match bytes {
            0 => self.end(),
            bytes => Part::Copied(bytes),
        }))
    }

    /// Notes that the body has ended: it is not read again while the trailers are awaited.
    fn end(&mut self) -> Part {
        self.read = 0;
        Part::End
    }
}

/// Copies trailers.
fn to_map(trailers: &Trailers) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, values) in trailers.iter() {
        for value in values.iter() {
            append(&mut map, name.as_str(), value.as_str().as_bytes());
        }
    }
    map
}

#[cfg(test)]
mod tests {
    use std::ops::RangeInclusive;
    use std::sync::{Arc, Mutex};

    use futures_lite::io::BufReader;

    use super::*;

    /// A body that comes as it happens: in parts of any length, pending in between.
    struct Scripted {
        bytes: Vec<u8>,
        taken: usize,
        /// How many of the next bytes are there.
        there: usize,
        parts: RangeInclusive<usize>,
        random: fastrand::Rng,
        /// How many bytes each read has asked for.
        asked: Arc<Mutex<Vec<usize>>>,
    }

    impl Scripted {
        fn new(bytes: Vec<u8>, parts: RangeInclusive<usize>, random: &mut fastrand::Rng) -> Self {
            Self {
                bytes,
                taken: 0,
                there: 0,
                parts,
                random: random.fork(),
                asked: Arc::default(),
            }
        }
    }

    impl AsyncRead for Scripted {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            out: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            self.asked.lock().unwrap().push(out.len());
            let there = ready!(self.as_mut().poll_fill_buf(cx))?;
            let bytes = there.len().min(out.len());
            out[..bytes].copy_from_slice(&there[..bytes]);
            self.consume(bytes);
            Poll::Ready(Ok(bytes))
        }
    }

    impl AsyncBufRead for Scripted {
        fn poll_fill_buf(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
            let this = self.get_mut();
            let left = this.bytes.len() - this.taken;
            if this.there == 0 && left > 0 {
                if this.random.bool() {
                    return Poll::Pending;
                }
                this.there = this.random.usize(this.parts.clone()).min(left);
            }
            Poll::Ready(Ok(&this.bytes[this.taken..][..this.there]))
        }

        fn consume(mut self: Pin<&mut Self>, bytes: usize) {
            self.taken += bytes;
            self.there -= bytes;
        }
    }

    /// Sends a body as a connection does, to a socket that takes as many bytes as it happens. Returns what
    /// was sent of it.
    fn send(body: Scripted, length: usize, random: &mut fastrand::Rng) -> Vec<u8> {
        let mut response = Response::new(200);
        response.set_body(match random.bool() {
            true => http_types::Body::from_reader(BufReader::new(body), Some(length)),
            false => http_types::Body::from_reader(body, Some(length)),
        });
        let mut answer = pin!(TideAnswer::from(response));
        let (mut sent, cx) = (Vec::new(), &mut Context::from_waker(Waker::noop()));
        while sent.len() < length {
            while length - sent.len() >= MANY {
                let ahead = answer.as_mut().ahead(cx);
                if ahead.is_empty() {
                    break;
                }
                let taken = random.usize(1..=ahead.len());
                sent.extend_from_slice(&ahead[..taken]);
                answer.as_mut().consume(taken);
            }
            let (start, most) = (sent.len(), length - sent.len());
            match answer.as_mut().poll_part(cx, &mut sent, most) {
                Poll::Ready(Ok(Part::Copied(bytes))) => assert_eq!(sent.len(), start + bytes),
                Poll::Ready(Ok(Part::End)) => break,
                Poll::Pending => assert_eq!(sent.len(), start),
                other => unreachable!("{other:?}"),
            }
        }
        sent
    }

    #[test]
    fn a_body_is_sent_as_it_is_however_it_comes() {
        let seed = fastrand::u64(..);
        let mut random = fastrand::Rng::with_seed(seed);
        for round in 0..100 {
            let length = random.usize(1..600_000);
            // Some are shorter than they said.
            let comes = random.choice([length, length, length / 2]).unwrap();
            let mut bytes = vec![0; comes];
            random.fill(&mut bytes);
            let longest = 1 << random.u32(8..20);
            let body = Scripted::new(bytes.clone(), 1..=longest, &mut random);
            let sent = send(body, length, &mut random);
            assert!(
                sent == bytes,
                "round {round} of seed {seed}, {length} bytes"
            );
        }
    }

    #[test]
    fn a_file_is_read_in_large_pieces() {
        let length = 100 * LONGEST_READ;
        let mut random = fastrand::Rng::with_seed(7);
        let file = LONGEST_READ..=LONGEST_READ;
        let body = Scripted::new(vec![1; length], file, &mut random);
        let asked = Arc::clone(&body.asked);
        send(body, length, &mut random);
        let asked = asked.lock().unwrap();
        // The first read is that of the file's own buffer.
        let small = asked.iter().filter(|&&bytes| bytes < LONGEST_READ).count();
        assert!(asked.len() >= 100 && small <= 4, "{asked:?}");
    }
}
