//! A clock that is moved by hand, and waits by it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use async_io::Timer;
use event_listener::{Event, EventListener};

use crate::hub::nanos;

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
    face: Arc<Face>,
}

struct Face {
    start: Instant,

    /// How far it was moved, in nanoseconds.
    moved: AtomicU64,

    /// Those who wait for it to move.
    sleepers: Event,
}

impl Clock {
    /// Makes a clock that shows the present time, and goes on doing so.
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
            face: Arc::new(Face {
                start: Instant::now(),
                moved: AtomicU64::new(0),
                sleepers: Event::new(),
            }),
        }
    }

    /// The time that it shows.
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
        self.face.start + Duration::from_nanos(self.face.moved.load(Ordering::SeqCst))
    }

    /// Moves it forward, and wakes those whose time has come.
    ///
    /// What they do then, they do when they are polled: this does not wait for it.
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
        self.face.moved.fetch_add(nanos(by), Ordering::SeqCst);
        self.face.sleepers.notify(usize::MAX);
    }

    /// Waits for so long by this clock.
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
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, until: Instant) -> Sleep {
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
        let moved = Duration::from_nanos(self.face.moved.load(Ordering::SeqCst));
        f.debug_struct("Clock").field("moved", &moved).finish()
    }
}

/// The future of [`Clock::sleep`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Sleep {
    clock: Clock,
    until: Instant,
    waiting: Option<EventListener>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        // Looked at, listened for, and looked at again: a move in between is not missed.
        while this.clock.now() < this.until {
            match &mut this.waiting {
                Some(listener) => {
                    ready!(Pin::new(listener).poll(cx));
                    this.waiting = None;
                }
                None => this.waiting = Some(this.clock.face.sleepers.listen()),
            }
        }
        this.waiting = None;
        Poll::Ready(())
    }
}

/// A wait for an instant, by the clock of a group: the real one, or one that is moved by hand.
pub(crate) enum Alarm {
    Real(Timer),
    ByHand(Sleep),
}

impl Alarm {
    pub(crate) fn new(clock: Option<&Clock>, at: Instant) -> Alarm {
        match clock {
            None => Alarm::Real(Timer::at(at)),
            Some(clock) => Alarm::ByHand(clock.sleep_until(at)),
        }
    }

    /// Waits for another instant instead.
    pub(crate) fn set_at(&mut self, at: Instant) {
        match self {
            Alarm::Real(timer) => timer.set_at(at),
            Alarm::ByHand(sleep) => sleep.until = at,
        }
    }
}

impl Future for Alarm {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match &mut *self {
            Alarm::Real(timer) => Pin::new(timer).poll(cx).map(drop),
            Alarm::ByHand(sleep) => Pin::new(sleep).poll(cx),
        }
    }
}
