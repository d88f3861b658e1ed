//! A clock that is moved by hand, and waits by it.

#[cfg(test)]
mod tests;

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::activity::Activity;
use super::advance::Advance;
#[cfg(feature = "http")]
use super::drive::GivenUp;
use super::drive::drive;
use super::nanos;
use super::schedule::Schedule;
use super::sleep::Sleep;

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
    schedule: Arc<Schedule>,
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
            schedule: Arc::new(Schedule::new()),
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
        self.schedule.now()
    }

    /// Moves the clock forward, and waits until everything due has run.
    ///
    /// The clock stops at the end of each sleep on the way: it wakes the one that sleeps, waits
    /// until the groups that go by this clock have come to rest, and goes on. One that sleeps for
    /// 5 seconds at a time has three turns in 15 seconds. Those that sleep until the same instant
    /// are woken one after the other, in the order in which they went to sleep. What the services
    /// do at the last instant is done too when this returns.
    ///
    /// A group has come to rest when each of its services, children, and what stops it, waits for
    /// something. This does not wait for anything else: for threads, sockets, the real time, or
    /// tasks that are of no group. A group counts from [`run`](crate::Group::run) on, and a nested
    /// one counts too.
    ///
    /// **As a statement**, which drops the future at once, it moves the clock at once, wakes all
    /// whose time has come, and waits for nothing. A test that polls a group by hand needs that.
    ///
    /// Of two calls the second moves the clock on from where the first one will have moved it. The
    /// clock stands still 584 years after it was made.
    ///
    /// It can be awaited within a service of the group as well. A service that never waits, or a
    /// group whose run is not polled, keeps it from returning.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future moves the clock the rest of the way at once.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::atomic::{AtomicU32, Ordering};
    /// use std::time::Duration;
    /// use futures_lite::future;
    /// use neap::Group;
    /// use neap::test::Clock;
    ///
    /// let (clock, turns) = (Clock::new(), AtomicU32::new(0));
    /// let mut group = Group::new().clock(&clock);
    /// let handle = group.handle();
    /// group.race("poller", async {
    ///     loop {
    ///         clock.sleep(Duration::from_secs(5)).await;
    ///         turns.fetch_add(1, Ordering::Relaxed);
    ///     }
    /// });
    /// let test = async {
    ///     clock.advance(Duration::from_secs(15)).await;
    ///     assert_eq!(turns.load(Ordering::Relaxed), 3);
    ///     handle.stop();
    /// };
    /// future::block_on(future::zip(group.run(), test)).0?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    ///
    /// As a statement:
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
    pub fn advance(&self, by: Duration) -> Advance {
        Advance::new(&self.schedule, nanos(by))
    }

    /// Runs a future on this thread, and moves the clock by itself.
    ///
    /// Whenever the future waits, and the groups that go by this clock have come to rest, the clock
    /// moves to the end of the next sleep: an hour takes no time, and what is due in it happens in its
    /// order. If nobody sleeps, it waits for what wakes the future from outside: another thread, a
    /// socket, the real time. It does not return before the future does.
    ///
    /// The clock may move while something outside is under way, a query of a database for example. A
    /// test in which no socket and no thread takes part has the same result in each run: see
    /// [`Network`](crate::test::Network).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use neap::Group;
    /// use neap::test::Clock;
    ///
    /// let clock = Clock::new();
    /// let mut group = Group::new().clock(&clock);
    /// let midnight = clock.sleep(Duration::from_secs(24 * 3600));
    /// group.add("nightly", |_| midnight);
    /// let outcome = clock.block_on(group.run())?;
    /// assert!(outcome.reports().next().unwrap().ended() >= Some(Duration::from_secs(24 * 3600)));
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        loop {
            if let Ok(output) = drive(&self.schedule, future.as_mut(), false) {
                return output;
            }
        }
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

    /// Does the same as [`block_on`](Clock::block_on), but gives up what would take for ever.
    ///
    /// # Errors
    ///
    /// The future waits and nobody sleeps, or it is woken again and again without a sleep.
    #[cfg(feature = "http")]
    pub(crate) fn try_block_on<F: Future>(&self, future: F) -> Result<F::Output, GivenUp> {
        drive(&self.schedule, pin!(future), true)
    }

    pub(super) fn sleep_until(&self, until: Option<Instant>) -> Sleep {
        Sleep::new(&self.schedule, until)
    }

    /// Returns the count of what is busy in the groups that go by this clock.
    pub(super) fn activity(&self) -> &Activity {
        &self.schedule.activity
    }
}

impl Default for Clock {
    fn default() -> Clock {
        Clock::new()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moved = self.schedule.moved();
        f.debug_struct("Clock").field("moved", &moved).finish()
    }
}
