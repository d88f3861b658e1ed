//! What the services, the handles and the supervisor of one group share.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::counts::Counts;
use super::departures::Departures;
use super::ending::Ending;
use super::failures::Failures;
use super::families::Families;
use super::forces::Forces;
use super::narrator::Narrator;
use super::notices::{Notice, Notices};
use super::observers::Observers;
use super::progress::Progress;
use super::readiness::Readiness;
use super::registry::Registry;
use super::timeouts::Timeouts;
use crate::executor::host::Host;
use crate::executor::node::Node;
use crate::executor::scheduler::Scheduler;
use crate::plan::Plan;
use crate::service::exit::Exit;
use crate::service::record::Record;
use crate::stop::cause::Cause;
use crate::stop::latch::Waiters;
use crate::stop::source::StopSource;
use crate::stop::token::StopToken;
use crate::sync::{
    AtomicBool, AtomicU64, Mutex, MutexGuard, OnceLock, Ordering, lock, next_number,
};
use crate::time::clock::Clock;
use crate::time::timeline::Timeline;
use crate::time::{deadline_after, earliest};

/// A service of a group: the record of it, which is also the waker of its task. One allocation.
pub(crate) type Member = Node<Core, Record>;

/// A child of a service: the waker of its task, which is where it finds its service.
pub(crate) type Child = Node<Core, ChildRecord>;

/// What is known of a child.
pub(crate) struct ChildRecord {
    pub(crate) member: Arc<Member>,

    /// The key that it has among its siblings.
    pub(crate) key: usize,

    /// True once it is to be dropped, though its service is not.
    pub(super) is_aborted: AtomicBool,
}

/// What the services, the handles and the supervisor of one group share. Borrows nothing, so that
/// wakers can own it.
pub(crate) struct Core {
    /// Tells this group from all others.
    pub(crate) id: u64,

    /// The stop of the group. Set by [`Core::set_stop`] only, which sets the deadline too.
    stop: StopSource,

    pub(crate) scheduler: Scheduler,
    pub(crate) timeline: Timeline,
    pub(crate) timeouts: Timeouts,
    pub(crate) registry: Registry<Member>,
    families: OnceLock<Box<Families<Child>>>,
    pub(crate) counts: Counts,
    pub(crate) failures: Failures,
    pub(crate) forces: Forces,
    pub(crate) narrator: Narrator,
    pub(crate) progress: Progress,
    pub(crate) readiness: Readiness,

    /// Announces each service that has ended or was abandoned.
    pub(super) departures: Departures,
    pub(crate) notices: Notices,
    pub(crate) ending: Ending,

    /// Locked before the registry, where both are.
    plan: Mutex<Plan>,

    /// Those that are told of each event, if there are any.
    pub(super) observers: OnceLock<Box<Observers>>,

    /// True once a service was abandoned.
    pub(super) has_abandoned: AtomicBool,

    /// When the supervisor will be polled at the latest, if it can be; 0 if it has no deadline.
    due: AtomicU64,

    /// The service that this group is, if it is nested.
    parent: OnceLock<Box<Parent>>,

    /// The groups that are services of this one, and have not ended.
    nested: OnceLock<Box<Nested>>,
}

/// The groups that are services of another, by the index of the service and the number of the group.
type Nested = Mutex<BTreeMap<(usize, u64), Weak<Core>>>;

/// The service that a nested group is.
struct Parent {
    /// Its stop, whose deadline holds in the group too.
    token: StopToken,

    /// As long as services of the group run, they count as children of this one: it has not ended
    /// before them, also if the future of the group is dropped.
    member: Mutex<Option<Arc<Member>>>,
}

impl Host for Core {
    fn scheduler(&self) -> &Scheduler {
        &self.scheduler
    }

    fn is_stopped(&self) -> bool {
        self.stop.is_stopped()
    }
}

impl Core {
    pub(crate) fn new(scheduler: Scheduler) -> Arc<Core> {
        Arc::new(Core {
            id: next_number(),
            stop: StopSource::new(),
            scheduler,
            timeline: Timeline::new(),
            timeouts: Timeouts::new(),
            registry: Registry::new(),
            families: OnceLock::new(),
            counts: Counts::new(),
            failures: Failures::new(),
            forces: Forces::new(),
            narrator: Narrator::new(),
            progress: Progress::new(),
            readiness: Readiness::new(),
            departures: Departures::new(),
            notices: Notices::new(),
            ending: Ending::new(),
            plan: Mutex::new(Plan::default()),
            observers: OnceLock::new(),
            has_abandoned: AtomicBool::new(false),
            due: AtomicU64::new(0),
            parent: OnceLock::new(),
            nested: OnceLock::new(),
        })
    }

    pub(crate) fn plan(&self) -> MutexGuard<'_, Plan> {
        lock(&self.plan)
    }

    /// Returns the children of the services. Made when there is a first one.
    pub(crate) fn families(&self) -> &Families<Child> {
        self.families.get_or_init(|| Box::new(Families::new()))
    }

    /// Notes when the supervisor will be polled at the latest.
    pub(crate) fn set_due(&self, due: Option<Instant>) {
        let due = due.map_or(0, |at| self.timeline.nanos_at(at));
        self.due.store(due, Ordering::Relaxed);
    }

    pub(crate) fn due(&self) -> Option<Instant> {
        let due = self.due.load(Ordering::Relaxed);
        (due != 0).then(|| self.timeline.instant(due))
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

    /// Has the tokens of a service that has ended stopped with the group.
    pub(crate) fn adopt(&self, source: &StopSource) {
        self.stop.adopt(source);
    }

    /// Returns when the group was stopped, by its own clock.
    pub(crate) fn stopped_at(&self) -> Option<u64> {
        self.stop.stopped_at().map(|at| self.timeline.nanos_at(at))
    }

    /// Returns when the drain ends; `None` before the stop, or if it may take forever.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        earliest(self.stop.deadline(), self.parent_deadline())
    }

    /// Returns how long the drain may take in all; `None` before the stop, or if it is forever.
    pub(crate) fn drain_limit(&self) -> Option<Duration> {
        let stopped = self.stop.stopped_at()?;
        Some(self.deadline()?.saturating_duration_since(stopped))
    }

    fn parent_deadline(&self) -> Option<Instant> {
        self.parent.get().and_then(|parent| parent.token.deadline())
    }

    /// Stops the group; false if it was stopped before.
    pub(crate) fn stop(&self, cause: Cause) -> bool {
        self.wake(self.set_stop(cause))
    }

    /// Latches the stop and leaves the waking to the caller, which holds a lock.
    fn set_stop(&self, cause: Cause) -> Option<Waiters> {
        let now = self.timeline.now_instant();
        let timeout = deadline_after(now, self.timeouts.drain());
        let deadline = earliest(timeout, self.parent_deadline());
        self.stop.set(cause, now, deadline)
    }

    /// Wakes those that wait for the stop, the supervisor first; true if there was a stop.
    ///
    /// The supervisor is told before any waiter runs, so that a waiter that cancels does not
    /// overtake the stop.
    fn wake(&self, waiters: Option<Waiters>) -> bool {
        let Some(waiters) = waiters else {
            return false;
        };
        self.notices.send(Notice::Stopped);
        waiters.wake();
        true
    }

    /// Records a failure, and only then stops the group for it.
    ///
    /// The two are one step for other services that fail at this moment. The waking is left until
    /// the lock is free, and `tell` has told of the failure.
    pub(crate) fn fail(&self, index: usize, exit: Exit, cause: Cause, tell: impl FnOnce()) {
        let waiters = self.failures.push(index, exit, || self.set_stop(cause));
        tell();
        self.wake(waiters);
    }

    /// Stops a group that no service keeps alive, unless one is added at this very moment.
    pub(crate) fn close(&self, cause: Cause) {
        let abandoned = self.count_abandoned();
        let is_quiet = || self.counts.foreground() <= abandoned;
        let waiters = self
            .registry
            .while_closed(|| is_quiet().then(|| self.set_stop(cause)).flatten());
        self.wake(waiters);
    }

    /// Notes that the group has ended.
    pub(crate) fn end(&self) {
        self.notices.close();
        self.ending.end();
        self.forget_members();
    }

    /// Counts a service out, and tells the supervisor if it was the last of its kind.
    pub(crate) fn leave(&self, is_background: bool) {
        let is_last = self.counts.leave(is_background);
        if is_last || self.has_abandoned.load(Ordering::SeqCst) {
            self.notices.send(Notice::Quiet);
            self.forget_members();
        }
    }

    /// Goes by a clock that is moved by hand, which waits until this group comes to rest.
    pub(crate) fn set_clock(&self, clock: &Clock) {
        self.timeline.set_clock(clock);
        self.count_busy();
    }

    /// Has the clock, if it is moved by hand, count what is busy.
    pub(crate) fn count_busy(&self) {
        if let Some(activity) = self.timeline.activity() {
            self.scheduler.count(activity);
        }
    }

    /// Makes this the core of a group that is this service: it goes by its clock, and ends before
    /// it.
    pub(crate) fn nest(self: &Arc<Core>, member: &Arc<Member>) {
        self.timeline.inherit(&member.host.timeline);
        self.count_busy();
        self.narrator.inherit(&member.host.narrator);
        let member_if_alive = member.enter_child().then(|| Arc::clone(member));
        if member_if_alive.is_some() {
            let nested = member.host.nested.get_or_init(Box::default);
            lock(nested).insert((member.index(), self.id), Arc::downgrade(self));
        }
        // A group runs once, so this is set once.
        let _ = self.parent.set(Box::new(Parent {
            token: member.token(),
            member: Mutex::new(member_if_alive),
        }));
    }

    /// Returns the services that are still there of the groups that a service is; none if it is no
    /// group. Those of groups within these are named with the service that those are.
    pub(crate) fn left_within(&self, index: usize) -> Vec<String> {
        let cores = self.nested_in(index);
        cores.iter().flat_map(|core| core.left()).collect()
    }

    /// Returns the groups that a service is; none if it is no group.
    pub(crate) fn nested_in(&self, index: usize) -> Vec<Arc<Core>> {
        let Some(nested) = self.nested.get() else {
            return Vec::new();
        };
        let of_service = (index, 0)..=(index, u64::MAX);
        let nested = lock(nested);
        let cores = nested.range(of_service);
        cores.filter_map(|(_, core)| core.upgrade()).collect()
    }

    /// Returns true if this group is a service of another.
    pub(crate) fn is_nested(&self) -> bool {
        self.parent.get().is_some()
    }

    /// Returns the service that this group is, if it is one of another group that goes on.
    #[cfg(feature = "http")]
    pub(crate) fn outer_member(&self) -> Option<Arc<Member>> {
        lock(&self.parent.get()?.member).clone()
    }

    /// Returns true if this group is a service of one that was stopped.
    pub(crate) fn is_outer_stopped(&self) -> bool {
        let parent = self.parent.get();
        parent.is_some_and(|parent| {
            let member = lock(&parent.member);
            member.as_ref().is_some_and(|one| one.host.is_stopped())
        })
    }

    /// Returns the names of the services that are still there.
    fn left(&self) -> Vec<String> {
        let members = self.registry.snapshot();
        let left = members
            .iter()
            .filter(|one| !one.data.lifecycle().has_ended());
        let names = left.flat_map(|one| {
            let within = self.left_within(one.index());
            let within = within
                .into_iter()
                .map(|name| format!("{}/{name}", one.name()));
            std::iter::once(one.name().to_owned()).chain(within)
        });
        names.collect()
    }

    /// Lets the service that this group is end.
    fn leave_parent(&self) {
        let parent = self.parent.get();
        let member = parent.and_then(|parent| lock(&parent.member).take());
        if let Some(member) = member {
            if let Some(nested) = member.host.nested.get() {
                lock(nested).remove(&(member.index(), self.id));
            }
            member.leave_child();
        }
    }

    /// Empties the registry once the group and all its services have ended: it and the services
    /// own each other. Until then the plan finds in it whom to tell.
    fn forget_members(&self) {
        if self.ending.has_ended() && self.counts.is_empty() {
            drop(self.registry.take());
            if let Some(observers) = self.observers.get() {
                observers.drop_hooks();
            }
            self.departures.announce_all();
            self.leave_parent();
        }
    }

    /// Returns the services, as they are now; none once the group has ended.
    pub(crate) fn members(&self) -> Arc<Vec<Arc<Member>>> {
        if self.ending.has_ended() {
            Arc::default()
        } else {
            self.registry.snapshot()
        }
    }
}
