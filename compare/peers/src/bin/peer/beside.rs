//! A server on tokio, the timer beside it, and the signals that stop both.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::Failure;
use crate::settings::Settings;

/// SIGINT and SIGTERM, listened for since this was made.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// # Errors
    ///
    /// The handlers cannot be installed.
    pub fn new() -> io::Result<Signals> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Runs what `http` makes beside the timer, until a signal or the failure of either stops both.
///
/// # Errors
///
/// The timer's failure, or else the server's.
pub async fn beside_timer<F>(
    settings: &Settings,
    http: impl FnOnce(CancellationToken) -> F,
) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    // Before `http` listens: a signal then finds its handler.
    let mut signals = Signals::new()?;
    let stop = CancellationToken::new();
    let timer = async {
        let ended = tokio::select! {
            () = sleep(settings.timer) => Err("timer: xxx".into()),
            () = signals.next() => Ok(()),
            () = stop.cancelled() => Ok(()),
        };
        stop.cancel();
        ended
    };
    let http = async {
        let ended = http(stop.clone()).await;
        stop.cancel();
        ended
    };
    let (timer, http) = tokio::join!(timer, http);
    timer.and(http)
}

/// Makes a runtime with this number of threads. One thread is the one that blocks on it.
///
/// # Errors
///
/// There are no more threads or descriptors.
pub fn runtime(threads: usize) -> io::Result<tokio::runtime::Runtime> {
    let mut builder = match threads {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    builder.worker_threads(threads).enable_all().build()
}

/// Describes the runtime that [`runtime`] makes for this number of threads.
pub fn flavour(threads: usize) -> String {
    match threads {
        1 => "current_thread".to_owned(),
        _ => format!("multi_thread, {threads} threads"),
    }
}
