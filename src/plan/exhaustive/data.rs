//! A small group as data: what is true of its services and of its supervisor.

use std::hash::{Hash, Hasher};

use crate::plan::Stopping;
use crate::service::lifecycle::{Flag, Lifecycle, Phase};

/// What a service does next, where one thing that it does takes more than one atomic step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Next {
    Nothing,

    /// It is polled for the first time, and has seen whether it is held.
    LookAtStop {
        was_held: bool,
    },

    /// It has seen that the group is not stopped.
    Start,

    /// It is ready, and the plan is to be told.
    TellReady,

    /// It notes its end.
    End {
        finished: bool,
    },

    /// It has ended, and the plan is to be told.
    TellGone {
        finished: bool,
    },

    /// It is counted out.
    Leave,
}

#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) lifecycle: Lifecycle,
    pub(super) next: Next,

    /// The services that it needs, as bits: those that it was admitted with.
    pub(super) needs: u8,

    pub(super) is_background: bool,

    /// True once it is counted out.
    pub(super) has_left: bool,

    /// True once it has failed.
    pub(super) has_failed: bool,

    /// True once it was ready, or ended well.
    pub(super) was_good: bool,

    /// True once it is to stop though the group is not: a user has asked for it, for it or for one
    /// that it needs; or one that it needs is gone and was never ready.
    pub(super) stops_alone: bool,

    /// True once a user has asked that it be cancelled.
    pub(super) cancels_alone: bool,
}

impl Service {
    pub(super) fn new(is_background: bool) -> Service {
        Service {
            lifecycle: Lifecycle::new(),
            next: Next::Nothing,
            needs: 0,
            is_background,
            has_left: false,
            has_failed: false,
            was_good: false,
            stops_alone: false,
            cancels_alone: false,
        }
    }

    pub(super) fn phase(&self) -> Phase {
        self.lifecycle.phase()
    }

    pub(super) fn has(&self, flag: Flag) -> bool {
        self.lifecycle.has(flag)
    }

    pub(super) fn is_gone(&self) -> bool {
        self.lifecycle.is_gone()
    }

    /// Returns true if it was neither told to stop nor is gone.
    pub(super) fn is_untold(&self) -> bool {
        matches!(self.phase(), Phase::Waiting | Phase::Running)
    }

    pub(super) fn is_held(&self) -> bool {
        self.phase() == Phase::Waiting && self.has(Flag::Held)
    }

    /// Returns true if it has started and is not gone.
    pub(super) fn is_running(&self) -> bool {
        matches!(
            self.phase(),
            Phase::Running | Phase::Stopping | Phase::Cancelled
        )
    }

    /// Returns true if it is ready and everyone knows.
    pub(super) fn is_known_ready(&self) -> bool {
        let is_told = !matches!(self.next, Next::TellReady | Next::TellGone { .. });
        self.has(Flag::Ready) && is_told
    }

    /// Returns true if it is gone and everyone knows.
    pub(super) fn is_known_gone(&self) -> bool {
        let is_told = !matches!(self.next, Next::TellGone { .. });
        self.is_gone() && (is_told || self.phase() == Phase::Abandoned)
    }

    pub(super) fn needs(&self, index: usize) -> bool {
        self.needs & 1 << index != 0
    }
}

/// How far the group is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Stage {
    Running,
    Draining,
    Cancelling,

    /// The future of `run` was dropped.
    Dropped,
    Over,
}

/// What the supervisor does next, where one thing that it does takes more than one atomic step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Op {
    Enter(Stage),
    Stop(Stopping),
    CancelPlan,
    Tell { all: bool, next: usize },
    Settle,
    CancelNext,
    Cancel { next: usize },
    Abandon { next: usize },
    Conclude,
}

#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) services: Vec<Service>,
    pub(super) limit: Option<usize>,
    pub(super) is_open: bool,

    /// True once the stop of the group is latched.
    pub(super) is_stopped: bool,

    pub(super) stage: Stage,

    /// True once services were given up, or the future of `run` was dropped: then the background
    /// does not wait for the others any more.
    pub(super) is_hasty: bool,

    /// What the supervisor does next, the last first.
    pub(super) ops: Vec<Op>,

    /// What the supervisor was told and has not read.
    pub(super) notice_stopped: bool,
    pub(super) notice_quiet: bool,
}

impl Group {
    pub(super) fn new(limit: Option<usize>) -> Group {
        Group {
            services: Vec::new(),
            limit,
            is_open: false,
            is_stopped: false,
            stage: Stage::Running,
            is_hasty: false,
            ops: Vec::new(),
            notice_stopped: false,
            notice_quiet: false,
        }
    }

    /// Returns true if no service keeps the group alive.
    pub(super) fn is_quiet(&self) -> bool {
        self.services
            .iter()
            .all(|service| service.is_background || service.has_left)
    }

    /// Returns true if no thread is in the midst of something.
    pub(super) fn is_settled(&self) -> bool {
        let is_idle = |service: &Service| service.next == Next::Nothing;
        self.ops.is_empty() && self.services.iter().all(is_idle)
    }

    /// Returns the services that need this one.
    pub(super) fn dependents(&self, index: usize) -> impl Iterator<Item = usize> {
        let services = self.services.iter().enumerate();
        services.filter_map(move |(above, service)| service.needs(index).then_some(above))
    }

    pub(super) fn needs(&self, index: usize) -> impl Iterator<Item = &Service> {
        let needs = self.services[index].needs;
        let services = self.services.iter().enumerate();
        services.filter_map(move |(below, service)| (needs & 1 << below != 0).then_some(service))
    }

    /// Notes that a service is to stop alone, and so are all that need it.
    pub(super) fn stop_alone(&mut self, index: usize) {
        let service = &mut self.services[index];
        if !service.is_known_gone() && !std::mem::replace(&mut service.stops_alone, true) {
            self.stop_dependents_alone(index);
        }
    }

    /// Notes that all that need a service are to stop alone.
    pub(super) fn stop_dependents_alone(&mut self, index: usize) {
        for above in self.dependents(index).collect::<Vec<_>>() {
            self.stop_alone(above);
        }
    }
}

/// States that differ only in what has no effect any more have the same hash.
impl Hash for Group {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let starts = |service: &Service| service.next == Next::Start;
        let may_start = !self.is_stopped || self.services.iter().any(starts);
        for service in &self.services {
            let bits = service.lifecycle.bits() & !(Flag::StoppedAlone as u16);
            (bits, service.next, service.needs, service.has_left).hash(hasher);
            (service.was_good && may_start).hash(hasher);
            (service.has_failed && !service.is_gone()).hash(hasher);
            (service.stops_alone && !service.has_left).hash(hasher);
            (service.cancels_alone && !service.has_left).hash(hasher);
        }
        (self.is_open, self.is_stopped, self.stage, self.is_hasty).hash(hasher);
        (self.notice_stopped, self.notice_quiet).hash(hasher);
        self.ops.hash(hasher);
    }
}
