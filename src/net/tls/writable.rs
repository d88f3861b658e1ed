//! Who waits until a socket takes bytes.

use std::sync::Arc;
use std::task::{Wake, Waker};

/// Who waits until a socket takes bytes.
///
/// The reactor has one waker for that. A bare socket needs no more: only who writes waits for it. Below TLS a
/// reader may wait for it too, if what TLS has to say was not taken at once. So both are woken, if there are
/// two. Who has ceased to wait may be woken in vain.
#[derive(Debug, Default)]
pub(super) struct Writable {
    wakers: [Option<Waker>; 2],
}

/// One of the two that may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waiter {
    Reader,
    Writer,
}

impl Waiter {
    fn other(self) -> Waiter {
        match self {
            Waiter::Reader => Waiter::Writer,
            Waiter::Writer => Waiter::Reader,
        }
    }
}

impl Writable {
    /// Notes that a task waits. Returns the waker for the reactor, and the one that was noted before, which is
    /// to be dropped outside of the lock: it may own anything.
    pub(super) fn enter(&mut self, waiter: Waiter, task: &Waker) -> (Waker, Option<Waker>) {
        let old = self.wakers[waiter as usize].replace(task.clone());
        let waker = match &self.wakers[waiter.other() as usize] {
            Some(other) if !other.will_wake(task) => {
                Waker::from(Arc::new(Both([task.clone(), other.clone()])))
            }
            _ => task.clone(),
        };
        (waker, old)
    }

    /// Notes that a task has ceased to wait, as the socket takes bytes. Returns its waker, and that of the other,
    /// which is to be woken: its waker is no longer with the reactor.
    pub(super) fn leave(&mut self, waiter: Waiter) -> [Option<Waker>; 2] {
        let own = self.wakers[waiter as usize].take();
        [own, self.wakers[waiter.other() as usize].take()]
    }
}

/// A waker that wakes two tasks.
struct Both([Waker; 2]);

impl Wake for Both {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.iter().for_each(Waker::wake_by_ref);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn whoever_waits_is_woken() {
        let counts = [Arc::new(Count::default()), Arc::new(Count::default())];
        let [reader, writer] = counts
            .each_ref()
            .map(|count| Waker::from(Arc::clone(count)));
        let woken = || {
            counts
                .each_ref()
                .map(|count| count.0.load(Ordering::Relaxed))
        };
        let mut writable = Writable::default();
        writable.enter(Waiter::Reader, &reader).0.wake();
        assert_eq!(woken(), [1, 0]);
        writable.enter(Waiter::Writer, &writer).0.wake();
        assert_eq!(woken(), [2, 1]);
        let [own, other] = writable.leave(Waiter::Reader).map(Option::unwrap);
        assert!(own.will_wake(&reader) && other.will_wake(&writer));
        writable.enter(Waiter::Reader, &reader).0.wake();
        assert_eq!(woken(), [3, 1]);
        assert!(writable.leave(Waiter::Reader)[1].is_none());
    }
}
