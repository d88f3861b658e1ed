//! Signals of the operating system, as streams, on `async-signal`.
//!
//! [`termination`] is what stops a program; give it to [`Group::stop_on`](crate::Group::stop_on).
//! [`reload`] and [`listen`] are for all else.
//!
//! # The second signal, and the third
//!
//! The first signal of a [`termination`] stops the group. The second cancels it: what has not
//! ended is dropped at once. From then on, and from the moment when the set is dropped, which is
//! when the group has ended, the signals do again what they do by default, which is to end the
//! process. All of that is decided in the signal handler, so it holds even when nothing polls the
//! group: a program whose executor is stuck is ended by the third signal.
//!
//! Deliveries less than 100 milliseconds apart count as one, across the signals of a set: Ctrl-C
//! reaches a whole process group, and whoever started the program may pass it on.
//!
//! # Platforms
//!
//! On Windows there is Ctrl-C, as [`Signal::Int`], and nothing else; and once listened for, it is
//! never given back to its default action.

#[cfg(unix)]
mod action;

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_lite::{Stream, ready};

use crate::Error;

pub use async_signal::Signal;

/// Deliveries closer than this count as one.
const TOGETHER: Duration = Duration::from_millis(100);

/// Listens for what asks a program to end: SIGINT and SIGTERM, or Ctrl-C on Windows.
///
/// # Errors
///
/// If a signal cannot be listened for, which is before anything has started. The error names it.
///
/// # Examples
///
/// ```no_run
/// use neap::{Group, signal};
///
/// # fn main() -> Result<(), neap::Error> {
/// let mut group = Group::new();
/// group.stop_on(signal::termination()?);
/// group.add("server", |scope| async move { scope.stopped().await; });
/// println!("{}", futures_lite::future::block_on(group.run())?);
/// # Ok(())
/// # }
/// ```
pub fn termination() -> Result<Signals, Error> {
    #[cfg(unix)]
    let signals = [Signal::Int, Signal::Term];
    #[cfg(not(unix))]
    let signals = [Signal::Int];
    termination_by(signals)
}

/// Listens for other signals than [`termination`] does, to the same end.
///
/// # Errors
///
/// If one of the signals cannot be listened for. The error names it.
///
/// # Examples
///
/// ```
/// use neap::signal::{self, Signal};
///
/// # #[cfg(unix)] {
/// let quit = signal::termination_by([Signal::Term, Signal::Quit])?;
/// let error = signal::termination_by([Signal::Term, Signal::Kill]).unwrap_err();
/// assert_eq!(error.to_string(), "cannot listen for SIGKILL: the operating system forbids it");
/// # drop(quit); }
/// # Ok::<(), neap::Error>(())
/// ```
pub fn termination_by(signals: impl IntoIterator<Item = Signal>) -> Result<Signals, Error> {
    Signals::new(signals.into_iter().collect(), Some(2))
}

/// Listens for SIGHUP, by which a daemon is asked to read its configuration again.
///
/// A stream of its own: it stops nothing. As long as it exists, SIGHUP does not end the program.
///
/// # Errors
///
/// If the signal cannot be listened for.
///
/// # Examples
///
/// ```no_run
/// use futures_lite::StreamExt;
/// use neap::{Group, signal};
///
/// # fn main() -> Result<(), neap::Error> {
/// let mut reload = signal::reload()?;
/// let mut group = Group::new();
/// group.race("configuration", async move {
///     while reload.next().await.is_some() {
///         println!("reading the configuration again");
///     }
/// }).background();
/// # Ok(())
/// # }
/// ```
#[cfg(unix)]
pub fn reload() -> Result<Signals, Error> {
    listen([Signal::Hup])
}

/// Listens for any signals, for as long as the stream exists.
///
/// # Errors
///
/// If one of the signals cannot be listened for. The error names it.
///
/// # Examples
///
/// ```
/// # #[cfg(unix)] {
/// use neap::signal::{Signal, listen};
///
/// assert!(listen([Signal::Usr1, Signal::Usr2]).is_ok());
/// let error = listen([Signal::Kill]).unwrap_err().to_string();
/// assert!(error.contains("SIGKILL"), "{error}");
/// # }
/// ```
pub fn listen(signals: impl IntoIterator<Item = Signal>) -> Result<Signals, Error> {
    Signals::new(signals.into_iter().collect(), None)
}

/// A stream of signals. It never ends.
///
/// Dropping it gives its signals back to their default action, unless another set wants them.
///
/// A signal that was ignored when the program started, as SIGHUP is under nohup(1), is listened
/// for all the same, and ends the program once it is given back.
pub struct Signals {
    /// First, as it is dropped first: while `inner` lets go, the default is in force already.
    #[cfg(unix)]
    _actions: action::Actions,

    inner: async_signal::Signals,

    count: Arc<Deliveries>,

    /// How many of the counted deliveries have been yielded.
    yielded: u32,
}

impl Signals {
    /// Listens for a set, and gives it back after `last` deliveries.
    fn new(signals: Vec<Signal>, last: Option<u32>) -> Result<Signals, Error> {
        let first = signals.first().copied().unwrap_or(Signal::Int);
        let named = |signal| move |error| Error::signal(signal, error);
        let mut inner = async_signal::Signals::new::<Signal>([]).map_err(named(first))?;
        let count = Arc::new(Deliveries::new());
        for &signal in &signals {
            check(signal).map_err(named(signal))?;
        }
        // Before async-signal's own: a delivery is counted when its item is there.
        #[cfg(unix)]
        let actions = action::Actions::new(&signals, &count, last)?;
        #[cfg(not(unix))]
        let _ = last;
        for &signal in &signals {
            inner.add_signals([signal]).map_err(named(signal))?;
        }
        #[cfg(unix)]
        actions.want();
        Ok(Signals {
            inner,
            count,
            yielded: 0,
            #[cfg(unix)]
            _actions: actions,
        })
    }
}

/// Refuses what cannot be listened for, where signal-hook would panic.
fn check(signal: Signal) -> io::Result<()> {
    match signal {
        Signal::Kill | Signal::Stop => Err(io::Error::other("the operating system forbids it")),
        Signal::Ill | Signal::Fpe | Signal::Segv => Err(io::Error::other(
            "it tells of a fault of the program itself",
        )),
        _ => Ok(()),
    }
}

impl Stream for Signals {
    type Item = Signal;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Signal>> {
        let this = &mut *self;
        loop {
            // Should reading ever fail, this ends, and with it the set: the signals are given
            // back to their default action.
            let Some(Ok(signal)) = ready!(Pin::new(&mut this.inner).poll_next(cx)) else {
                return Poll::Ready(None);
            };
            #[cfg(not(unix))]
            this.count.note();
            if this.yielded < this.count.get() {
                this.yielded += 1;
                return Poll::Ready(Some(signal));
            }
        }
    }
}

impl fmt::Debug for Signals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signals").field(&self.inner).finish()
    }
}

/// How often the signals of a set were delivered, those close together taken as one.
struct Deliveries {
    epoch: Instant,

    /// When the last one that counts came: nanoseconds after the epoch; 0 for none yet.
    last: AtomicU64,

    count: AtomicU32,
}

impl Deliveries {
    fn new() -> Deliveries {
        Deliveries {
            epoch: Instant::now(),
            last: AtomicU64::new(0),
            count: AtomicU32::new(0),
        }
    }

    /// Notes a delivery; returns how many there are if it counts.
    ///
    /// Called in a signal handler: it reads the clock and some atomics, and does nothing else.
    fn note(&self) -> Option<u32> {
        let now = (self.epoch.elapsed().as_nanos() as u64).max(1);
        let last = self.last.load(Ordering::Relaxed);
        if last != 0 && now.saturating_sub(last) < TOGETHER.as_nanos() as u64 {
            return None;
        }
        // If this fails, another thread has just counted one: they came together.
        self.last
            .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
            .ok()?;
        Some(self.count.fetch_add(1, Ordering::Release) + 1)
    }

    fn get(&self) -> u32 {
        self.count.load(Ordering::Acquire)
    }
}
