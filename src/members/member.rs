//! A service of a group: what it is called, how far it is, what is set for it.

use std::borrow::Cow;
use std::panic::Location;
use std::sync::Arc;

use super::core::{Child, ChildRecord, Core, Member};
use super::registry::Registered;
use crate::executor::node::Node;
use crate::service::lifecycle::{Flag, Phase};
use crate::service::options::ServiceOptions;
use crate::service::record::Record;
use crate::service::state::State;
use crate::sync::AtomicBool;

impl Registered for Member {
    fn index(&self) -> usize {
        self.data.index()
    }

    fn is_forgotten(&self) -> bool {
        self.has(Flag::Forgotten)
    }
}

impl Node<Core, Record> {
    /// Makes the record of a service; the caller counts it in.
    pub(crate) fn named(
        core: &Arc<Core>,
        index: usize,
        name: Cow<'static, str>,
        location: &'static Location<'static>,
    ) -> Arc<Member> {
        Node::new(Arc::clone(core), Record::new(index, name, location))
    }

    /// Makes a child of the service; the caller counts it in.
    pub(crate) fn child(member: &Arc<Member>) -> Arc<Child> {
        let core = &member.host;
        core.families().add(member.index(), |key| {
            let member = Arc::clone(member);
            let is_aborted = AtomicBool::new(false);
            let record = ChildRecord {
                member,
                key,
                is_aborted,
            };
            Node::new(Arc::clone(core), record)
        })
    }

    pub(crate) fn name(&self) -> &str {
        self.data.name()
    }

    pub(crate) fn index(&self) -> usize {
        self.data.index()
    }

    /// Sets what a service has itself, before anything else sees it.
    pub(crate) fn set_options(&self, options: &ServiceOptions) {
        self.data.set_on_exit(options.on_exit);
        self.data.set_on_failure(options.on_failure);
        if let Some(timeout) = options.drain_timeout {
            self.data.set_drain_timeout(timeout);
        }
        if options.background {
            self.data.set(Flag::Background);
        }
        self.data.set(Flag::Added);
    }

    pub(super) fn has(&self, flag: Flag) -> bool {
        self.data.lifecycle().has(flag)
    }

    pub(crate) fn is_background(&self) -> bool {
        self.has(Flag::Background)
    }

    pub(crate) fn is_planned(&self) -> bool {
        self.has(Flag::Planned)
    }

    /// Returns the rank at which it is dropped if all are, the greatest first: after those that
    /// need it, which were added later, and in the background after all others.
    pub(crate) fn rank(&self) -> u64 {
        let rank = self.index() as u64;
        if self.is_last() {
            rank
        } else {
            rank + (1 << 63)
        }
    }

    /// Returns true if another service needs it, and is not gone.
    pub(crate) fn is_needed(&self) -> bool {
        self.is_planned() && !self.host.plan().may_stop(self.index())
    }

    /// Returns true if it is in the background and stopped after all that are not.
    pub(crate) fn is_last(&self) -> bool {
        self.is_background() && (!self.is_planned() || self.host.plan().is_last(self.index()))
    }

    /// Returns how far the service is, and since when by the clock of the group.
    pub(crate) fn progress(&self) -> (State, u64) {
        let now = self.data.lifecycle();
        let started = self.data.started().unwrap_or(0);
        let stopped = self.data.stopped().unwrap_or(started);
        match now.phase() {
            Phase::Waiting => (State::Waiting, 0),
            Phase::Running if now.is_starting() => (State::Starting, started),
            Phase::Running => {
                let ready = now
                    .has(Flag::Planned)
                    .then(|| self.host.plan().ready_at(self.index()));
                (State::Ready, ready.flatten().unwrap_or(started))
            }
            Phase::Stopping | Phase::Refused => (State::Draining, stopped),
            Phase::Cancelled => (State::Cancelling, stopped),
            Phase::Abandoned => (State::Abandoned, stopped),
            Phase::Finished | Phase::Dropped => {
                (State::Ended, self.data.ended().unwrap_or(stopped))
            }
        }
    }
}
