//! A clock that is moved by hand, and waits by it.

#[cfg(test)]
mod tests;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use super::nanos;
use crate::sync::{AtomicU64, Event, EventListener, Ordering};

/// A clock that stands still until it is moved; see [`Group::clock`](crate::Group::clock).
///
/// Clones are the same clock.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use futures_lite::future;
/// use neap::test::Clock;
///
/// let clock = Clock::new();
/// let (start, asleep) = (clock.now(), clock.sleep(Duration::from_secs(3600)));
/// clock.advance(Duration::from_secs(3600));
/// future::block_on(asleep);
/// assert_eq!(clock.now() - start, Duration::from_secs(3600));
/// ```
#[derive(Clone)]
pub struct Clock {
    shared: Arc<ClockState>,
}

/// What the clones of a clock share.
struct ClockState {
    start: Instant,

    /// How far the clock was moved, in nanoseconds.
    moved: AtomicU64,

    /// Notified when the clock moves.
    sleepers: Event,
}

impl Clock {
    /// Makes a clock that shows the present time, and shows it until it is moved.
    ///
    /// # Examples
    ///
    /// ```
    /// use neap::test::Clock;
    ///
    /// let clock = Clock::new();
    /// assert_eq!(clock.now(), clock.now(), "it stands still");
    /// ```
    pub fn new() -> Clock {
        Clock {
            shared: Arc::new(ClockState {
                start: Instant::now(),
                moved: AtomicU64::new(0),
                sleepers: Event::new(),
            }),
        }
    }

    /// Returns the time that the clock shows.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use neap::test::Clock;
    ///
    /// let clock = Clock::new();
    /// let before = clock.now();
    /// clock.clone().advance(Duration::from_secs(1));
    /// assert_eq!(clock.now(), before + Duration::from_secs(1));
    /// ```
    pub fn now(&self) -> Instant {
        self.shared.start + Duration::from_nanos(self.shared.moved.load(Ordering::SeqCst))
    }

    /// Moves the clock forward and wakes those whose time has come.
    ///
    /// This does not wait until they have been polled. The clock stands still 584 years after it
    /// was made.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use neap::test::Clock;
    ///
    /// let clock = Clock::new();
    /// let before = clock.now();
    /// clock.advance(Duration::from_secs(60));
    /// clock.advance(Duration::from_secs(60));
    /// assert_eq!(clock.now() - before, Duration::from_secs(120));
    /// ```
    pub fn advance(&self, by: Duration) {
        let moved = |moved: u64| Some(moved.saturating_add(nanos(by)));
        let _ = self
            .shared
            .moved
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, moved);
        self.shared.sleepers.notify(usize::MAX);
    }

    /// Waits for this long by this clock.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use futures_lite::future;
    /// use neap::test::Clock;
    ///
    /// let clock = Clock::new();
    /// let mut asleep = clock.sleep(Duration::from_secs(3600));
    /// assert!(future::block_on(future::poll_once(&mut asleep)).is_none());
    /// clock.advance(Duration::from_secs(3600));
    /// future::block_on(asleep);
    /// ```
    pub fn sleep(&self, duration: Duration) -> Sleep {
        self.sleep_until(self.now().checked_add(duration))
    }

    pub(super) fn sleep_until(&self, until: Option<Instant>) -> Sleep {
        Sleep {
            clock: self.clone(),
            until,
            waiting: None,
        }
    }
}

impl Default for Clock {
    fn default() -> Clock {
        Clock::new()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moved = Duration::from_nanos(self.shared.moved.load(Ordering::SeqCst));
        f.debug_struct("Clock").field("moved", &moved).finish()
    }
}

/// The future of [`Clock::sleep`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Sleep {
    clock: Clock,
    /// `None` if it never ends.
    until: Option<Instant>,
    waiting: Option<EventListener>,
}

impl Sleep {
    /// Waits for another instant instead.
    pub(super) fn set_at(&mut self, at: Instant) {
        self.until = Some(at);
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        // Check, listen, check again, wait: a move in between is not missed.
        while this.until.is_none_or(|until| this.clock.now() < until) {
            match &mut this.waiting {
                Some(listener) => {
                    ready!(Pin::new(listener).poll(cx));
                    this.waiting = None;
                }
                None => this.waiting = Some(this.clock.shared.sleepers.listen()),
            }
        }
        this.waiting = None;
        Poll::Ready(())
    }
}
