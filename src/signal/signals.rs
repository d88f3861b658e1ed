//! The stream of the signals of one set.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_signal::Signal;
use futures_lite::{Stream, ready};

#[cfg(unix)]
use super::actions::Actions;
use super::deliveries::Deliveries;
use crate::Error;

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
    /// The number of counted deliveries that have been yielded.
    yielded: u32,
}

impl Signals {
    /// Listens for a set of signals. After `last` deliveries they act by their default again.
    pub(super) fn new(signals: Vec<Signal>, last: Option<u32>) -> Result<Signals, Error> {
        let first = signals.first().copied().unwrap_or(Signal::Int);
        let named = |signal| move |error| Error::signal(signal, error);
        let mut inner = async_signal::Signals::new::<Signal>([]).map_err(named(first))?;
        let deliveries = Arc::new(Deliveries::new());
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
            yielded: 0,
            #[cfg(unix)]
            _actions: actions,
        })
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
        let this = &mut *self;
        loop {
            // If reading ever fails, the stream ends. Once it is dropped, the signals act by
            // their default again.
            let Some(Ok(signal)) = ready!(Pin::new(&mut this.inner).poll_next(cx)) else {
                return Poll::Ready(None);
            };
            #[cfg(not(unix))]
            this.deliveries.note();
            if this.yielded < this.deliveries.count() {
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
