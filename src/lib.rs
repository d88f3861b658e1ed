//! Brings the services of a program up together and takes them down gently, on any async runtime.
//!
//! A *service* is a function from a [`Scope`] to a future. A [`Group`] starts services together,
//! and stops them together: when a signal comes, when a [`Handle`] says so, or when one of them
//! fails or panics. Whatever it was, [`Group::run`] returns only when all of them have ended, with
//! the first failure by name, or with how each of them ended.
//!
//! ```text
//! signals ─┐
//! a handle ├─► stop (one cause, first wins) ─► services ─► drain ─► cancel ─► join ─► outcome
//! a failure┘
//! ```
//!
//! Four words have one meaning each, in code, docs and logs: to **stop** is to ask to finish; to
//! **drain**, to finish what is in flight; to **cancel**, to drop the future; to **join**, to
//! collect how each ended.
//!
//! # The shortest whole program
//!
//! With `cargo add neap smol`:
//!
//! ```
//! use std::time::Duration;
//! use neap::Group;
//!
//! fn main() -> Result<(), neap::Error> {
//!     # #[cfg(not(feature = "signal"))]
//!     # let mut group = Group::new();
//!     # #[cfg(feature = "signal")]
//!     let mut group = Group::new()
//!         .narrate()
//!         .drain_timeout(Duration::from_secs(10))
//!         .stop_on(neap::signal::termination()?);
//!     group.add("worker", async move |scope| {
//!         let pause = || smol::Timer::after(Duration::from_secs(1));
//!         while scope.run_until_stopped(pause()).await.is_some() {
//!             // A piece of work, not to be interrupted.
//!         }
//!     });
//!     group.race("poller", async move {
//!         // Dropped at the stop, wherever it is.
//!     });
//!     # group.handle().stop();
//!     smol::block_on(group.run())?;
//!     Ok(())
//! }
//! ```
//!
//! In place, as here, the task that awaits the group drives its services, which may borrow from the
//! stack. One that never awaits holds up the others there, and the stop too.
//! [`Group::on`] has each of them run as a task of an executor instead; [`Group::run_on`] does so for an
//! executor that is borrowed. Services that are not `Send` are for a [`LocalGroup`].
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | `signal` (default) | [`signal`]: termination, reload and other signals as streams, on async-signal |
//! | `log` | what a group does, through the `log` crate: target `neap`, with stable keys |
//! | `anyhow` | what a service returns as an `anyhow::Error` keeps its type, for [`Error::find`] |
//! | `net` | [`net`]: an accept loop with a connection count and a drain, for any protocol |
//! | `http` | [`http`]: an axum `Router`, or any other service of `tower`, as a service that loses no request at a stop |
//! | `tide` | the same for a tide app |
//! | `systemd` | [`Group::systemd`]: what systemd wants to be told; with `net`, the sockets that systemd has bound |
//! | `tls` | TLS on [`net`] and [`http`], with the same drain, and certificates that are reloaded meanwhile |
//! | `proxy-protocol` | the address of a client behind a balancer, on [`net`] and [`http`]: the PROXY protocol, versions 1 and 2 |
//!
//! `tide` has `http` with it, and `http`, `tls` and `proxy-protocol` have `net`; that and `systemd` have `log`.
//!
//! Beside the group: [`restart()`] keeps a service going; [`UntilExt`] ends futures, streams, readers and iterators with
//! the stop; [`Group::narrate`] tells standard error what happens, and [`Group::on_event`] a function of
//! yours, for metrics; [`Handle::status`] shows where each service is; a [`Provided`] value goes from one service to
//! those that need it; [`test`](mod@test) has a clock to move by hand.
//!
//! # The guide
//!
//! From [errgroup](guide::errgroup), [tokio](guide::tokio), [axum on tokio](guide::graceful), [tide](guide::axum),
//! [Swift](guide::swift), [other tokens](guide::tokens). How services depend on each other: [ordering](guide::ordering),
//! [restarts](guide::restarts); [testing](guide::testing) them. In production: [systemd](guide::systemd),
//! [TLS](guide::tls), [balancers](guide::balancers), [Kubernetes](guide::kubernetes), [seeing it run](guide::observing),
//! [streams](guide::streams), [overload](guide::overload), [a whole program](guide::service).
//!
//! # What has to be `Send`
//!
//! A service of a [`Group`] and its children are `Send`, in place too. In place they may borrow from the stack; where an
//! executor [is given](Group::on) they are `'static`, but for one that is [borrowed](Group::run_on). Those of a
//! [`LocalGroup`] need not be `Send`, unless its [`Handle`] adds them. Errors are `Send` and `Sync` in both. Handles,
//! tokens and sources may go to any thread.
//!
//! # Guarantees
//!
//! Each has tests named after its number.
//!
//! 1. The first failure is recorded before any service is told to stop, and [`Group::run`] returns
//!    it with the name of the service. Later failures are kept in order; what the stop itself
//!    causes never masks the first. Failures that are [ignored](OnFailure::Ignore) are kept apart.
//! 2. A service that finishes well stops no other, unless it was added with [`OnExit::Stop`].
//! 3. A panic of the user's code is a failure of its service, wherever it happens: in a service, a
//!    child, a destructor, the conversion or the `Display` of an error, the drop of a panic's
//!    payload. `run` does not panic for it, and the others are stopped and drained, unless the
//!    failures of that service are [ignored](OnFailure::Ignore).
//! 4. The stop is latched: once and for all. The cause can be read before any waiter wakes. When
//!    [`StopSource::stop`] returns true, every token below is stopped, on whichever thread its
//!    child was made. A child of a stopped source is born stopped. Children do not stop parents.
//! 5. A stop before `run` is remembered: nothing starts, and every exit is [`Exit::NotStarted`].
//! 6. An addition after the stop is refused, and the service comes back to the caller.
//! 7. [`Added::needs`]: a service starts only once what it needs *is* ready, and is told to stop
//!    only after all who need it have ended; when cancelling, too. A restarted service is ready
//!    when a run of it is. Only services already added can be needed, so there is no circle, and
//!    none that is being stopped already.
//! 8. A failed or timed-out start rolls back: those already up are stopped in that order. If the
//!    failures of that service are ignored, it alone ends, and those that need it do not start.
//! 9. From the stop on, a service has until its deadline, its own within that of the group. Then its
//!    future and its children are dropped, and `run` waits for that drop.
//! 10. When `run` returns, every service has returned, or been dropped, or is named in the outcome
//!     as [abandoned](ServiceReport::is_abandoned), which means that it blocked its thread past the
//!     cancel timeout, or had no turn on it as another did: those of nested groups too.
//! 11. Dropping the future of `run` cancels every service. They are gone when the drop returns, in
//!     place, or at their next poll, on an executor.
//! 12. A second signal cancels at once. After the group has ended, or after that second signal,
//!     signals act by their default again, but for Windows. Two terminations within 100 ms count as one; no other
//!     signal is merged or lost. A program whose executor is stuck can still be ended by signals.
//! 13. A signal that cannot be registered is an error the caller sees, before anything starts.
//! 14. [`StopToken::run_until_stopped`]: already stopped, `None` without a poll; otherwise a finished
//!     result wins a tie.
//! 15. An empty group ends at once, and well.
//! 16. A service in the background does not keep the group alive; it is stopped last.
//! 17. [`Group::limit`]: at most n services run at once, the rest wait for their turn in order;
//!     [`Handle::try_add`] says no instead.
//! 18. The group does the same on every runtime. Its tests run on seven, but for those of what only
//!     some can do: to borrow from the stack, or to block a thread and not the group.
//! 19. Stragglers are named, with how long they have been draining: in the log, or on
//!     [standard error](Group::narrate), once a second while draining, and in the outcome; with where
//!     they were added in the first such record and in the outcome.
//! 20. A token outlives what handed it out: one of a service that has ended is stopped with the
//!     group, and never says "stopped" without a cause.
//! 21. A group that lives for months is flat: a service that a handle added and that ended well, or
//!     whose failure was ignored, leaves nothing behind but [a count](Outcome::unreported). No operation costs more than
//!     O(log n) of the services there are, but for those that name them all.
//! 22. Nothing that is always ready, be it a source of stops or a service, keeps the others from
//!     their turn, or a deadline from being kept.
//!
//! `RELIABILITY.md` in the repository says which test holds each of them, and which command tries to
//! break it.
//!
//! # What it is not
//!
//! It is no executor and no supervisor of processes. For a mere token without a group there are
//! `stop-token` and `swansong`; on tokio, `tokio-util` and `tokio-graceful-shutdown`.

// What needs a feature says so, where the docs are built with the one that can.
#![cfg_attr(docsrs, feature(doc_cfg))]
// In the library alone: a test may panic, and an example be brief.
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]
// What is left out cannot be linked to; with every feature on, each link is checked.
#![cfg_attr(
    not(all(
        feature = "signal",
        feature = "log",
        feature = "net",
        feature = "http",
        feature = "tide",
        feature = "systemd",
        feature = "tls",
        feature = "proxy-protocol"
    )),
    allow(rustdoc::broken_intra_doc_links)
)]

// The chapters of the core. Each imports only from those above it.

// What threads share: locks, atomics, events.
mod sync;

// Clocks, alarms and deadlines.
mod time;

// Tasks, in place or on an executor that the user gave. It knows no group.
mod executor;

// The broadcast: one cause, first wins.
mod stop;

// One service, as data.
mod service;

// Which service needs which, and whose turn it is: decides, and does nothing.
mod plan;

// The services of a group while they run: does what the plan decides.
mod members;

// How a group and its services are, and how they ended.
mod outcome;

// The group, and what is handed out of it.
mod group;

// What is built on the core, each of which could be left out.

mod provided;

mod restart;

#[cfg(feature = "systemd")]
mod systemd;

#[cfg(feature = "signal")]
pub mod signal;

#[cfg(feature = "net")]
pub mod net;

#[cfg(feature = "http")]
pub mod http;

pub mod test;

pub mod guide;

pub use executor::kind::{Local, Shared, TaskKind};
pub use executor::task::{LocalTask, Task};
pub use group::Group;
pub use group::added::Added;
pub use group::child_handle::ChildHandle;
pub use group::guard::Guard;
pub use group::handle::Handle;
pub use group::local::LocalGroup;
pub use group::local_scope::LocalScope;
pub use group::nested::Nested;
pub use group::refused::Refused;
pub use group::run::Run;
pub use group::scope::Scope;
pub use group::scope_stopped::ScopeStopped;
pub use group::watchdog::WATCHDOG_EXIT_CODE;
pub use members::event::{Event, Occurrence};
pub use outcome::Outcome;
pub use outcome::error::Error;
pub use outcome::report::ServiceReport;
pub use outcome::status::{ServiceStatus, Status};
pub use provided::{Provided, Providing};
pub use restart::local::restart_local;
pub use restart::policy::Restart;
pub use restart::supervise::{Restarting, restart};
pub use service::exit::{BoxError, Exit};
pub use service::gave_up::GaveUp;
pub use service::id::ServiceId;
pub use service::options::ServiceOptions;
pub use service::result::{ChildResult, OnExit, OnFailure, ServiceResult};
pub use service::state::State;
pub use stop::cause::Cause;
pub use stop::force::Force;
pub use stop::guard::StopGuard;
pub use stop::source::StopSource;
pub use stop::token::{StopToken, Stopped};
pub use stop::until::{Interrupted, Until, UntilExt};

#[cfg(neap_chaos)]
#[doc(hidden)]
pub use sync::chaos;

/// The examples of the README, compiled as those of the crate are.
#[cfg(all(doctest, feature = "tide", feature = "signal"))]
#[doc = include_str!("../README.md")]
struct Readme;
