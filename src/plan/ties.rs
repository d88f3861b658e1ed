//! What ties services to each other, and what follows when something happens to one.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::turns::Turns;
use crate::member::Member;

#[derive(Default)]
pub(super) struct Ties {
    /// By the index of the service. A service needs only those with a smaller one.
    pub(super) ties: BTreeMap<usize, Tie>,

    pub(super) turns: Turns,

    /// Whether services were added by way of a handle before the group started: they are held.
    pub(super) has_early: bool,

    /// Whether the group is being stopped: who is needed no longer is told.
    pub(super) stopping: bool,
}

/// What is tied to one service.
pub(super) struct Tie {
    pub(super) member: Weak<Member>,

    /// Those it needs, and those that need it.
    pub(super) needs: Vec<usize>,
    pub(super) needed_by: Vec<usize>,

    /// How many of those it needs are not ready.
    pub(super) unready: usize,

    /// How many of those that need it are not gone.
    pub(super) users: usize,

    /// When it became ready, by the hub's clock.
    pub(super) ready_at: Option<u64>,

    /// Whether it has ended, or was given up.
    pub(super) is_gone: bool,

    /// Whether it is to stop though the group is not.
    pub(super) stops_alone: bool,

    /// Whether it is in the background, with all that it needs: those are stopped last.
    pub(super) is_last: bool,

    /// How long it may take to be ready.
    pub(super) start_timeout: Option<Duration>,
}

/// What follows from something that happened, to be carried out once the plan is unlocked: it
/// wakes, and a waker may do anything.
#[derive(Default)]
pub(super) struct Steps {
    start: Vec<Arc<Member>>,
    pub(super) stop: Vec<Arc<Member>>,
}

impl Steps {
    pub(super) fn carry_out(self) {
        self.start.iter().for_each(|member| member.release());
        self.stop.iter().for_each(|member| member.stop_in_turn());
    }
}

impl Ties {
    /// The tie of a service, made if there is none.
    pub(super) fn tie(&mut self, member: &Arc<Member>) -> &mut Tie {
        self.ties.entry(member.index()).or_insert_with(|| {
            // What happens to it from here on, we hear of.
            let (is_ready, is_gone) = member.tie();
            Tie {
                member: Arc::downgrade(member),
                needs: Vec::new(),
                needed_by: Vec::new(),
                unready: 0,
                users: 0,
                ready_at: is_ready.then(|| member.started().unwrap_or(1)),
                is_gone,
                stops_alone: false,
                is_last: true,
                start_timeout: None,
            }
        })
    }

    pub(super) fn bind(&mut self, member: &Arc<Member>, needed: &Arc<Member>) {
        let below = self.tie(needed);
        below.needed_by.push(member.index());
        below.users += 1;
        let (is_ready, is_gone) = (below.ready_at.is_some(), below.is_gone);
        let above = self.tie(member);
        above.needs.push(needed.index());
        if !is_ready {
            above.unready += 1;
            // One that is gone and was not ready never will be.
            above.stops_alone |= is_gone;
            member.hold();
        }
    }

    /// A service is about to start, as far as its needs and its turn allow.
    pub(super) fn line_up(&mut self, member: &Arc<Member>, steps: &mut Steps) {
        let tie = self.ties.get(&member.index());
        let (unready, hopeless) = tie.map_or((0, false), |tie| (tie.unready, tie.stops_alone));
        if self.turns.count(member) {
            member.hold();
        }
        if hopeless {
            steps.stop.push(Arc::clone(member));
        } else if unready == 0 {
            self.let_start(member, steps);
        }
    }

    /// All that a service needs is ready: it starts when it is its turn.
    pub(super) fn let_start(&mut self, member: &Arc<Member>, steps: &mut Steps) {
        if self.turns.count(member) && !self.turns.has(member) {
            self.turns.enqueue(member);
            self.turns.grant(&mut steps.start);
        } else if member.is_held() {
            steps.start.push(Arc::clone(member));
        }
    }

    pub(super) fn ready(&mut self, index: usize, now: u64, steps: &mut Steps) {
        let Some(tie) = self.ties.get_mut(&index) else {
            return;
        };
        if tie.ready_at.is_some() {
            return;
        }
        tie.ready_at = Some(now);
        for above in tie.needed_by.clone() {
            let Some(above) = self.ties.get_mut(&above) else {
                continue;
            };
            above.unready -= 1;
            if above.unready == 0 {
                if let Some(member) = above.member.upgrade() {
                    self.let_start(&member, steps);
                }
            }
        }
    }

    pub(super) fn gone(&mut self, index: usize, quiet: bool, steps: &mut Steps) {
        self.turns.leave(index);
        self.turns.grant(&mut steps.start);
        let Some(tie) = self.ties.get_mut(&index) else {
            return;
        };
        if std::mem::replace(&mut tie.is_gone, true) {
            return;
        }
        if tie.ready_at.is_none() {
            for above in tie.needed_by.clone() {
                self.stop_alone(above, steps);
            }
        }
        let needs = self
            .ties
            .get(&index)
            .map_or(Vec::new(), |tie| tie.needs.clone());
        for below in needs {
            let Some(below) = self.ties.get_mut(&below) else {
                continue;
            };
            below.users -= 1;
            let due = self.stopping && (quiet || !below.is_last) || below.stops_alone;
            if below.users == 0 && due {
                steps.stop.extend(below.member.upgrade());
            }
        }
    }

    /// Has a service stopped alone, and before it all that need it, and that need those.
    pub(super) fn stop_alone(&mut self, index: usize, steps: &mut Steps) {
        let mut next = vec![index];
        while let Some(tie) = next.pop().and_then(|index| self.ties.get_mut(&index)) {
            if std::mem::replace(&mut tie.stops_alone, true) || tie.is_gone {
                continue;
            }
            if tie.users == 0 {
                steps.stop.extend(tie.member.upgrade());
            }
            next.extend(&tie.needed_by);
        }
    }

    /// Finds those in the background that need nothing which is not.
    pub(super) fn find_last(&mut self) {
        let indices: Vec<_> = self.ties.keys().copied().collect();
        for index in indices {
            let Some(tie) = self.ties.get(&index) else {
                continue;
            };
            let background = tie
                .member
                .upgrade()
                .is_none_or(|member| member.is_background());
            let last = |below: &usize| self.ties.get(below).is_none_or(|below| below.is_last);
            let is_last = background && tie.needs.iter().all(last);
            if let Some(tie) = self.ties.get_mut(&index) {
                tie.is_last = is_last;
            }
        }
    }
}
