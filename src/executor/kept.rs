//! What the spawn function of the user returned, kept until the task ends.
//!
//! Some executors cancel a task when its handle is dropped, and others let it go on. A handle that
//! is kept until the task has ended is right for both.

use std::sync::Arc;

use super::panic::catch;
use crate::sync::{Mutex, lock};

/// Where the handle of a task is kept. The spawn function may return it when the task has ended on
/// another thread already.
pub(crate) struct Kept<R> {
    handle: Mutex<Handle<R>>,
}

/// How far the handle is.
enum Handle<R> {
    /// The spawn function has not returned.
    Awaited,

    Kept(R),

    /// The task has ended: the handle is not needed any more.
    Unneeded,
}

impl<R> Kept<R> {
    pub(super) fn new() -> Kept<R> {
        Kept {
            handle: Mutex::new(Handle::Awaited),
        }
    }

    /// Keeps the handle; drops it if the task has ended.
    pub(super) fn keep(&self, handle: R) {
        let mut handle = Some(handle);
        if let kept @ Handle::Awaited = &mut *lock(&self.handle) {
            if let Some(handle) = handle.take() {
                *kept = Handle::Kept(handle);
            }
        }
        // What was not kept is dropped here, and not under the lock.
    }
}

/// What a task knows of its handle.
pub trait Keep {
    /// Drops the handle, as the task has ended.
    fn release(&self);
}

impl<R> Keep for Kept<R> {
    fn release(&self) {
        let handle = std::mem::replace(&mut *lock(&self.handle), Handle::Unneeded);
        // Dropped outside the lock, and a panic of it ends here: the task has ended well.
        let _ = catch(|| drop(handle));
    }
}

/// Releases the handle of a task when it is dropped.
pub(super) struct Release<K: Keep + ?Sized>(Arc<K>);

impl<K: Keep + ?Sized> Release<K> {
    pub(super) fn new(kept: Arc<K>) -> Release<K> {
        Release(kept)
    }
}

impl<K: Keep + ?Sized> Drop for Release<K> {
    fn drop(&mut self) {
        self.0.release();
    }
}
