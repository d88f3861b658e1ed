//! The services that take long to be ready.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::members::core::{Core, Member};
use crate::members::log;
use crate::time::deadlines::Deadlines;

/// How long a service has been starting when it is told of first. It is told of again each time
/// that the time has doubled.
const LONG: Duration = Duration::from_secs(5);

/// How much later than the first other services may be due for that, to be in the same record.
const TOGETHER: Duration = Duration::from_millis(500);

/// A look at whether a service, by its index, is ready this long after its start.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Look {
    index: usize,
    after: Duration,
}

/// The services that are starting. Those that have become ready are found so when they are looked at.
pub(super) struct Starting {
    looks: Deadlines<Look>,
}

impl Starting {
    pub(super) fn new() -> Starting {
        Starting {
            looks: Deadlines::new(),
        }
    }

    /// Adds a service that has said that it is starting, if anyone would hear of it.
    pub(super) fn add(&mut self, core: &Core, index: usize) {
        let member = core.registry.get(index);
        if let Some(member) = member.filter(|_| core.narrator.may_warn()) {
            self.push(core, &member, LONG);
        }
    }

    fn push(&mut self, core: &Core, member: &Member, after: Duration) {
        let started = member.data.started().unwrap_or(0);
        let at = core.timeline.instant(started) + after;
        let index = member.index();
        self.looks.push(at, Look { index, after }, |look| {
            let member = core.registry.get(look.index);
            member.is_some_and(|member| member.data.lifecycle().is_starting())
        });
    }

    /// Returns when to [look](Starting::look) next.
    pub(super) fn next(&self) -> Option<Instant> {
        self.looks.next()
    }

    /// Tells of the services that are still starting, if it is time.
    pub(super) fn look(&mut self, core: &Core, now: Instant) {
        if self.next().is_none_or(|at| at > now) {
            return;
        }
        let mut late: Vec<(Arc<Member>, bool)> = Vec::new();
        while let Some(Look { index, after }) = self.looks.pop(now + TOGETHER) {
            let member = core.registry.get(index);
            let is_starting = |member: &Arc<Member>| member.data.lifecycle().is_starting();
            if let Some(member) = member.filter(is_starting) {
                // If the supervisor is late itself, one record is enough.
                let elapsed = now - core.timeline.instant(member.data.started().unwrap_or(0));
                let mut next = after * 2;
                while next <= elapsed {
                    next *= 2;
                }
                self.push(core, &member, next);
                late.push((member, after == LONG));
            }
        }
        if !late.is_empty() {
            log::still_starting(core, &late);
        }
    }
}
