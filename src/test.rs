//! A kit for testing services, and groups of them, without waiting and without luck.
//!
//! - A stop is injected as any stream of causes: [`Group::stop_on`](crate::Group::stop_on) takes
//!   the receiver of a channel as well as signals, and the second item cancels as a second signal
//!   does. No signal is raised, so tests can run side by side.
//! - A [`Clock`] is moved by hand: a drain of ten seconds is over when the test says so.
//! - A [`Recorder`] writes down what becomes of the services, in order.
//!
//! All of it is per group. A group that has neither pays one load for each question.
//!
//! # Examples
//!
//! A service that does not end in time, in no time:
//!
//! ```
//! use std::future::pending;
//! use std::time::Duration;
//! use futures_lite::future;
//! use neap::test::{Clock, Event, Recorder};
//! use neap::{Cause, Group};
//!
//! let (clock, recorder) = (Clock::new(), Recorder::new());
//! let (stop, stops) = async_channel::unbounded();
//! let mut group = Group::new().drain_timeout(Duration::from_secs(10));
//! group.clock(&clock).record(&recorder).stop_on(stops);
//! group.add("deaf", |_| pending::<()>());
//!
//! let test = async {
//!     recorder.wait_for(|event| *event == Event::Ready("deaf".into())).await;
//!     stop.try_send(Cause::Requested).unwrap();
//!     recorder.wait_for(|event| *event == Event::Stopped("deaf".into())).await;
//!     clock.advance(Duration::from_secs(10));
//! };
//! let (ended, ()) = future::block_on(future::zip(group.run(), test));
//! assert!(ended.unwrap_err().is_timeout());
//! assert_eq!(recorder.to_string(), "`deaf` started\n`deaf` ready\n`deaf` stopped\n`deaf` cancelled");
//! ```

pub(crate) mod clock;
mod recorder;

pub use self::clock::{Clock, Sleep};
pub use self::recorder::{Event, Recorder};

use crate::Group;

impl Group<'_> {
    /// Has the group go by a clock that is moved by hand, for [tests](crate::test).
    ///
    /// Its deadlines, reports, and the back-off of [`restart`](crate::restart()) do; timers of the
    /// services' own do not, unless they are waits [on that clock](Clock::sleep). To
    /// be called before the group is stopped, run, or looked at.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use futures_lite::future;
    /// use neap::{Group, test::Clock};
    ///
    /// let (clock, mut group) = (Clock::new(), Group::new());
    /// group.clock(&clock);
    /// group.add("job", |_| async { clock.advance(Duration::from_secs(7)) });
    /// let outcome = future::block_on(group.run())?;
    /// assert_eq!(outcome.reports().next().unwrap().ended(), Some(Duration::from_secs(7)));
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn clock(&mut self, clock: &Clock) -> &mut Self {
        self.handle().hub.set_clock(clock);
        self
    }

    /// Has what becomes of the services written down, for [tests](crate::test).
    ///
    /// By the first recorder that is given, from then on. See [`Recorder`].
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::{Group, test::Recorder};
    ///
    /// let (recorder, mut group) = (Recorder::new(), Group::new());
    /// group.record(&recorder);
    /// group.add("job", |_| async {});
    /// future::block_on(group.run())?;
    /// assert_eq!(recorder.to_string(), "`job` started\n`job` ready\n`job` ended");
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn record(&mut self, recorder: &Recorder) -> &mut Self {
        self.handle().hub.set_recorder(recorder);
        self
    }
}
