//! Copies of heads, many in one piece of memory.

use std::cell::RefCell;

use bytes::{Bytes, BytesMut};

/// How many bytes of heads share their memory: it is freed with the last of them.
const SHARED: usize = 4096;
/// The longest head that is copied there, in bytes.
const LONGEST: usize = SHARED / 4;

thread_local! {
    /// What is left of the memory that is being filled.
    static ROOM: RefCell<BytesMut> = RefCell::new(BytesMut::new());
}

/// Copies a head. One in some takes memory, not each.
pub(super) fn of(head: &[u8]) -> Bytes {
    if head.len() > LONGEST {
        return Bytes::copy_from_slice(head);
    }
    ROOM.with_borrow_mut(|room| {
        if room.capacity() < head.len() {
            *room = BytesMut::with_capacity(SHARED);
        }
        room.extend_from_slice(head);
        room.split().freeze()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_what_was_copied() {
        let heads: Vec<Vec<u8>> = (0..3000).map(|n| vec![n as u8; n * 7 % 1200]).collect();
        let copies: Vec<_> = heads.iter().map(|head| of(head)).collect();
        assert_eq!(copies, heads);
    }
}
