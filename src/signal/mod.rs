//! Signals of the operating system, as streams, on `async-signal`.
//!
//! Give a [`termination`] to [`Group::stop_on`](crate::Group::stop_on), and signals stop the group.
//! [`reload`] and [`listen`] are for other signals.
//!
//! # The second signal, and the third
//!
//! The first signal of a [`termination`] stops the group. The second cancels it: the services that
//! have not ended are dropped at once. After the second, and after the group has ended, the signals
//! act by their default again, which is to end the process. The signal handler itself decides all
//! of this, so it holds even if nothing polls the group: the third signal ends a program whose
//! executor is stuck.
//!
//! Terminations that are less than 100 milliseconds apart count as one: Ctrl-C reaches a whole
//! process group, and the parent process may pass it on as well. Other signals are never merged,
//! and none that the handler was called for is lost.
//!
//! # From when on
//!
//! A signal that comes before [`termination`] has returned acts by its default, and ends the process. So
//! call it at the start of `main`, before anything that takes time. What comes before `main` is the loader's
//! and the runtime's, and takes about a millisecond; nothing can have been promised to anybody by then, and
//! a supervisor sees a process that was ended by its own signal.
//!
//! # Platforms
//!
//! On Windows there is only Ctrl-C, as [`Signal::Int`]. Once listened for, it never acts by its
//! default again.

mod deliveries;
mod signals;

#[cfg(unix)]
mod actions;
#[cfg(unix)]
mod claim;
#[cfg(unix)]
mod handler;

use crate::outcome::error::Error;

pub use async_signal::Signal;

pub use self::signals::Signals;

/// Listens for the signals that ask a program to end: SIGINT and SIGTERM, or Ctrl-C on Windows.
///
/// # Errors
///
/// Returns an error that names the signal, if one cannot be listened for.
///
/// # Examples
///
/// ```no_run
/// use neap::{Group, signal};
///
/// # fn main() -> Result<(), neap::Error> {
/// let mut group = Group::new().stop_on(signal::termination()?);
/// group.add("server", async move |scope| { scope.stopped().await; });
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

/// Does what [`termination`] does, for signals of your choice.
///
/// # Errors
///
/// Returns an error that names the signal, if one cannot be listened for.
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

/// Listens for SIGHUP, which asks a daemon to read its configuration again.
///
/// It stops nothing. As long as the stream exists, SIGHUP does not end the program.
///
/// With the feature `systemd`, a group that was made with `Group::systemd` tells systemd of each reload. It
/// begins with the item, and is done when the stream is asked for its next item, or is dropped: so
/// do the work between the two, as below. Where several such streams exist, it is done when it is for all.
///
/// # Errors
///
/// Returns an error if the signal cannot be listened for.
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
    let signals = listen([Signal::Hup])?;
    #[cfg(feature = "systemd")]
    let signals = signals.of_reloads();
    Ok(signals)
}

/// Listens for any signals, as long as the stream exists.
///
/// # Errors
///
/// Returns an error that names the signal, if one cannot be listened for.
///
/// # Examples
///
/// ```
/// # #[cfg(unix)] {
/// use neap::signal::{Signal, listen};
///
/// assert!(listen([Signal::Usr1, Signal::Usr2]).is_ok());
/// let error = listen([Signal::Segv]).unwrap_err().to_string();
/// assert!(error.contains("SIGSEGV"), "{error}");
/// # }
/// ```
pub fn listen(signals: impl IntoIterator<Item = Signal>) -> Result<Signals, Error> {
    Signals::new(signals.into_iter().collect(), None)
}
