//! Memory for bytes in flight, lent by the thread.

use std::cell::RefCell;

/// The size of a buffer, in bytes: what is read at once.
pub(super) const SIZE: usize = 16 * 1024;
/// How many buffers of each kind a thread keeps for the next connection: 512 KiB at most.
const KEPT: usize = 16;

thread_local! {
    /// Buffers to read into: [`SIZE`] bytes, all initialised.
    static READING: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
    /// Buffers to write from: empty, of some capacity.
    static WRITING: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Bytes that were read and not used yet.
///
/// An empty one holds no memory: an idle connection costs none, a busy one takes what the last
/// request on this thread has left.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    /// Empty, or initialised throughout.
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Buffer {
    /// What was read.
    pub(super) fn filled(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }

    /// Room to read into: empty once `limit` bytes, at least [`SIZE`], wait to be used.
    pub(super) fn space(&mut self, limit: usize) -> &mut [u8] {
        if self.bytes.is_empty() {
            let kept = READING.with_borrow_mut(Vec::pop);
            self.bytes = kept.unwrap_or_else(|| vec![0; SIZE]);
        }
        if self.end == self.bytes.len() {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            if self.end == self.bytes.len() && self.end < limit {
                let larger = (2 * self.end).min(limit);
                self.bytes.resize(larger, 0);
            }
        }
        &mut self.bytes[self.end..]
    }

    /// Tells that so many bytes were read into the room.
    pub(super) fn read(&mut self, bytes: usize) {
        self.end += bytes;
    }

    /// Drops so many bytes from the front. The memory goes back with the last one.
    pub(super) fn consume(&mut self, bytes: usize) {
        self.start += bytes;
        if self.is_empty() {
            self.release();
        }
    }

    /// Drops everything and gives the memory back.
    pub(super) fn release(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        (self.start, self.end) = (0, 0);
        if bytes.len() == SIZE {
            keep(&READING, bytes);
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.release();
    }
}

/// Takes a buffer to write from.
pub(super) fn writing() -> Vec<u8> {
    WRITING.with_borrow_mut(Vec::pop).unwrap_or_default()
}

/// Gives a buffer back that was written from.
pub(super) fn written(mut bytes: Vec<u8>) {
    // What one large response has needed is not kept for good.
    if bytes.capacity() <= 2 * SIZE {
        bytes.clear();
        keep(&WRITING, bytes);
    }
}

fn keep(kept: &'static std::thread::LocalKey<RefCell<Vec<Vec<u8>>>>, bytes: Vec<u8>) {
    // While the thread ends there is nobody to keep it for.
    let _ = kept.try_with(|kept| {
        let mut kept = kept.borrow_mut();
        if kept.len() < KEPT {
            kept.push(bytes);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_up_to_its_limit_and_holds_nothing_when_empty() {
        let mut buffer = Buffer::default();
        let limit = 3 * SIZE;
        let mut total = 0;
        while let space @ 1.. = buffer.space(limit).len() {
            buffer.read(space);
            total += space;
        }
        assert_eq!((total, buffer.len()), (limit, limit));
        buffer.consume(limit - 1);
        assert_eq!(buffer.space(limit).len(), limit - 1);
        buffer.consume(1);
        assert!(buffer.is_empty() && buffer.bytes.is_empty());
        assert_eq!(buffer.space(limit).len(), SIZE);
    }
}
