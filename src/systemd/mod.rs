//! What systemd wants to be told of a group, and the sockets that it passes.
//!
//! - `notifier` tells the service manager how the group is: by `message`s, through a `channel`, in
//!   `words`. `environment` says where to.
//! - `reloads` knows of the reloads that signals have asked for.
//! - `sockets` are those that were bound before the program started.

#[cfg(unix)]
mod channel;
#[cfg(unix)]
mod environment;
#[cfg(unix)]
mod message;
#[cfg(unix)]
mod notifier;
#[cfg(unix)]
pub(crate) mod reloads;
#[cfg(all(unix, feature = "net"))]
pub(crate) mod sockets;
#[cfg(unix)]
mod words;

use futures_lite::Stream;

use crate::executor::kind::Local;
use crate::group::Group;
use crate::group::handle::Handle;
use crate::stop::cause::Cause;

/// # systemd
impl Group<'_> {
    /// Has the group tell systemd, or another service manager, how it is, by sd_notify(3). Nothing else is
    /// to be called.
    ///
    /// | when | what |
    /// |---|---|
    /// | all services have [started](crate::Handle::started) | `READY=1`, and a status such as `running: 3 services` |
    /// | a signal of `signal::reload` comes | `RELOADING=1`, with `MONOTONIC_USEC`; `READY=1` once the reload is done |
    /// | the group stops, for whatever cause | `STOPPING=1` |
    /// | once a second of the drain | a status such as ``draining after SIGTERM: waits for `http` (2 connections: 2 active), 3 of 10s``, and `EXTEND_TIMEOUT_USEC` |
    /// | at half of `WATCHDOG_USEC` | `WATCHDOG=1` |
    /// | the group has ended | a status such as `stopped by failure of `db`` |
    ///
    /// So the unit has `Type=notify`, or `Type=notify-reload` with systemd 253 or later. [The
    /// guide](crate::guide::systemd) has whole units.
    ///
    /// **A reload** is done when the stream of `signal::reload` is asked for its next signal, or is
    /// dropped: do the work in between.
    ///
    /// **The drain** may take longer than `TimeoutStopSec=`: the group asks for more time by its own
    /// deadline, and for 5 seconds beyond it. It asks for at most 30 seconds at once, and once a second, so that a program
    /// whose executor is stuck in its drain is killed when that time and that of the unit are over.
    ///
    /// **A sign of life** is sent by the task that polls the group, and by no thread. If that is not
    /// polled, as something blocks its thread, none is sent, and systemd ends the program. With a group on an
    /// executor of several threads, a service that blocks one of them does not stop it.
    ///
    /// A group that ends well before anyone saw that it had started has started: it says so, since systemd
    /// takes a service that ends without a word to have failed.
    ///
    /// # The environment
    ///
    /// `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` are read when this is called, and `LISTEN_FDS` with
    /// the rest of its kind is taken (see `net::Address`). The first
    /// group that calls this in a process is the one that is told of; for others it does nothing. Call it
    /// for the outermost group, at the start of `main`.
    ///
    /// The socket may be a path, or a name in the abstract namespace of Linux. Without `NOTIFY_SOCKET` this
    /// does nothing, and costs nothing. If the socket cannot be reached, that is a record of the log, with
    /// the event `systemd` and the level WARN, and no error. A receiver that has no room is waited for by the reactor; nothing
    /// blocks. `NOTIFY_SOCKET` and `WATCHDOG_USEC` stay in the environment, and so child processes have them: systemd
    /// heeds only the main process unless the unit has `NotifyAccess=`, and `WATCHDOG_PID` is not theirs.
    ///
    /// On Windows this does nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// # fn main() -> Result<(), neap::Error> {
    /// # #[cfg(not(feature = "signal"))]
    /// # let mut group = Group::new().systemd();
    /// # #[cfg(feature = "signal")]
    /// let mut group = Group::new()
    ///     .systemd()
    ///     .stop_on(neap::signal::termination()?);
    /// group.add("server", async move |scope| { scope.stopped().await; });
    /// # group.handle().stop();
    /// future::block_on(group.run())?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn systemd(self) -> Self {
        match source(self.handle()) {
            Some(source) => self.stop_on(source),
            None => self,
        }
    }
}

/// # systemd
impl Group<'_, Local> {
    /// Has the group tell systemd how it is, as [any group](Group::systemd) does.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::local().systemd();
    /// group.add("job", async |_| {});
    /// future::block_on(group.run())?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn systemd(self) -> Self {
        match source(self.handle()) {
            Some(source) => self.stop_on(source),
            None => self,
        }
    }
}

/// Returns what tells the service manager of this group, if one wants to be told. It never has an item.
#[cfg(unix)]
fn source<'a>(handle: Handle<'a>) -> Option<impl Stream<Item = Cause> + Send + 'a> {
    #[cfg(feature = "net")]
    sockets::take();
    let environment = environment::Environment::take()?;
    Some(notifier::Notifier::new(handle, &environment))
}

#[cfg(not(unix))]
fn source(_: Handle<'_>) -> Option<impl Stream<Item = Cause> + Send + 'static> {
    None::<futures_lite::stream::Pending<Cause>>
}
