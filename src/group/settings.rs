//! What a group is like: said by value, where it is made.

use std::sync::Arc;
use std::time::Duration;

use futures_lite::{Stream, StreamExt};

use super::Group;
use crate::executor::kind::TaskKind;
use crate::members::event::Occurrence;
use crate::members::recorder::Recorder;
use crate::stop::cause::Cause;
use crate::time::clock::Clock;

impl<K: TaskKind> Group<'_, K> {
    /// Sets how long services may take to end after the stop; 10 seconds unless set.
    ///
    /// Zero means not to drain: the stop cancels at once. [`Duration::MAX`] means to wait for as
    /// long as it takes.
    pub fn drain_timeout(self, timeout: Duration) -> Self {
        self.core.timeouts.set_drain(timeout);
        self
    }

    /// Sets how long to wait, once services have been cancelled, for those that block their
    /// thread; 500 milliseconds unless set.
    ///
    /// After that they are named in the outcome as [`Exit::Abandoned`](crate::Exit::Abandoned).
    /// It only matters on a given executor: a service that blocks its thread in place blocks the
    /// group too.
    pub fn cancel_timeout(self, timeout: Duration) -> Self {
        self.core.timeouts.set_cancel(timeout);
        self
    }

    /// Returns how long the group takes from the stop to its end, at the most: the drain and the cancel
    /// timeout. `None` if it waits for as long as it takes.
    ///
    /// Services are cancelled one after the other, where one [needs](crate::Added::needs) another: so the cancel
    /// timeout is in it once, and once more for each service that others need, and for those in the
    /// [background](crate::Added::background) if there are any. It is that of the services there are now.
    ///
    /// All that services do after the stop is within that, such as the lame-duck time of a server, and so are
    /// [timeouts of their own](crate::Added::drain_timeout). Only a service that blocks its thread in place
    /// takes longer. What starts the process has to leave it more time than this, before it kills it:
    /// `terminationGracePeriodSeconds` of Kubernetes, and `TimeoutStopSec` of systemd.service(5).
    ///
    /// Of a group that is [nested](Group::into_service), the group around it may leave less.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use neap::Group;
    ///
    /// let group = Group::new().drain_timeout(Duration::from_secs(45));
    /// assert_eq!(group.stop_budget(), Some(Duration::from_millis(45_500)));
    ///
    /// let mut group = Group::new().drain_timeout(Duration::from_secs(45));
    /// let pool = group.add("pool", async |scope| { scope.stopped().await; }).id();
    /// group.add("http", async |scope| { scope.stopped().await; }).needs(pool);
    /// assert_eq!(group.stop_budget(), Some(Duration::from_secs(46)));
    ///
    /// let patient = Group::new().drain_timeout(Duration::MAX);
    /// assert_eq!(patient.stop_budget(), None);
    /// ```
    #[must_use]
    pub fn stop_budget(&self) -> Option<Duration> {
        let members = self.core.registry.snapshot();
        let has_background = members.iter().any(|member| member.is_background());
        let rounds = 1 + self.core.plan().needed() + usize::from(has_background);
        let budget = self.core.timeouts.budget(rounds as u64);
        budget.map(Duration::from_nanos)
    }

    /// Sets how many services may run at once; any number unless set.
    ///
    /// The others wait for their turn, in the order in which they were added, those whose
    /// [needs](crate::Added::needs) are not ready yet aside. A turn lasts until the service has ended,
    /// with its children. Services in the background have no need of one. Nothing that waits when
    /// the group is stopped will start. One that runs for good keeps its turn: give what is to be
    /// limited a group of its own, and [nest](Group::into_service) that.
    ///
    /// # Errors
    ///
    /// With a limit of zero nothing could ever run: `run` returns an error before anything starts.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut jobs = Group::new().limit(2);
    /// for job in 0..10 {
    ///     jobs.add("job", async move |_| { println!("{job}") });
    /// }
    /// future::block_on(jobs.run())?;
    ///
    /// let error = future::block_on(Group::new().limit(0).run()).unwrap_err();
    /// assert_eq!(error.to_string(), "the limit of the group is zero: no service could run");
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn limit(self, services: usize) -> Self {
        self.core.plan().set_limit(services);
        self
    }

    /// Has the group go by a clock that is moved by hand, for [tests](crate::test).
    ///
    /// Its deadlines, reports, and the back-off of [`restart`](crate::restart()) do; timers of the
    /// services' own do not, unless they are waits [on that clock](Clock::sleep). To be called
    /// before the group is stopped, run, or looked at.
    pub fn clock(self, clock: &Clock) -> Self {
        self.core.set_clock(clock);
        self
    }

    /// Has the group tell standard error, in plain lines, what happens, where no logger does.
    ///
    /// A line for: where a server listens; a start that takes more than 5 seconds; the stop, who is waited for and how long; once a second
    /// of the drain, what it waits for; a failure, with all its causes; a restart; what had services
    /// cancelled; how it ended. The start and the end of each service are left to the
    /// log, and so are requests and connections.
    ///
    /// If the feature `log` is on, a line is printed unless the logger takes records of its level:
    /// never twice, and also if no logger is set up. A group that is nested in one that narrates
    /// does too, but for what that one says of it. A line that cannot be written is lost; one that
    /// standard error has no room for blocks the thread, as with any logger that prints.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new().narrate();
    /// group.add("db", async move |scope| { scope.stopped().await; });
    /// group.race("timer", async { Err("the time is over") });
    /// // neap: `timer` failed: the time is over
    /// // neap: stopping: failure of `timer`; waiting up to 10s for `db`
    /// // neap: stopped by failure of `timer`, 29.3µs after the start; drained for 70.1µs; 2 services: 1 ended, 1 failed
    /// future::block_on(group.run()).unwrap_err();
    /// ```
    pub fn narrate(self) -> Self {
        self.core.narrator.turn_on();
        self
    }

    /// Has every event of the services recorded, for [tests](crate::test): by the first recorder
    /// that is given, from then on.
    pub fn record(self, recorder: &Recorder) -> Self {
        self.core.add_observers().set_recorder(recorder);
        self
    }

    /// Calls a function at each event of the group and its services, for metrics or a log of one's
    /// own.
    ///
    /// It is called where the event happens, by whichever thread that is, and under no lock: it
    /// should be short, and may use a [handle](Group::handle) of the group. A panic of it is caught
    /// and has no other effect, as that of a logger has. Given several functions, the group calls
    /// them in the order in which they were given. A nested group has events of its own, and needs
    /// a function of its own.
    ///
    /// A failure comes before the stop that it causes. On several threads, two events that happen
    /// at once may come in either order: the stop of a service and its end, for instance. Their
    /// [times](Occurrence::at) tell which was first.
    ///
    /// A group without such a function pays one load for each event.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicU32, Ordering};
    /// use futures_lite::future;
    /// use neap::{Event, Group};
    ///
    /// let failures = Arc::new(AtomicU32::new(0));
    /// let counted = failures.clone();
    /// let mut group = Group::new().on_event(move |occurrence| match occurrence.event() {
    ///     Event::Failed(..) | Event::Restarting(..) => drop(counted.fetch_add(1, Ordering::Relaxed)),
    ///     _ => println!("{occurrence}"),
    /// });
    /// group.add("job", async |_| { Err("xxx") });
    /// future::block_on(group.run()).unwrap_err();
    /// assert_eq!(failures.load(Ordering::Relaxed), 1);
    /// ```
    pub fn on_event(self, hook: impl Fn(&Occurrence) + Send + Sync + 'static) -> Self {
        self.core.add_observers().add_hook(Arc::new(hook));
        self
    }
}

impl<'a> Group<'a> {
    /// Stops the group at the first item of a stream, and cancels it at the second.
    ///
    /// Like all that says what a group is like, it takes the group and returns it: chain it where
    /// the group is made, or write `group = group.stop_on(source)`.
    ///
    /// A group can have several such sources; each counts its own items. An item that finds the
    /// group stopped by something else is that source's first: it changes nothing. A stream that
    /// ends is dropped, and so is one that has had its second item. The streams are polled before
    /// anything starts: if one has an item by then, nothing does.
    ///
    /// Signals are such a stream, see [`signal::termination`](crate::signal::termination), and so
    /// is the receiver of a channel.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::{Cause, Group};
    ///
    /// let (sender, receiver) = async_channel::unbounded();
    /// let mut group = Group::new().stop_on(receiver);
    /// group.add("server", async move |scope| { scope.stopped().await; });
    ///
    /// sender.try_send(Cause::Requested).unwrap();
    /// let outcome = future::block_on(group.run())?;
    /// assert_eq!(*outcome.cause(), Cause::Requested);
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn stop_on<S>(mut self, source: S) -> Self
    where
        S: Stream + Send + 'a, // not Send? see LocalGroup
        S::Item: Into<Cause>,
    {
        self.supervisor.add_source(source.map(Into::into).boxed());
        self
    }
}
