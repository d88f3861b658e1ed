//! The stream of the signals of one set.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use async_signal::Signal;
use futures_lite::Stream;

#[cfg(unix)]
use super::actions::Actions;
use super::deliveries::Deliveries;
use crate::outcome::error::Error;
#[cfg(all(unix, feature = "systemd"))]
use crate::systemd::reloads::Reload;

/// A stream of signals. It never ends.
///
/// When it is dropped, its signals act by their default again, unless another set listens for them.
///
/// It also listens for a signal that was ignored when the program started, as SIGHUP is under
/// nohup(1). When the stream is dropped, such a signal is not ignored again: it ends the program.
pub struct Signals {
    /// The first field, as it must be dropped first: the default is in force before `inner` ends.
    #[cfg(unix)]
    _actions: Actions,
    inner: async_signal::Signals,
    deliveries: Arc<Deliveries>,
    /// How many of the deliveries were yielded: of the terminations, or of each signal.
    yielded: Vec<u32>,
    /// True if each signal asks for a reload, of which systemd is told.
    #[cfg(all(unix, feature = "systemd"))]
    is_reload: bool,
    /// The reload in progress: from a signal until the stream is asked for the next one.
    #[cfg(all(unix, feature = "systemd"))]
    reload: Option<Reload>,
}

impl Signals {
    /// Listens for a set of signals. With a `last` they are terminations: after that many they act
    /// by their default again.
    pub(super) fn new(mut signals: Vec<Signal>, last: Option<u32>) -> Result<Signals, Error> {
        signals.sort_unstable_by_key(|&signal| signal as i32);
        signals.dedup();
        let first = signals.first().copied().unwrap_or(Signal::Int);
        let named = |signal| move |error| Error::signal(signal, error);
        let mut inner = async_signal::Signals::new::<Signal>([]).map_err(named(first))?;
        let deliveries = Arc::new(Deliveries::new(&signals, last.is_some()));
        for &signal in &signals {
            check(signal).map_err(named(signal))?;
        }
        // Registered before those of async-signal: a delivery is counted before its item is there.
        #[cfg(unix)]
        let actions = Actions::new(&signals, &deliveries, last)?;
        #[cfg(not(unix))]
        let _ = last;
        for &signal in &signals {
            inner.add_signals([signal]).map_err(named(signal))?;
        }
        #[cfg(unix)]
        actions.claim();
        Ok(Signals {
            inner,
            deliveries,
            yielded: vec![0; signals.len().max(1)],
            #[cfg(unix)]
            _actions: actions,
            #[cfg(all(unix, feature = "systemd"))]
            is_reload: false,
            #[cfg(all(unix, feature = "systemd"))]
            reload: None,
        })
    }

    /// Has systemd told of the reload that each signal asks for.
    #[cfg(all(unix, feature = "systemd"))]
    pub(super) fn of_reloads(mut self) -> Signals {
        self.is_reload = true;
        self
    }
}

/// Returns an error for the signals on which signal-hook would panic.
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
        #[cfg(all(unix, feature = "systemd"))]
        drop(self.reload.take());
        let polled = self.poll_signal(cx);
        #[cfg(all(unix, feature = "systemd"))]
        if self.is_reload && polled.is_ready() {
            self.reload = Reload::begin();
        }
        polled
    }
}

impl Signals {
    fn poll_signal(&mut self, cx: &mut Context<'_>) -> Poll<Option<Signal>> {
        let this = self;
        loop {
            let signal = match Pin::new(&mut this.inner).poll_next(cx) {
                Poll::Ready(Some(Ok(signal))) => signal,
                // If reading ever fails, the stream ends. Once it is dropped, the signals act by
                // their default again.
                Poll::Ready(_) => return Poll::Ready(None),
                // What was counted and is not in the pipe, because it was full.
                Poll::Pending => {
                    return this.take_any().map_or(Poll::Pending, Poll::Ready).map(Some);
                }
            };
            #[cfg(not(unix))]
            this.deliveries.note(signal);
            if this.take(signal) {
                return Poll::Ready(Some(signal));
            }
        }
    }

    /// Takes a delivery of a signal that was counted and not yielded.
    fn take(&mut self, signal: Signal) -> bool {
        let (place, count) = match &*self.deliveries {
            Deliveries::Terminations(terminations) => (0, terminations.count()),
            Deliveries::Each(counts) => {
                let place = counts.iter().position(|(counted, _)| *counted == signal);
                let Some(place) = place else { return false };
                (place, counts[place].1.load(Ordering::Acquire))
            }
        };
        let is_news = self.yielded[place] != count;
        if is_news {
            self.yielded[place] = self.yielded[place].wrapping_add(1);
        }
        is_news
    }

    /// Takes a delivery of any signal that was counted by itself and not yielded.
    fn take_any(&mut self) -> Option<Signal> {
        let deliveries = Arc::clone(&self.deliveries);
        let Deliveries::Each(counts) = &*deliveries else {
            return None;
        };
        counts
            .iter()
            .map(|(signal, _)| *signal)
            .find(|&signal| self.take(signal))
    }
}

impl fmt::Debug for Signals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signals").field(&self.inner).finish()
    }
}
