//! The record of a service: what it is called, how far it is, and when it got there.

use std::borrow::Cow;
use std::panic::Location;
use std::time::Duration;

use super::children::Children;
use super::exit::Exit;
use super::lifecycle::{Event, Flag, Lifecycle, Phase};
use super::result::{OnExit, OnFailure};
use crate::stop::source::StopSource;
use crate::sync::{AtomicU16, AtomicU32, AtomicU64, OnceLock, Ordering};

/// The drain timeout in [`Record::terms`], where the group's holds.
const NO_TIMEOUT: u32 = u32::MAX >> 1;

/// The bit of [`Record::terms`] that says that failures do not stop the group.
const IGNORES_FAILURES: u32 = 1 << 31;

/// What is known of a service.
///
/// A hundred thousand of these are meant to be cheap: 88 bytes, 120 with the node around them, and
/// nothing on the heap beside that unless the name is owned or a token was asked for. What only
/// some services have is in the [plan](crate::plan).
pub(crate) struct Record {
    name: Cow<'static, str>,
    location: &'static Location<'static>,

    /// When it was first polled, told to stop, and had ended: nanoseconds by the group's clock,
    /// and 0 until then.
    started: AtomicU64,
    stopped: AtomicU64,
    ended: AtomicU64,

    /// How long its drain may take within that of the group, in milliseconds, or [`NO_TIMEOUT`]; and
    /// [`IGNORES_FAILURES`]. In one word, as there are many services.
    terms: AtomicU32,

    /// Its own stop, made when it first asks for a token.
    source: OnceLock<StopSource>,

    /// The lower 32 bits of its index in the registry, and the upper 16.
    index: u32,
    index_high: u16,

    pub(crate) children: Children,

    /// A [`Lifecycle`]. `SeqCst` throughout, with the key of the task: see `Node::wake_task`.
    lifecycle: AtomicU16,
}

impl Record {
    pub(crate) fn new(
        index: usize,
        name: Cow<'static, str>,
        location: &'static Location<'static>,
    ) -> Record {
        Record {
            name,
            location,
            started: AtomicU64::new(0),
            stopped: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            terms: AtomicU32::new(NO_TIMEOUT),
            source: OnceLock::new(),
            // At a million services in a second 48 bits last for 8 years.
            index: index as u32,
            index_high: (index as u64 >> 32) as u16,
            children: Children::new(),
            lifecycle: AtomicU16::new(Lifecycle::new().bits()),
        }
    }

    pub(crate) fn name(&self) -> &Cow<'static, str> {
        &self.name
    }

    pub(crate) fn location(&self) -> &'static Location<'static> {
        self.location
    }

    pub(crate) fn index(&self) -> usize {
        (u64::from(self.index_high) << 32 | u64::from(self.index)) as usize
    }

    pub(crate) fn lifecycle(&self) -> Lifecycle {
        Lifecycle::from_bits(self.lifecycle.load(Ordering::SeqCst))
    }

    /// Moves the service on; returns the lifecycle before, or `None` if the event does not apply.
    pub(crate) fn apply(&self, event: Event) -> Option<Lifecycle> {
        let next = |bits| Some(Lifecycle::from_bits(bits).after(event)?.bits());
        self.lifecycle
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, next)
            .ok()
            .map(Lifecycle::from_bits)
    }

    /// Sets a flag; returns the lifecycle before.
    pub(crate) fn set(&self, flag: Flag) -> Lifecycle {
        Lifecycle::from_bits(self.lifecycle.fetch_or(flag as u16, Ordering::SeqCst))
    }

    /// Clears a flag; returns the lifecycle before.
    pub(crate) fn clear(&self, flag: Flag) -> Lifecycle {
        Lifecycle::from_bits(self.lifecycle.fetch_and(!(flag as u16), Ordering::SeqCst))
    }

    /// Sets how long the drain may take, rounded up to whole milliseconds.
    pub(crate) fn set_drain_timeout(&self, timeout: Duration) {
        let millis = timeout.as_nanos().div_ceil(1_000_000);
        let millis = u32::try_from(millis).map_or(NO_TIMEOUT, |millis| millis.min(NO_TIMEOUT));
        // Before anyone else knows of the service, so no other thread sets what is kept here.
        let ignores = self.terms.load(Ordering::Relaxed) & IGNORES_FAILURES;
        self.terms.store(ignores | millis, Ordering::Relaxed);
    }

    pub(crate) fn set_on_failure(&self, on_failure: OnFailure) {
        let timeout = self.terms.load(Ordering::Relaxed) & !IGNORES_FAILURES;
        let ignores = match on_failure {
            OnFailure::Stop => 0,
            OnFailure::Ignore => IGNORES_FAILURES,
        };
        self.terms.store(timeout | ignores, Ordering::Relaxed);
    }

    /// Returns true if its failures do not stop the group.
    pub(crate) fn ignores_failures(&self) -> bool {
        self.terms.load(Ordering::Relaxed) & IGNORES_FAILURES != 0
    }

    /// Returns how long the drain may take, in nanoseconds; `None` if the group's timeout holds.
    pub(crate) fn drain_timeout(&self) -> Option<u64> {
        match self.terms.load(Ordering::Relaxed) & !IGNORES_FAILURES {
            NO_TIMEOUT => None,
            millis => Some(u64::from(millis) * 1_000_000),
        }
    }

    pub(crate) fn set_on_exit(&self, on_exit: OnExit) {
        match on_exit {
            OnExit::Stop => self.set(Flag::StopsGroup),
            OnExit::Continue => self.clear(Flag::StopsGroup),
        };
    }

    pub(crate) fn set_started(&self, now: u64) {
        self.started.store(now, Ordering::Relaxed);
    }

    pub(crate) fn set_stopped(&self, now: u64) {
        self.stopped.store(now, Ordering::Relaxed);
    }

    pub(crate) fn set_ended(&self, now: u64) {
        self.ended.store(now, Ordering::Relaxed);
    }

    /// Returns when the service was first polled.
    pub(crate) fn started(&self) -> Option<u64> {
        Some(self.started.load(Ordering::Relaxed)).filter(|&at| at != 0)
    }

    /// Returns when the service was told to stop.
    pub(crate) fn stopped(&self) -> Option<u64> {
        Some(self.stopped.load(Ordering::Relaxed)).filter(|&at| at != 0)
    }

    /// Returns when the service had ended; `None` for one that was given up.
    pub(crate) fn ended(&self) -> Option<u64> {
        Some(self.ended.load(Ordering::Relaxed)).filter(|_| self.lifecycle().has_ended())
    }

    /// Returns true if the service has come to its end, also after it was given up.
    pub(crate) fn has_returned(&self) -> bool {
        self.ended.load(Ordering::Relaxed) != 0
    }

    /// Returns the stop of the service, made if there is none yet.
    pub(crate) fn source(&self) -> &StopSource {
        self.source.get_or_init(StopSource::new)
    }

    /// Returns how the service ended, its failures apart.
    pub(crate) fn exit(&self) -> &'static Exit {
        let now = self.lifecycle();
        match now.phase() {
            Phase::Finished => &Exit::Finished,
            Phase::Abandoned => &Exit::Abandoned,
            _ if self.started().is_none() => &Exit::NotStarted,
            _ if now.has(Flag::Straggler) => &Exit::Cancelled,
            _ => &Exit::Stopped,
        }
    }
}
