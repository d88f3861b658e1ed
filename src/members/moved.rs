//! What is done to a service when the plan says so, and what follows.

use std::sync::Arc;

use super::core::Member;
use super::log;
use super::notices::Notice;
use crate::service::lifecycle::Flag;
use crate::stop::force::Force;

/// A change of a service's lifecycle, and what follows from it.
pub(super) struct Moved {
    member: Arc<Member>,

    /// True if it may start.
    is_started: bool,

    /// True if it was told to stop.
    is_stopped: bool,

    /// True if it was cancelled.
    is_cancelled: bool,

    /// True if it was cancelled because someone has asked for it.
    is_cancelled_alone: bool,
}

impl Moved {
    fn new(member: Arc<Member>) -> Moved {
        Moved {
            member,
            is_started: false,
            is_stopped: false,
            is_cancelled: false,
            is_cancelled_alone: false,
        }
    }

    /// Lets a service start; `None` if it was not held.
    pub(super) fn start(member: Arc<Member>) -> Option<Moved> {
        let was_held = member.data.clear(Flag::Held).has(Flag::Held);
        was_held.then(|| Moved {
            is_started: true,
            ..Moved::new(member)
        })
    }

    /// Tells a service to stop, and cancels it if all are; `None` if neither is news.
    pub(super) fn stop(member: Arc<Member>, is_cancelling: bool) -> Option<Moved> {
        let now = member.host.timeline.now();
        let is_stopped = member.stop(now, !member.host.is_stopped());
        let is_cancelled = is_cancelling && member.cancel();
        (is_stopped || is_cancelled).then(|| Moved {
            is_stopped,
            is_cancelled,
            ..Moved::new(member)
        })
    }

    /// Cancels a service that was told to stop, as someone has asked for it.
    pub(super) fn cancel(member: Arc<Member>) -> Option<Moved> {
        let core = &member.host;
        if !member.data.lifecycle().is_gone() {
            core.forces.note(member.index(), Force::Request);
        }
        let is_cancelled = member.cancel_alone();
        if member.data.lifecycle().has(Flag::Forgotten) {
            // It ended in between, and this came too late for what it left to be forgotten.
            core.forces.forget(member.index());
        }
        is_cancelled.then(|| Moved {
            is_cancelled,
            is_cancelled_alone: true,
            ..Moved::new(member)
        })
    }

    /// Does what follows, once no lock is held.
    pub(super) fn follow_up(self) {
        let Moved { member, .. } = &self;
        if self.is_stopped {
            member.pass_stop_on();
            if member.own_deadline().is_some() {
                member.host.notices.send(Notice::Stopping(member.index()));
            }
        }
        if self.is_cancelled_alone {
            log::cancelling_one(member, &Force::Request);
            let notice = Notice::CancelledAlone(member.index());
            member.host.notices.send(notice);
        }
        if self.is_cancelled {
            member.host.notices.send(Notice::Cancelling);
            member.wake_with_children();
        } else if self.is_started || self.is_stopped {
            member.wake_task();
        }
    }
}
