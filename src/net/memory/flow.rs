//! The bytes that are on their way to one end of a connection.

use std::collections::VecDeque;
use std::task::Waker;
use std::time::Instant;

/// The bytes that are on their way to one end, and those that have arrived and were not read.
#[derive(Default)]
pub(super) struct Flow {
    /// Bytes, and when they arrive.
    segments: VecDeque<(Instant, VecDeque<u8>)>,
    /// How many bytes these are.
    length: usize,
    /// When the end of the stream arrives, if the writer has ended it.
    pub(super) ended: Option<Instant>,
    /// Whether the end that reads was closed.
    pub(super) is_abandoned: bool,
    pub(super) reader: Option<Waker>,
    pub(super) writer: Option<Waker>,
}

impl Flow {
    /// Returns how many bytes were written and not read.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// Adds bytes that arrive at this time. Those of the same time are one segment.
    pub(super) fn write(&mut self, bytes: &[u8], arrival: Instant) {
        self.length += bytes.len();
        match self.segments.back_mut() {
            Some((last, segment)) if *last == arrival => segment.extend(bytes),
            _ if bytes.is_empty() => {}
            _ => self
                .segments
                .push_back((arrival, bytes.iter().copied().collect())),
        }
    }

    /// Takes bytes that have arrived, as many as `out` takes. Returns their number.
    pub(super) fn read(&mut self, out: &mut [u8], now: Instant) -> usize {
        let mut read = 0;
        while let Some((_, segment)) = self.segments.front_mut().filter(|(at, _)| *at <= now) {
            let bytes = segment.len().min(out.len() - read);
            for (place, byte) in out[read..].iter_mut().zip(segment.drain(..bytes)) {
                *place = byte;
            }
            read += bytes;
            if !segment.is_empty() {
                break;
            }
            self.segments.pop_front();
        }
        self.length -= read;
        read
    }

    /// Returns true if all bytes were read, and the end has arrived.
    pub(super) fn has_ended(&self, now: Instant) -> bool {
        self.length == 0 && self.ended.is_some_and(|ended| ended <= now)
    }

    /// Returns when there is something to read: bytes, or the end.
    pub(super) fn next_arrival(&self) -> Option<Instant> {
        let first = self.segments.front().map(|(at, _)| *at);
        first.or(self.ended)
    }

    /// Ends the stream; the end arrives at this time. Returns who waits for that.
    pub(super) fn end(&mut self, arrival: Instant) -> impl Iterator<Item = Waker> + use<> {
        self.ended.get_or_insert(arrival);
        self.reader.take().into_iter().chain(self.writer.take())
    }
}
