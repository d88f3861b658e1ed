//! Buffers that a thread keeps for its next connections.

use std::cell::RefCell;
use std::thread::LocalKey;

/// The size of a buffer, in bytes: the most that is read at once.
pub(in crate::http) const BUFFER_SIZE: usize = 16 * 1024;
/// The most buffers that a pool keeps.
const KEPT: usize = 16;

/// The buffers that one thread keeps, all of one kind: at most 16.
pub(super) struct Pool(RefCell<Vec<Vec<u8>>>);

impl Pool {
    /// Makes an empty pool.
    pub(super) const fn new() -> Self {
        Self(RefCell::new(Vec::new()))
    }

    /// Takes a buffer, if there is one.
    pub(super) fn take(pool: &'static LocalKey<Self>) -> Option<Vec<u8>> {
        pool.with(|pool| pool.0.borrow_mut().pop())
    }

    /// Keeps a buffer, if there is room for it.
    pub(super) fn keep(pool: &'static LocalKey<Self>, bytes: Vec<u8>) {
        // While the thread ends there is no pool any more.
        let _ = pool.try_with(|pool| {
            let mut kept = pool.0.borrow_mut();
            if kept.len() < KEPT {
                kept.push(bytes);
            }
        });
    }
}
