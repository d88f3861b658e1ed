//! What a connection is about to write.

use std::time::{Duration, Instant};

use ::http::StatusCode;
use bytes::Bytes;

use crate::http::access::Access;
use crate::http::socket::{BUFFER_SIZE, Socket, WriteBuffer};

/// How long an answer takes that is written at once.
const LONG: Duration = Duration::from_millis(1);

/// What a connection is about to write: whole answers, and behind them what is there of the present one.
///
/// A client that pipelines has many requests in the buffer at once. Their answers are gathered here, and
/// leave in one write. They leave before the connection waits for anything, and when they are as long as
/// a buffer, or one takes long to come. Only the turns that others have in between do not make them leave.
#[derive(Debug, Default)]
pub(super) struct Output {
    bytes: WriteBuffer,
    /// What comes behind them: a part of a body that is too long to be copied, and what ends it.
    tail: Bytes,
    tail_end: &'static [u8],
    /// How many bytes from the front were written.
    written: usize,
    /// How many bytes from the front are whole answers.
    whole: usize,
    /// Since when the peer takes no byte.
    stalled_since: Option<Instant>,
    /// When the last answer ended that could wait.
    last_end: Option<Instant>,
    /// The whole answers that are still to be counted and logged.
    gathered: Vec<Gathered>,
}

/// A whole answer that waits in the output, as far as it is counted or logged.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) status: StatusCode,
    /// Its record for the access log.
    pub(super) access: Option<Box<Access>>,
    /// How many bytes of the output, up to the end of the answer, are not written.
    pub(super) unsent: usize,
}

impl Output {
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.tail.is_empty()
    }

    /// Returns true if the answers are long enough to be written, or end with a part that nothing can be
    /// appended to.
    pub(super) fn is_full(&self) -> bool {
        !self.tail.is_empty() || self.bytes.len() >= BUFFER_SIZE
    }

    /// Puts a part of the present answer, at least one byte, behind the bytes. They are written before
    /// anything else is appended.
    pub(super) fn set_tail(&mut self, part: Bytes, end: &'static [u8]) {
        (self.tail, self.tail_end) = (part, end);
    }

    /// Returns the bytes, to append to.
    pub(super) fn bytes(&mut self) -> &mut WriteBuffer {
        &mut self.bytes
    }

    /// Begins an answer. Returns the bytes, to append to.
    pub(super) fn begin_answer(&mut self) -> &mut WriteBuffer {
        self.bytes.reserve();
        &mut self.bytes
    }

    /// Puts bytes in front of the present answer, of which nothing was written.
    pub(super) fn prepend(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            let whole = self.whole;
            self.bytes.splice(whole..whole, bytes.iter().copied());
        }
    }

    /// Ends the present answer: it is whole.
    pub(super) fn end_answer(&mut self) {
        self.whole = self.bytes.len();
    }

    /// Keeps the present answer, which is whole, until it is known whether it was written.
    pub(super) fn gather(&mut self, status: StatusCode, access: Option<Box<Access>>) {
        self.gathered.push(Gathered {
            status,
            access,
            unsent: self.whole,
        });
    }

    /// Returns the whole answers that were kept.
    pub(super) fn take_gathered(&mut self) -> Vec<Gathered> {
        let mut gathered = std::mem::take(&mut self.gathered);
        for answer in &mut gathered {
            answer.unsent = answer.unsent.saturating_sub(self.written);
        }
        gathered
    }

    /// Notes that an answer has ended that could wait. Returns false if answers take so long that none is
    /// to wait for the next.
    pub(super) fn may_gather(&mut self, now: Instant) -> bool {
        let last_end = self.last_end.replace(now);
        last_end.is_none_or(|last_end| now.saturating_duration_since(last_end) < LONG)
    }

    /// Drops the present answer, of which nothing was written.
    pub(super) fn drop_answer(&mut self) {
        self.bytes.truncate(self.whole);
        self.drop_tail();
    }

    /// Returns true if a part of the present answer was written.
    pub(super) fn has_begun_answer(&self) -> bool {
        self.written > self.whole
    }

    /// Returns what was not written yet; nothing at all if the first part is empty.
    pub(super) fn rest(&self) -> [&[u8]; 3] {
        let mut written = self.written;
        let mut parts = [&*self.bytes, &*self.tail, self.tail_end];
        for part in &mut parts {
            let of_part = written.min(part.len());
            *part = &part[of_part..];
            written -= of_part;
        }
        let empty = parts.iter().take_while(|part| part.is_empty()).count();
        parts.rotate_left(empty % 3);
        parts
    }

    /// Returns how many bytes were not written yet.
    pub(super) fn unsent(&self) -> u64 {
        let parts = self.rest().map(|part| part.len() as u64);
        parts.iter().sum()
    }

    fn drop_tail(&mut self) {
        (self.tail, self.tail_end) = (Bytes::new(), &[]);
    }

    /// Notes that n bytes were written. Returns how many more those are than there were here.
    pub(super) fn advance(&mut self, bytes: usize) -> usize {
        let all = self.bytes.len() + self.tail.len() + self.tail_end.len();
        let own = bytes.min(all - self.written);
        self.written += own;
        self.stalled_since = None;
        bytes - own
    }

    /// Notes that the peer takes no byte. Returns since when.
    pub(super) fn stall(&mut self, now: impl FnOnce() -> Instant) -> Instant {
        *self.stalled_since.get_or_insert_with(now)
    }

    /// Notes that the peer takes bytes again.
    pub(super) fn resume(&mut self) {
        self.stalled_since = None;
    }

    /// Returns true if the peer took no byte when it was last tried.
    pub(super) fn is_stalled(&self) -> bool {
        self.stalled_since.is_some()
    }

    /// Drops the bytes, which were written. The memory is kept for more of them.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.drop_tail();
        (self.written, self.whole) = (0, 0);
    }

    /// Drops the bytes, which were written, and gives the memory back.
    pub(super) fn release(&mut self) {
        self.bytes.release();
        self.drop_tail();
        (self.written, self.whole) = (0, 0);
    }

    /// Writes what is left of the whole answers, without waiting. Returns true if that is all of it, and
    /// nothing of the present one was written.
    pub(super) fn try_write_whole(&mut self, socket: &Socket) -> bool {
        while self.written < self.whole {
            match socket.try_write(&self.bytes[self.written..self.whole]) {
                Ok(bytes @ 1..) => self.written += bytes,
                Ok(0) | Err(_) => return false,
            }
        }
        self.written == self.whole
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use ::http::Response;
    use futures_lite::{AsyncReadExt, AsyncWriteExt, future};

    use super::*;
    use crate::group::Group;
    use crate::http::{Server, from_fn};
    use crate::net::memory::network::Network;
    use crate::net::memory::wire::{Operation, Side};
    use crate::time::clock::Clock;

    /// Sends as many requests at once, with answers of as many bytes. Returns how many writes the answers
    /// take, and how many bytes they have.
    fn writes(requests: usize, body: usize) -> (usize, usize) {
        let (network, clock) = (Network::with_capacity(1024 * 1024), Clock::new());
        let writes = Arc::new(AtomicUsize::new(0));
        let noted = Arc::clone(&writes);
        network.observe(move |side, operation| {
            let is_write = (side, operation) == (Side::Server, Operation::Write);
            noted.fetch_add(usize::from(is_write), Ordering::Relaxed);
        });
        let app = from_fn(move |_| async move { Response::new("x".repeat(body)) });
        let mut group = Group::new().clock(&clock);
        group.add("http", Server::new(app, network.listen(80)).into_service());
        let handle = group.handle();
        let client = async {
            let mut stream = network.connect(80).await.unwrap();
            let last = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
            let bytes = "GET / HTTP/1.1\r\nhost: a\r\n\r\n".repeat(requests - 1) + last;
            stream.write_all(bytes.as_bytes()).await.unwrap();
            let mut answers = String::new();
            stream.read_to_string(&mut answers).await.unwrap();
            assert_eq!(answers.matches("HTTP/1.1 200 ").count(), requests);
            handle.stop();
            answers.len()
        };
        let (ended, length) = clock.block_on(future::zip(group.run(), client));
        ended.unwrap();
        (writes.load(Ordering::Relaxed), length)
    }

    #[test]
    fn the_answers_to_many_requests_leave_in_few_writes() {
        assert_eq!(writes(1, 5).0, 1);
        assert_eq!(writes(50, 5).0, 1);
        // They leave when a buffer is full, and when all of what was read is answered.
        for (requests, body) in [(5000, 5), (200, 4000)] {
            let (writes, length) = writes(requests, body);
            let least = length / (2 * BUFFER_SIZE);
            let most = length / BUFFER_SIZE + 10;
            assert!(
                (least..=most).contains(&writes),
                "{writes} for {length} bytes"
            );
        }
    }

    /// Returns what arrives of one whole answer and half of another, and whether that is the whole one.
    fn arrives(capacity: usize, is_half_written: bool) -> io::Result<(Vec<u8>, bool)> {
        let network = Network::with_capacity(capacity);
        let mut listeners = network.listen(80).bind()?;
        let client = future::block_on(network.connect(80))?;
        let server = Socket::new(future::block_on(listeners.accept())?, None);
        let mut output = Output::default();
        output.begin_answer().extend_from_slice(b"whole");
        output.end_answer();
        output.begin_answer().extend_from_slice(b"half");
        if is_half_written {
            let written = server.try_write(output.rest()[0])?;
            output.advance(written);
        }
        let is_whole = output.try_write_whole(&server);
        let mut bytes = [0; 64];
        let arrived = client.try_read(&mut bytes)?;
        Ok((bytes[..arrived].to_vec(), is_whole))
    }

    #[test]
    fn a_cancel_sends_what_is_whole_and_nothing_behind_a_half() -> io::Result<()> {
        assert_eq!(arrives(64, false)?, (b"whole".to_vec(), true));
        assert_eq!(arrives(3, false)?, (b"who".to_vec(), false));
        assert_eq!(arrives(64, true)?, (b"wholehalf".to_vec(), false));
        Ok(())
    }
}
