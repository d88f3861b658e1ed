//! What the parts of one group share: its stop, its counts, its failures.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use event_listener::{Event, EventListener};

use crate::executor::Dispatch;
use crate::latch::Waiters;
use crate::member::Member;
use crate::notices::{Notice, Notices};
use crate::plan::Plan;
use crate::test::clock::Alarm;
use crate::test::{Clock, Recorder};
use crate::{Cause, Exit, StopSource, StopToken};

/// A failure of one service, in the order in which they came.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The index of the service.
    pub(crate) member: usize,

    /// `Failed` or `Panicked`.
    pub(crate) exit: Exit,
}

/// What the group, its handles and its services share. Borrows nothing, so that wakers can own it.
pub(crate) struct Hub {
    /// See [`Hub::id`].
    id: u64,

    /// The stop of the whole group. Set by way of [`Hub::stop`] only, so that a deadline is.
    stop: StopSource,

    /// The services yet to end: those that keep the group alive in the lower half of the word,
    /// those in the background in the upper.
    counts: AtomicU64,

    /// In order; the first is what the group returns.
    failures: Mutex<Vec<Failure>>,

    /// Where the tasks are woken.
    pub(crate) dispatch: Dispatch,

    /// What the supervisor is told.
    pub(crate) notices: Notices,

    /// Who needs whom, and whose turn it is.
    pub(crate) plan: Plan,

    /// Those who wait for services to be ready, and whether there have ever been any.
    watchers: Event,
    is_watched: AtomicBool,

    /// When the group started, by its own clock; 0 until then.
    opened: AtomicU64,

    /// What all times are counted from, set when time is first asked for; and the clock, if it is
    /// not the real one. In nanoseconds they last for 584 years.
    epoch: OnceLock<(Instant, Option<Clock>)>,

    /// Who writes down what becomes of the services, if anybody does.
    recorder: OnceLock<Recorder>,

    /// How long a drain may take, in nanoseconds; `u64::MAX` is for as long as it wants.
    drain_timeout: AtomicU64,

    /// How long to wait for services that were cancelled, in nanoseconds.
    cancel_timeout: AtomicU64,

    /// By when the supervisor will be polled, if it can be: nanoseconds, and 0 if there is no such
    /// time.
    due: AtomicU64,

    /// Set once the group has ended, or its future has been dropped.
    is_over: AtomicBool,

    /// Stopped then. Made when it is first asked for.
    over: OnceLock<StopSource>,

    /// The stop of the service that this group is, if it is nested: its deadline binds us too.
    parent: OnceLock<StopToken>,
}

/// How long to wait for services that block their thread unless the group says otherwise.
const CANCEL_TIMEOUT: Duration = Duration::from_millis(500);

/// One service in the upper half of [`Hub::counts`].
const BACKGROUND: u64 = 1 << 32;

impl Hub {
    pub(crate) fn new(dispatch: Dispatch, drain_timeout: Duration) -> Arc<Hub> {
        static GROUPS: AtomicU64 = AtomicU64::new(0);
        Arc::new(Hub {
            id: GROUPS.fetch_add(1, Ordering::Relaxed),
            stop: StopSource::new(),
            counts: AtomicU64::new(0),
            failures: Mutex::new(Vec::new()),
            dispatch,
            notices: Notices::new(),
            plan: Plan::default(),
            watchers: Event::new(),
            is_watched: AtomicBool::new(false),
            opened: AtomicU64::new(0),
            epoch: OnceLock::new(),
            recorder: OnceLock::new(),
            drain_timeout: AtomicU64::new(nanos(drain_timeout)),
            cancel_timeout: AtomicU64::new(nanos(CANCEL_TIMEOUT)),
            due: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
            over: OnceLock::new(),
            parent: OnceLock::new(),
        })
    }

    /// In nanoseconds; `u64::MAX` is for ever.
    pub(crate) fn drain_timeout(&self) -> u64 {
        self.drain_timeout.load(Ordering::Relaxed)
    }

    pub(crate) fn set_drain_timeout(&self, timeout: Duration) {
        self.drain_timeout.store(nanos(timeout), Ordering::Relaxed);
    }

    pub(crate) fn set_cancel_timeout(&self, timeout: Duration) {
        self.cancel_timeout.store(nanos(timeout), Ordering::Relaxed);
    }

    /// In nanoseconds; `u64::MAX` is for ever.
    pub(crate) fn cancel_timeout(&self) -> u64 {
        self.cancel_timeout.load(Ordering::Relaxed)
    }

    /// Notes when the supervisor is to be polled at the latest.
    pub(crate) fn set_due(&self, due: Option<Instant>) {
        let since = |at: Instant| nanos(at.saturating_duration_since(self.epoch().0)).max(1);
        self.due.store(due.map_or(0, since), Ordering::Relaxed);
    }

    pub(crate) fn due(&self) -> Option<Instant> {
        let due = self.due.load(Ordering::Relaxed);
        (due != 0).then(|| self.instant(due))
    }

    /// The group has ended.
    pub(crate) fn set_over(&self) {
        self.notices.close();
        self.is_over.store(true, Ordering::Relaxed);
        // Here the flag is set and then the source looked for, in `over` the other way round. Of
        // two fences one is the second, and what comes after it finds both.
        fence(Ordering::SeqCst);
        if let Some(over) = self.over.get() {
            over.stop(Cause::Ended);
        }
    }

    /// A token that is stopped once the group has ended.
    pub(crate) fn over(&self) -> StopToken {
        let over = self.over.get_or_init(StopSource::new);
        fence(Ordering::SeqCst);
        if self.is_over.load(Ordering::Relaxed) {
            over.stop(Cause::Ended);
        }
        over.token()
    }

    /// Makes this the hub of a nested group, whose time ends with that of the service it is.
    pub(crate) fn nest(&self, parent: StopToken) {
        // A group runs once, so this is set once.
        let _ = self.parent.set(parent);
    }

    /// Nanoseconds since the epoch; never 0, which stands for "not yet".
    pub(crate) fn now(&self) -> u64 {
        let epoch = self.epoch().0;
        nanos(self.clock_now().saturating_duration_since(epoch)).max(1)
    }

    fn epoch(&self) -> &(Instant, Option<Clock>) {
        self.epoch.get_or_init(|| (Instant::now(), None))
    }

    /// Goes by another clock; of no effect once time has been asked for.
    pub(crate) fn set_clock(&self, clock: &Clock) {
        // Just before the clock's now, so that this too is past 0.
        let now = clock.now();
        let epoch = now.checked_sub(Duration::from_nanos(1)).unwrap_or(now);
        let _ = self.epoch.set((epoch, Some(clock.clone())));
    }

    /// The time, by the clock of the group.
    pub(crate) fn clock_now(&self) -> Instant {
        let (_, clock) = self.epoch();
        clock.as_ref().map_or_else(Instant::now, Clock::now)
    }

    /// An alarm by the clock of the group.
    pub(crate) fn alarm(&self, at: Instant) -> Alarm {
        Alarm::new(self.epoch().1.as_ref(), at)
    }

    pub(crate) fn set_recorder(&self, recorder: &Recorder) {
        let _ = self.recorder.set(recorder.clone());
    }

    /// Who writes down what happens. One load.
    pub(crate) fn recorder(&self) -> Option<&Recorder> {
        self.recorder.get()
    }

    /// What tells this group from all others.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// When the group was stopped, on the same scale as [`now`](Hub::now).
    pub(crate) fn stopped_at(&self) -> Option<u64> {
        self.stop
            .stopped_at()
            .map(|at| nanos(at.saturating_duration_since(self.epoch().0)))
    }

    /// The instant that is so many nanoseconds after the epoch.
    pub(crate) fn instant(&self, nanos: u64) -> Instant {
        self.epoch().0 + Duration::from_nanos(nanos)
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.is_stopped()
    }

    pub(crate) fn cause(&self) -> Option<Cause> {
        self.stop.cause()
    }

    pub(crate) fn token(&self) -> StopToken {
        self.stop.token()
    }

    /// When the drain ends; `None` before the stop, or if it may take for ever.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let parent = self.parent.get().and_then(StopToken::deadline);
        earliest(self.stop.deadline(), parent)
    }

    /// Stops the group; false if it was stopped before.
    pub(crate) fn stop(&self, cause: Cause) -> bool {
        self.wake(self.set_stop(cause))
    }

    /// Latches the stop and leaves the waking to the caller, who holds a lock.
    pub(crate) fn set_stop(&self, cause: Cause) -> Option<Waiters> {
        let now = self.clock_now();
        let timeout = after(now, self.drain_timeout.load(Ordering::Relaxed));
        let parent = self.parent.get().and_then(StopToken::deadline);
        self.stop.set(cause, now, earliest(timeout, parent))
    }

    /// Wakes whoever waits for the stop, the supervisor too; whether there was a stop.
    pub(crate) fn wake(&self, waiters: Option<Waiters>) -> bool {
        let stopped = waiters.map(Waiters::wake).is_some();
        if stopped {
            self.notices.send(Notice::Stopped);
        }
        stopped
    }

    /// Records a failure, and only then stops the group for it.
    ///
    /// The two are one step for whoever else fails at this moment: the service that the cause
    /// names is the one whose failure is first in the list. The waking is left until the lock is
    /// free.
    pub(crate) fn fail(&self, member: usize, exit: Exit, cause: Cause) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.push(Failure { member, exit });
        let waiters = self.set_stop(cause);
        drop(failures);
        self.wake(waiters);
    }

    pub(crate) fn take_failures(&self) -> Vec<Failure> {
        std::mem::take(&mut self.failures.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Starts the group; when that was, as [`now`](Hub::now) tells it.
    pub(crate) fn open(&self, members: &[Arc<Member>]) -> u64 {
        let now = self.now();
        self.plan.open(members);
        self.opened.store(now, Ordering::SeqCst);
        self.announce();
        now
    }

    /// When the group started, as [`now`](Hub::now) tells it; `u64::MAX` if it has not.
    pub(crate) fn opened_at(&self) -> u64 {
        match self.opened.load(Ordering::SeqCst) {
            0 => u64::MAX,
            at => at,
        }
    }

    /// Tells those who watch that a service is ready, or has ended. Costs a load if nobody does.
    ///
    /// `SeqCst`, as is the change of the service's state before this: a watcher that is not told
    /// has set the flag after this load, and then sees that change.
    pub(crate) fn announce(&self) {
        if self.is_watched.load(Ordering::SeqCst) {
            self.watchers.notify(usize::MAX);
        }
    }

    /// Listens for [announcements](Hub::announce); what was before has to be looked at after it.
    pub(crate) fn watch(&self) -> EventListener {
        self.is_watched.store(true, Ordering::SeqCst);
        self.watchers.listen()
    }

    /// Counts a service in.
    pub(crate) fn enter(&self, background: bool) {
        self.counts
            .fetch_add(if background { BACKGROUND } else { 1 }, Ordering::Relaxed);
    }

    /// Moves a service, already counted, to the background.
    pub(crate) fn move_to_background(&self) {
        self.counts.fetch_add(BACKGROUND - 1, Ordering::Relaxed);
    }

    /// Counts a service out, and tells the supervisor if it was the last of its kind.
    pub(crate) fn leave(&self, background: bool) {
        let one = if background { BACKGROUND } else { 1 };
        // Release what the service did to whoever sees it gone; acquire for the last one.
        let left = self.counts.fetch_sub(one, Ordering::AcqRel) - one;
        if left == 0 || (!background && left % BACKGROUND == 0) {
            self.notices.send(Notice::Quiet);
        }
    }

    /// Whether no service keeps the group alive any more.
    pub(crate) fn is_quiet(&self) -> bool {
        self.counts.load(Ordering::Acquire) % BACKGROUND == 0
    }

    /// Whether every service has ended.
    pub(crate) fn is_empty(&self) -> bool {
        self.counts.load(Ordering::Acquire) == 0
    }
}

/// Whole nanoseconds; what is past 584 years counts as for ever.
pub(crate) fn nanos(duration: Duration) -> u64 {
    let whole = duration.as_secs().saturating_mul(1_000_000_000);
    whole.saturating_add(u64::from(duration.subsec_nanos()))
}

/// The instant so many nanoseconds after another; `None` if that is for ever.
pub(crate) fn after(start: Instant, nanos: u64) -> Option<Instant> {
    if nanos == u64::MAX {
        None
    } else {
        start.checked_add(Duration::from_nanos(nanos))
    }
}

/// The earlier of two deadlines, where `None` is never.
pub(crate) fn earliest(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
