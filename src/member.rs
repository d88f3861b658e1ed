//! A service as its group sees it: what it is called, how far it is, and how it ended.

use std::borrow::Cow;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::executor::{Dispatch, Node};
use crate::hub::{Hub, after, earliest};
use crate::{Cause, Exit, StopSource, StopToken};
use crate::{OnExit, journal};

/// A service of a group: the record of it, which is also the waker of its task. One allocation.
pub(crate) type Member = Node<Record>;

/// How far a service is. Each number is past those before it; none is ever gone back to.
mod phase {
    /// Added, and not yet polled.
    pub(super) const WAITING: u8 = 0;
    /// Polled at least once.
    pub(super) const RUNNING: u8 = 1;
    /// Told to stop, and draining.
    pub(super) const STOPPING: u8 = 2;
    /// To be dropped at its next poll.
    pub(super) const CANCELLED: u8 = 3;
    /// Told to stop while waiting: to be dropped at its first poll.
    pub(super) const REFUSED: u8 = 4;
    /// Ended, its children too; what it owned has been dropped.
    pub(super) const FINISHED: u8 = 5;
    /// Ended so after its future was dropped, at the stop or at its deadline.
    pub(super) const DROPPED: u8 = 6;
    /// Given up: whatever becomes of it, nobody waits for it.
    pub(super) const ABANDONED: u8 = 7;
}

/// The bits of [`Record::state`] that hold the phase.
const PHASE: u8 = 7;

/// The bit of [`Record::state`] that says that there are tokens to pass the stop on to.
const TOKENS: u8 = 8;

/// The bit of [`Record::children`] that says that the service itself waits for their end.
const JOINING: u32 = 1 << 31;

/// The bit that says that they have all ended, and that there will be no more.
const CLOSED: u32 = 1 << 30;

/// What is known of a service.
///
/// A hundred thousand of these are meant to be cheap: 88 bytes, 120 with the node around them, and
/// nothing on the heap beside that unless the name is owned or a token asked for.
pub(crate) struct Record {
    name: Cow<'static, str>,
    location: &'static Location<'static>,

    /// When it was first polled, told to stop, and had ended: nanoseconds by the hub's clock, and
    /// 0 until then.
    started: AtomicU64,
    stopped: AtomicU64,
    ended: AtomicU64,

    /// How long its drain may take within that of the group, in milliseconds; `u32::MAX` is for
    /// as long as that.
    drain_timeout: AtomicU32,

    /// Its own stop, made when it first asks for a token.
    source: OnceLock<StopSource>,

    /// Its index in the roster.
    index: u32,

    /// The children yet to end, with [`JOINING`] and [`CLOSED`].
    children: AtomicU32,

    /// How far it is, see [`phase`], and [`TOKENS`].
    ///
    /// Both in one, so that of a stop and a first token the second sees the first.
    state: AtomicU8,

    /// Whether it leaves the group alone when it finishes well, or stops it.
    stops_group: AtomicBool,

    /// Whether it leaves the group to end without it.
    background: AtomicBool,

    /// Whether it was cancelled because its time was over.
    straggler: AtomicBool,
}

impl Node<Record> {
    /// Makes the record of a service; the caller counts it in.
    pub(crate) fn named(
        hub: &Arc<Hub>,
        index: usize,
        name: Cow<'static, str>,
        location: &'static Location<'static>,
    ) -> Arc<Member> {
        let record = Record {
            name,
            location,
            started: AtomicU64::new(0),
            stopped: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            drain_timeout: AtomicU32::new(u32::MAX),
            source: OnceLock::new(),
            // Past four thousand million services the memory is gone.
            index: index as u32,
            children: AtomicU32::new(0),
            state: AtomicU8::new(phase::WAITING),
            stops_group: AtomicBool::new(false),
            background: AtomicBool::new(false),
            straggler: AtomicBool::new(false),
        };
        Node::new(Arc::clone(hub), record)
    }

    pub(crate) fn name(&self) -> &str {
        &self.data.name
    }

    pub(crate) fn location(&self) -> &'static Location<'static> {
        self.data.location
    }

    pub(crate) fn index(&self) -> usize {
        self.data.index as usize
    }

    pub(crate) fn set_drain_timeout(&self, timeout: Duration) {
        let millis = timeout.as_nanos().div_ceil(1_000_000);
        let millis = u32::try_from(millis).unwrap_or(u32::MAX);
        self.data.drain_timeout.store(millis, Ordering::Relaxed);
    }

    pub(crate) fn set_on_exit(&self, on_exit: OnExit) {
        self.data
            .stops_group
            .store(on_exit == OnExit::Stop, Ordering::Relaxed);
    }

    /// Moves the service to the background; the caller moves the count.
    pub(crate) fn set_background(&self) -> bool {
        !self.data.background.swap(true, Ordering::Relaxed)
    }

    pub(crate) fn is_background(&self) -> bool {
        self.data.background.load(Ordering::Relaxed)
    }

    fn phase(&self) -> u8 {
        // `SeqCst` with the key: see `Node::wake_task`.
        self.data.state.load(Ordering::SeqCst) & PHASE
    }

    /// Moves on to `to` if the phase is `from`, and passes on a stop that is news.
    fn advance(&self, from: u8, to: u8) -> bool {
        let next = |state: u8| (state & PHASE == from).then_some(state & !PHASE | to);
        match self
            .data
            .state
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, next)
        {
            Ok(state) => {
                if state & TOKENS != 0 && to >= phase::STOPPING {
                    self.pass_stop_on();
                }
                true
            }
            Err(_) => false,
        }
    }

    /// Starts the service at its first poll; false if the stop came first.
    pub(crate) fn start(&self) -> bool {
        let started = !self.hub.is_stopped() && self.advance(phase::WAITING, phase::RUNNING);
        if started {
            self.data.started.store(self.hub.now(), Ordering::Relaxed);
            journal::started(self);
        }
        started
    }

    /// Tells the service to stop, at `now`; one that waits will not start. Once is enough.
    ///
    /// Its task has to be woken then; the answer is whether.
    pub(crate) fn stop(&self, now: u64) -> bool {
        if self.is_stopped() {
            return false;
        }
        // Before the phase, for whoever sees the one looks at the other.
        self.data.stopped.store(now, Ordering::Relaxed);
        let stopped = self.advance(phase::RUNNING, phase::STOPPING)
            || self.advance(phase::WAITING, phase::REFUSED)
            || self.advance(phase::RUNNING, phase::STOPPING);
        if !stopped {
            // It ended by itself at this very moment.
            self.data.stopped.store(0, Ordering::Relaxed);
        }
        stopped
    }

    /// Has the service's future dropped at its next poll, which the caller brings about; false if
    /// it has ended. It must have been told to stop before.
    pub(crate) fn cancel(&self) -> bool {
        let cancelled = self.advance(phase::STOPPING, phase::CANCELLED);
        if cancelled {
            self.data.straggler.store(true, Ordering::Relaxed);
        }
        cancelled
    }

    /// Gives the service up, unless it has ended.
    pub(crate) fn abandon(&self) {
        if self.advance(phase::CANCELLED, phase::ABANDONED)
            || self.advance(phase::REFUSED, phase::ABANDONED)
        {
            self.data.straggler.store(true, Ordering::Relaxed);
        }
    }

    /// Whether the service has been told to stop. One load.
    pub(crate) fn is_stopped(&self) -> bool {
        self.phase() >= phase::STOPPING
    }

    /// Whether the service is to be dropped. One load.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.phase() >= phase::CANCELLED
    }

    /// Whether the service has started and not ended.
    #[cfg(feature = "log")]
    pub(crate) fn is_running(&self) -> bool {
        (phase::RUNNING..=phase::CANCELLED).contains(&self.phase())
    }

    /// Whether the service runs in place, where its record is its waker.
    pub(crate) fn is_in_place(&self) -> bool {
        matches!(self.hub.dispatch, Dispatch::Here(_))
    }

    /// Why the service is to stop, once it is.
    pub(crate) fn cause(&self) -> Option<Cause> {
        self.is_stopped().then(|| self.hub.cause()).flatten()
    }

    /// Until when the service has time, once it has been told to stop.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.is_stopped()
            .then(|| earliest(self.own_deadline(), self.hub.deadline()))
            .flatten()
    }

    /// The deadline that is due to the service's own timeout, if it has one and has been stopped.
    pub(crate) fn own_deadline(&self) -> Option<Instant> {
        let timeout = self.data.drain_timeout.load(Ordering::Relaxed);
        let stopped = self.data.stopped.load(Ordering::Relaxed);
        if timeout == u32::MAX || stopped == 0 {
            return None;
        }
        after(self.hub.instant(stopped), u64::from(timeout) * 1_000_000)
    }

    /// A token that is stopped when the service is told to stop.
    pub(crate) fn token(&self) -> StopToken {
        let token = self.data.source.get_or_init(StopSource::new).token();
        if self.data.state.fetch_or(TOKENS, Ordering::SeqCst) & PHASE >= phase::STOPPING {
            self.pass_stop_on();
        }
        token
    }

    /// Stops the tokens of this service.
    fn pass_stop_on(&self) {
        if let (Some(source), Some(cause)) = (self.data.source.get(), self.hub.cause()) {
            source.stop_by(cause, self.deadline());
        }
    }

    /// Counts a child in; false if the service has ended, or is cancelled.
    pub(crate) fn enter_child(&self) -> bool {
        if self.is_cancelled() {
            return false;
        }
        let before = self.data.children.fetch_add(1, Ordering::Relaxed);
        if before & CLOSED != 0 {
            self.data.children.fetch_sub(1, Ordering::Relaxed);
        }
        before & CLOSED == 0
    }

    /// Counts a child out, and wakes the service if that is all it waits for.
    pub(crate) fn leave_child(&self) {
        if self.data.children.fetch_sub(1, Ordering::AcqRel) == JOINING | 1 {
            self.wake_task();
        }
    }

    /// Whether all children have ended; if not, the service is woken when they have.
    pub(crate) fn join_children(&self) -> bool {
        let children = &self.data.children;
        children.fetch_or(JOINING, Ordering::AcqRel) & !JOINING == 0
            && children
                .compare_exchange(
                    JOINING,
                    JOINING | CLOSED,
                    Ordering::AcqRel,
                    Ordering::Relaxed,
                )
                .is_ok()
    }

    /// How many children are yet to end.
    #[cfg(feature = "log")]
    pub(crate) fn children(&self) -> u32 {
        self.data.children.load(Ordering::Relaxed) & !(JOINING | CLOSED)
    }

    /// Records a failure of the service and stops the group for it.
    pub(crate) fn fail(&self, exit: Exit) {
        journal::failed(self, &exit);
        let cause = match exit {
            Exit::Panicked(_) => Cause::Panicked(self.data.name.clone()),
            _ => Cause::Failed(self.data.name.clone()),
        };
        self.hub.fail(self.index(), exit, cause);
    }

    /// Notes the end of the service: nothing of it is left.
    ///
    /// `finished` says that it returned, well or not; otherwise it was dropped.
    pub(crate) fn end(&self, finished: bool) {
        self.data.ended.store(self.hub.now(), Ordering::Relaxed);
        let to = if finished {
            phase::FINISHED
        } else {
            phase::DROPPED
        };
        let kept = |state| (state & PHASE != phase::ABANDONED).then_some(to);
        let _ = self
            .data
            .state
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, kept);
        if finished && self.data.stops_group.load(Ordering::Relaxed) {
            self.hub.stop(Cause::Finished(self.data.name.clone()));
        }
        journal::ended(self, finished);
        self.hub.leave(self.is_background());
    }

    /// How long ago the service was told to stop; `None` if it is yet to be.
    #[cfg(feature = "log")]
    pub(crate) fn draining_for(&self) -> Option<Duration> {
        match self.data.stopped.load(Ordering::Relaxed) {
            0 => None,
            at => Some(Duration::from_nanos(self.hub.now().saturating_sub(at))),
        }
    }

    pub(crate) fn started(&self) -> Option<u64> {
        Some(self.data.started.load(Ordering::Relaxed)).filter(|&at| at != 0)
    }

    pub(crate) fn stopped(&self) -> Option<u64> {
        Some(self.data.stopped.load(Ordering::Relaxed)).filter(|&at| at != 0)
    }

    pub(crate) fn ended(&self) -> Option<u64> {
        let ended = (phase::FINISHED..=phase::DROPPED).contains(&self.phase());
        Some(self.data.ended.load(Ordering::Relaxed)).filter(|_| ended)
    }

    pub(crate) fn is_straggler(&self) -> bool {
        self.data.straggler.load(Ordering::Relaxed)
    }

    /// How the service ended, its failures apart.
    pub(crate) fn exit(&self) -> &'static Exit {
        static EXITS: [Exit; 4] = [
            Exit::Finished,
            Exit::Cancelled,
            Exit::Abandoned,
            Exit::NotStarted,
        ];
        let [finished, cancelled, abandoned, not_started] = &EXITS;
        match self.phase() {
            phase::FINISHED => finished,
            phase::ABANDONED => abandoned,
            _ if self.started().is_none() => not_started,
            _ => cancelled,
        }
    }
}
