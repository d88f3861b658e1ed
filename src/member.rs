//! A service as its group sees it: what it is called, how far it is, and how it ended.

mod children;
mod course;

use std::borrow::Cow;
use std::panic::Location;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

pub(crate) use self::course::Start;
use self::course::phase;
use crate::executor::{Dispatch, Node};
use crate::hub::{Hub, after, earliest};
use crate::{Cause, Exit, OnExit, StopSource, StopToken};

/// A service of a group: the record of it, which is also the waker of its task. One allocation.
pub(crate) type Member = Node<Record>;

/// The bits of [`Record::traits`].
mod traits {
    /// It stops the group when it finishes well.
    pub(super) const STOPS_GROUP: u8 = 1;
    /// It leaves the group to end without it.
    pub(super) const BACKGROUND: u8 = 2;
    /// It was cancelled because its time was over.
    pub(super) const STRAGGLER: u8 = 4;
    /// It was told to stop while the group was not.
    pub(super) const ALONE: u8 = 8;
}

/// What is known of a service.
///
/// A hundred thousand of these are meant to be cheap: 88 bytes, 120 with the node around them, and
/// nothing on the heap beside that unless the name is owned or a token asked for. What only some
/// services have is in the [`Plan`](crate::plan::Plan).
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

    /// The children yet to end, see [`children`].
    children: AtomicU32,

    /// How far it is, see [`course`].
    state: AtomicU8,

    /// What is different about it, see [`traits`].
    traits: AtomicU8,
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
            traits: AtomicU8::new(0),
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

    /// The greater, the sooner it is dropped when all are: after those that need it, which were
    /// added later, and in the background after all others.
    pub(crate) fn depth(&self) -> u64 {
        let last = self.hub.plan.is_last(self);
        u64::from(self.data.index) + if last { 0 } else { 1 << 32 }
    }

    /// Notes a trait; false if it was there.
    fn mark(&self, trait_: u8) -> bool {
        self.data.traits.fetch_or(trait_, Ordering::Relaxed) & trait_ == 0
    }

    fn has(&self, trait_: u8) -> bool {
        self.data.traits.load(Ordering::Relaxed) & trait_ != 0
    }

    pub(crate) fn set_drain_timeout(&self, timeout: Duration) {
        let millis = timeout.as_nanos().div_ceil(1_000_000);
        let millis = u32::try_from(millis).unwrap_or(u32::MAX);
        self.data.drain_timeout.store(millis, Ordering::Relaxed);
    }

    pub(crate) fn set_on_exit(&self, on_exit: OnExit) {
        match on_exit {
            OnExit::Stop => drop(self.mark(traits::STOPS_GROUP)),
            OnExit::Continue => {
                let kept = !traits::STOPS_GROUP;
                self.data.traits.fetch_and(kept, Ordering::Relaxed);
            }
        }
    }

    /// Moves the service to the background; the caller moves the count.
    pub(crate) fn set_background(&self) -> bool {
        self.mark(traits::BACKGROUND)
    }

    pub(crate) fn is_background(&self) -> bool {
        self.has(traits::BACKGROUND)
    }

    pub(crate) fn is_straggler(&self) -> bool {
        self.has(traits::STRAGGLER)
    }

    /// Whether the service runs in place, where its record is its waker.
    pub(crate) fn is_in_place(&self) -> bool {
        matches!(self.hub.dispatch, Dispatch::Here(_))
    }

    /// Why the service is to stop, once it is.
    pub(crate) fn cause(&self) -> Option<Cause> {
        if !self.is_stopped() {
            None
        } else if self.has(traits::ALONE) {
            Some(Cause::Requested)
        } else {
            self.hub.cause()
        }
    }

    /// Until when the service has time, once it has been told to stop.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.is_stopped()
            .then(|| earliest(self.own_deadline(), self.hub.deadline()))
            .flatten()
    }

    /// The deadline that is not the group's: that of the service's own timeout, or, where it was
    /// stopped alone, of the group's timeout counted from there.
    pub(crate) fn own_deadline(&self) -> Option<Instant> {
        let own = self.data.drain_timeout.load(Ordering::Relaxed);
        let stopped = self.stopped()?;
        let timeout = match own {
            u32::MAX if self.has(traits::ALONE) => self.hub.drain_timeout(),
            u32::MAX => return None,
            millis => u64::from(millis) * 1_000_000,
        };
        after(self.hub.instant(stopped), timeout)
    }

    /// How long ago the service was told to stop; `None` if it is yet to be.
    #[cfg(feature = "log")]
    pub(crate) fn draining_for(&self) -> Option<Duration> {
        let since = self.hub.now().saturating_sub(self.stopped()?);
        Some(Duration::from_nanos(since))
    }

    pub(crate) fn started(&self) -> Option<u64> {
        Some(self.data.started.load(Ordering::Relaxed)).filter(|&at| at != 0)
    }

    pub(crate) fn stopped(&self) -> Option<u64> {
        Some(self.data.stopped.load(Ordering::Relaxed)).filter(|&at| at != 0)
    }

    pub(crate) fn ended(&self) -> Option<u64> {
        Some(self.data.ended.load(Ordering::Relaxed)).filter(|_| self.has_ended())
    }

    /// A token that is stopped when the service is told to stop.
    pub(crate) fn token(&self) -> StopToken {
        let token = self.data.source.get_or_init(StopSource::new).token();
        if self.note_token() {
            self.pass_stop_on();
        }
        token
    }

    /// Stops the tokens of this service.
    fn pass_stop_on(&self) {
        if let (Some(source), Some(cause)) = (self.data.source.get(), self.cause()) {
            source.stop_by(cause, self.deadline());
        }
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
