//! Carrying out what the plan decides.
//!
//! A step is a change of a service's lifecycle and what follows from it. The change is made under
//! the lock of the plan, so that it never is stale: the next decision sees it. What follows wakes
//! and logs, which may run any code, and comes after the lock is free.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::core::{Core, Member};
use super::moved::Moved;
use super::registry::Reason;
use crate::plan::graph::Standing;
use crate::plan::{Plan, Steps};
use crate::service::id::ServiceId;
use crate::service::lifecycle::Flag;
use crate::service::options::ServiceOptions;
use crate::sync::MutexGuard;

/// What to do with a service that would have to wait for its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WhenFull {
    Wait,
    Refuse,
}

/// A service that another needs.
enum Needed {
    Here(Arc<Member>),

    /// It has ended without having been ready, and was forgotten.
    Never(usize),

    /// It was ready, has ended, and was forgotten.
    Done,
}

impl Core {
    /// Has the plan decide, and carries out what it says.
    fn decide<T>(&self, decide: impl FnOnce(&mut Plan, &mut Steps) -> T) -> T {
        let mut steps = Steps::default();
        let mut plan = self.plan();
        let decision = decide(&mut plan, &mut steps);
        let moved = self.change(&plan, &steps);
        drop(plan);
        moved.into_iter().for_each(Moved::follow_up);
        decision
    }

    /// Changes the lifecycles as the plan says. Runs under its lock, and so wakes nothing.
    fn change(&self, plan: &MutexGuard<'_, Plan>, steps: &Steps) -> Vec<Moved> {
        let mut moved = Vec::new();
        for &index in &steps.hold {
            if let Some(member) = self.registry.get(index) {
                member.data.set(Flag::Planned);
                member.data.set(Flag::Held);
            }
        }
        for &index in &steps.start {
            moved.extend(self.registry.get(index).and_then(Moved::start));
        }
        for &index in &steps.stop {
            let is_cancelling = plan.is_cancelling();
            let member = self.registry.get(index);
            moved.extend(member.and_then(|member| Moved::stop(member, is_cancelling)));
        }
        for &index in &steps.cancel {
            moved.extend(self.registry.get(index).and_then(Moved::cancel));
        }
        moved
    }

    /// Has the plan told from here on of what happens to a service.
    fn enroll(plan: &mut Plan, member: &Member) {
        if plan.has(member.index()) {
            return;
        }
        let now = member.data.set(Flag::Planned);
        let ready_at = now
            .has(Flag::Ready)
            .then(|| member.data.started().unwrap_or(1));
        plan.insert(
            member.index(),
            Standing {
                ready_at,
                is_gone: now.is_gone(),
                is_background: now.has(Flag::Background),
            },
        );
    }

    /// Takes a service into the plan that another is to need, unless it is being stopped. Returns its
    /// index; `None` if there is nothing to wait for.
    fn enroll_needed(plan: &mut Plan, needed: &Needed) -> Result<Option<usize>, Reason> {
        let needed = match needed {
            Needed::Here(needed) => needed,
            Needed::Never(index) => return Ok(Some(*index)),
            Needed::Done => return Ok(None),
        };
        Core::enroll(plan, needed);
        let now = needed.data.lifecycle();
        let is_stopping = now.is_stopped() && !now.is_gone();
        if is_stopping || plan.stops_alone(needed.index()) {
            return Err(Reason::Stopping);
        }
        Ok(Some(needed.index()))
    }

    /// Has a service need another, which the plan knows, or which has ended without having been ready
    /// and was forgotten.
    fn bind(&self, plan: &mut Plan, member: &Member, needed: usize, steps: &mut Steps) {
        Core::enroll(plan, member);
        if self.registry.was_in_vain(needed) {
            // Known to the plan only for as long as it takes to see that this one waits in vain.
            let standing = Standing {
                is_gone: true,
                ..Standing::default()
            };
            plan.insert(needed, standing);
        }
        plan.need(member.index(), needed, steps);
    }

    /// Returns the service that another of this group needs.
    fn find_needed(&self, index: usize, id: ServiceId) -> Result<Needed, Reason> {
        let needed = id.index_in(self.id).ok_or(Reason::Foreign)?;
        match needed.cmp(&index) {
            // Where both can be named, a service may come to need one that was added after it, and
            // that one needs it: nothing but the order of addition keeps out circles.
            Ordering::Greater => Err(Reason::Later),
            Ordering::Equal => Err(Reason::Itself),
            Ordering::Less => Ok(match self.registry.get(needed) {
                Some(member) => Needed::Here(member),
                None if self.registry.was_in_vain(needed) => Needed::Never(needed),
                None => Needed::Done,
            }),
        }
    }

    /// Adds a service before the group runs.
    pub(crate) fn add(
        self: &Arc<Core>,
        name: Cow<'static, str>,
        location: &'static Location<'static>,
    ) -> Arc<Member> {
        let added = self.registry.add(|index| {
            self.counts.enter(false);
            Ok(Member::named(self, index, name, location))
        });
        let Ok::<_, std::convert::Infallible>(member) = added;
        member
    }

    /// Adds a service by a handle, with all that is set for it, as one step.
    ///
    /// A stop is latched before the registry is looked at to tell every service of it, so a
    /// service is either refused here or told there.
    pub(crate) fn admit(
        self: &Arc<Core>,
        name: Cow<'static, str>,
        location: &'static Location<'static>,
        options: &ServiceOptions,
        when_full: WhenFull,
    ) -> Result<Arc<Member>, Reason> {
        self.decide(|plan, steps| {
            let needed = self.find_all_needed(plan, options)?;
            let member = self.registry.add(|index| {
                if self.is_stopped() {
                    return Err(Reason::Stopped);
                }
                let ahead = self.counts.foreground();
                if when_full == WhenFull::Refuse && !plan.take_turn(index, ahead) {
                    return Err(Reason::Full);
                }
                self.counts.enter(options.background);
                let member = Member::named(self, index, name, location);
                member.set_options(options);
                Ok(member)
            })?;
            for needed in needed {
                self.bind(plan, &member, needed, steps);
            }
            if let Some(timeout) = options.start_timeout {
                Core::set_start_timeout(plan, &member, timeout);
            }
            plan.admit(member.index(), options.background, steps);
            Ok(member)
        })
    }

    /// Takes the services into the plan that another is to need; returns their indices.
    ///
    /// From here on the plan decides on the stop of each, and so none comes at this moment.
    fn find_all_needed(
        &self,
        plan: &mut Plan,
        options: &ServiceOptions,
    ) -> Result<Vec<usize>, Reason> {
        let mut indices = Vec::new();
        for &id in &options.needs {
            let needed = self.find_needed(usize::MAX, id)?;
            indices.extend(Core::enroll_needed(plan, &needed)?);
        }
        Ok(indices)
    }

    /// Has a service need another before the group runs.
    pub(crate) fn need(&self, member: &Arc<Member>, id: ServiceId) -> Result<(), Reason> {
        let needed = self.find_needed(member.index(), id)?;
        self.decide(|plan, steps| {
            if let Some(needed) = Core::enroll_needed(plan, &needed)? {
                self.bind(plan, member, needed, steps);
            }
            Ok(())
        })
    }

    /// Sets how long a service may take to be ready, before it runs.
    pub(crate) fn limit_start(&self, member: &Member, timeout: Duration) {
        Core::set_start_timeout(&mut self.plan(), member, timeout);
    }

    fn set_start_timeout(plan: &mut Plan, member: &Member, timeout: Duration) {
        member.set_starting();
        Core::enroll(plan, member);
        plan.set_start_timeout(member.index(), timeout);
    }

    /// Moves a service to the background before the group runs.
    pub(crate) fn move_to_background(&self, member: &Member) {
        let mut plan = self.plan();
        if !member.data.set(Flag::Background).has(Flag::Background) {
            self.counts.move_to_background();
            plan.set_background(member.index());
        }
    }

    /// Returns the limit of the group and the needs of these services. Copied: what is done with
    /// them may run any code, and not under the lock of the plan.
    pub(crate) fn copy_plan(&self, members: &[Arc<Member>]) -> (Option<usize>, Vec<Vec<usize>>) {
        let plan = self.plan();
        let needs_of = |member: &Arc<Member>| {
            let needs = plan.needs_of(member.index());
            needs.into_iter().flatten().copied().collect()
        };
        (plan.limit(), members.iter().map(needs_of).collect())
    }

    /// Starts the group: the first services have their turns. Returns when that was.
    pub(crate) fn open(&self) -> u64 {
        let now = self.timeline.now();
        self.decide(|plan, steps| {
            if plan.open() {
                let members = self.registry.snapshot();
                // One that a handle added may have ended: it would keep its turn for good.
                let is_left = |member: &&Arc<Member>| !member.data.lifecycle().is_gone();
                for member in members.iter().filter(is_left) {
                    plan.line_up(member.index(), member.is_background(), steps);
                }
            }
        });
        self.readiness.open(now);
        now
    }

    /// A service in the plan is ready.
    pub(crate) fn service_ready(&self, index: usize) {
        let now = self.timeline.now();
        self.decide(|plan, steps| plan.ready(index, now, steps));
    }

    /// A service in the plan has ended, or was given up.
    pub(crate) fn service_gone(&self, index: usize, is_ready: bool) {
        let now = self.timeline.now();
        self.decide(|plan, steps| {
            if is_ready {
                plan.ready(index, now, steps);
            }
            plan.gone(index, steps);
        });
    }

    /// Stops one service, after all that need it; true if that is news.
    pub(crate) fn stop_one(&self, id: ServiceId) -> bool {
        let member = id
            .index_in(self.id)
            .and_then(|index| self.registry.get(index));
        member.is_some_and(|member| {
            self.decide(|plan, steps| {
                let is_over = member.is_stopped() || member.data.lifecycle().is_gone();
                !is_over && plan.stop_one(member.index(), steps)
            })
        })
    }

    /// Cancels one service, and stops those that need it before; false if it has been cancelled before,
    /// or has ended.
    pub(crate) fn cancel_one(&self, id: ServiceId) -> bool {
        let index = id.index_in(self.id);
        let member = index.and_then(|index| self.registry.get(index));
        member.is_some_and(|member| {
            self.decide(|plan, steps| {
                let now = member.data.lifecycle();
                let is_over = now.is_cancelled() || now.is_gone();
                let is_news = !is_over && !plan.cancels_alone(member.index());
                if is_news {
                    plan.cancel_one(member.index(), steps);
                }
                is_news
            })
        })
    }
}
