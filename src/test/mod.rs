//! A kit to test services and groups without waiting and without luck.
//!
//! - A stop is injected as any stream of causes: [`Group::stop_on`](crate::Group::stop_on) takes
//!   the receiver of a channel as well as signals, and the second item cancels as a second signal
//!   does. No signal is raised, so tests can run side by side.
//! - A [`Clock`] is moved by hand: a drain of ten seconds is over when the test says so.
//!   [`advance(..).await`](Clock::advance) returns once everything due has run.
//!   [`block_on`](Clock::block_on) moves it by itself, whenever all wait.
//! - A [`Network`](crate::guide::testing#servers) in memory takes the place of ports and sockets, and
//!   `every_stop` stops a server at every moment of an exchange (features `net` and `http`).
//! - A [`Recorder`] records every event of the services, in order.
//!
//! A clock and a recorder belong to a group. A group without them pays one load for each event,
//! and one branch for each poll of a task.
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
//! let mut group = Group::new().drain_timeout(Duration::from_secs(10)).clock(&clock).record(&recorder).stop_on(stops);
//! group.add("deaf", |_| pending::<()>());
//!
//! let test = async {
//!     recorder.wait_for(|event| *event == Event::Ready("deaf".into())).await;
//!     stop.try_send(Cause::Requested).unwrap();
//!     clock.advance(Duration::from_secs(10)).await;
//! };
//! let (ended, ()) = future::block_on(future::zip(group.run(), test));
//! assert!(ended.unwrap_err().is_timeout());
//! assert_eq!(recorder.to_string(), "`deaf` started\n`deaf` ready\n`deaf` stopped\n`deaf` cancelled");
//! ```

#[cfg(feature = "http")]
mod every_stop;

#[cfg(feature = "http")]
pub use self::every_stop::exchange::Exchange;
#[cfg(feature = "http")]
pub use self::every_stop::site::Site;
#[cfg(feature = "http")]
pub use self::every_stop::{BrokenStop, Stops, every_stop};
pub use crate::members::event::Event;
pub use crate::members::recorder::Recorder;
#[cfg(feature = "net")]
pub use crate::net::memory::network::Network;
pub use crate::time::advance::Advance;
pub use crate::time::clock::Clock;
pub use crate::time::sleep::Sleep;
