//! The plan of a group: which services need which, and whose turn it is.
//!
//! A plan only decides. It is told what has happened, by index, and answers with the [`Steps`] to
//! take; it holds no service, wakes none, and can be checked alone.
//!
//! Only services that need others, are needed, have a start timeout, or are in a group with a
//! limit are in it. All others are started, told to stop and joined without a look at it.

#[cfg(test)]
mod exhaustive;
pub(crate) mod graph;
mod limit;

use std::collections::BTreeSet;
use std::time::Duration;

use self::graph::{Bond, Graph, Standing};
use self::limit::Limit;

/// What follows from something that has happened, by the index of the service.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Steps {
    /// These are not to start yet.
    pub(crate) hold: Vec<usize>,

    /// These may start.
    pub(crate) start: Vec<usize>,

    /// These are told to stop.
    pub(crate) stop: Vec<usize>,

    /// Those that are to be cancelled, as someone has asked for it. They have been told to stop, now or
    /// before.
    pub(crate) cancel: Vec<usize>,
}

/// Which services of a group that is being stopped are told, once no other service needs them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub(crate) enum Stopping {
    /// None: the group is not being stopped.
    #[default]
    None,

    /// Those that are not to be stopped last.
    Foreground,

    /// All.
    All,
}

/// Which services of a group need which, and whose turn it is.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone, Hash))]
pub(crate) struct Plan {
    graph: Graph,
    limit: Limit,
    stopping: Stopping,

    /// True once the group is being cancelled: those that are told to stop are cancelled too.
    is_cancelling: bool,

    /// True if services were added by a handle before the group started: they are held.
    has_early: bool,
}

impl Plan {
    pub(crate) fn has(&self, index: usize) -> bool {
        self.graph.get(index).is_some()
    }

    /// Takes in a service, unless it is in the plan already. From here on the plan has to be told
    /// when it is ready and when it is gone.
    pub(crate) fn insert(&mut self, index: usize, standing: Standing) {
        self.graph.insert(index, standing);
    }

    /// Moves a service to the background.
    pub(crate) fn set_background(&mut self, index: usize) {
        if let Some(entry) = self.graph.get_mut(index) {
            entry.standing.is_background = true;
        }
    }

    /// Has a service start once another is ready, and stopped before that one. Both are in the
    /// plan.
    pub(crate) fn need(&mut self, index: usize, needed: usize, steps: &mut Steps) {
        match self.graph.bind(index, needed) {
            Bond::Idle => {}
            Bond::Waits => steps.hold.push(index),
            Bond::InVain => {
                steps.hold.push(index);
                self.graph
                    .stop_alone(index, &mut steps.stop, &mut steps.hold);
            }
        }
    }

    pub(crate) fn needs_of(&self, index: usize) -> Option<&BTreeSet<usize>> {
        self.graph.get(index).map(|entry| &entry.needs)
    }

    /// Returns how many services are needed by others that are not gone.
    pub(crate) fn needed(&self) -> usize {
        self.graph.needed()
    }

    /// Sets how long a service in the plan may take to be ready.
    pub(crate) fn set_start_timeout(&mut self, index: usize, timeout: Duration) {
        if let Some(entry) = self.graph.get_mut(index) {
            entry.start_timeout = Some(timeout);
        }
    }

    pub(crate) fn start_timeout(&self, index: usize) -> Option<Duration> {
        self.graph.get(index)?.start_timeout
    }

    /// Returns when a service became ready, by the group's clock.
    pub(crate) fn ready_at(&self, index: usize) -> Option<u64> {
        self.graph.get(index)?.standing.ready_at
    }

    /// Lets no more than this many services run at once.
    pub(crate) fn set_limit(&mut self, limit: usize) {
        self.limit.set(limit);
    }

    /// Returns how many services may run at once; `None` for any number.
    pub(crate) fn limit(&self) -> Option<usize> {
        self.limit.get()
    }

    /// Starts the group; true if each service has to be [lined up](Plan::line_up).
    pub(crate) fn open(&mut self) -> bool {
        self.limit.open();
        self.has_early || self.limit.get().is_some()
    }

    /// Decides on a service that a handle has added. If the group has not started, neither does
    /// the service.
    pub(crate) fn admit(&mut self, index: usize, is_background: bool, steps: &mut Steps) {
        if self.limit.is_open() {
            if self.has(index) || self.is_counted(is_background) {
                self.line_up(index, is_background, steps);
            }
        } else {
            self.has_early = true;
            steps.hold.push(index);
        }
    }

    /// Takes a turn for the service that will have this index, with `ahead` others that have not
    /// ended; false if it would have to wait.
    pub(crate) fn take_turn(&mut self, index: usize, ahead: usize) -> bool {
        self.limit.take(index, ahead)
    }

    /// Has a service start as soon as its needs are ready and it has a turn.
    pub(crate) fn line_up(&mut self, index: usize, is_background: bool, steps: &mut Steps) {
        if self.is_counted(is_background) {
            steps.hold.push(index);
        }
        let entry = self.graph.get(index);
        if let Some(entry) = entry.filter(|entry| entry.stops_alone) {
            // Held until those that need it are gone.
            if entry.dependents.is_empty() {
                steps.stop.push(index);
            }
        } else if entry.is_none_or(|entry| entry.needs_left == 0) {
            self.give_turn(index, is_background, steps);
        }
    }

    fn is_counted(&self, is_background: bool) -> bool {
        self.limit.get().is_some() && !is_background
    }

    /// All that a service needs is ready: it starts when it has its turn.
    fn give_turn(&mut self, index: usize, is_background: bool, steps: &mut Steps) {
        if self.is_counted(is_background) && !self.limit.has_turn(index) {
            self.limit.enqueue(index);
            self.limit.grant(&mut steps.start);
        } else {
            steps.start.push(index);
        }
    }

    /// A service is ready: those that waited for it alone may start.
    pub(crate) fn ready(&mut self, index: usize, now: u64, steps: &mut Steps) {
        let mut free = Vec::new();
        self.graph.ready(index, now, &mut free);
        for index in free {
            let entry = self.graph.get(index);
            if entry.is_some_and(|entry| entry.stops_alone) {
                // Held until those that need it are gone.
                continue;
            }
            let is_background = entry.is_some_and(|entry| entry.standing.is_background);
            self.give_turn(index, is_background, steps);
        }
    }

    /// A service has ended, or was given up: another has its turn, and those that it alone needed
    /// may be told to stop. One that is gone without having been ready never will be.
    pub(crate) fn gone(&mut self, index: usize, steps: &mut Steps) {
        self.limit.leave(index);
        self.limit.grant(&mut steps.start);
        let mut free = Vec::new();
        for above in self.graph.gone(index, &mut free) {
            self.graph
                .stop_alone(above, &mut steps.stop, &mut steps.hold);
        }
        free.retain(|&below| self.is_due(below));
        let is_to_cancel =
            |&&below: &&usize| self.graph.get(below).is_some_and(|one| one.cancels_alone);
        steps.cancel.extend(free.iter().filter(is_to_cancel));
        steps.stop.append(&mut free);
    }

    /// Returns true if a service is told to stop once no other needs it.
    fn is_due(&self, index: usize) -> bool {
        self.graph
            .get(index)
            .is_some_and(|entry| match self.stopping {
                Stopping::None => entry.stops_alone,
                Stopping::Foreground => entry.stops_alone || !entry.is_last,
                Stopping::All => true,
            })
    }

    /// Stops one service, after all that need it; true if that is news.
    pub(crate) fn stop_one(&mut self, index: usize, steps: &mut Steps) -> bool {
        let Some(entry) = self.graph.get(index) else {
            steps.stop.push(index);
            return true;
        };
        let is_news = !entry.stops_alone;
        self.graph
            .stop_alone(index, &mut steps.stop, &mut steps.hold);
        is_news
    }

    /// Stops a service as [`stop_one`](Plan::stop_one) does, and cancels it, once those that need it are
    /// gone.
    pub(crate) fn cancel_one(&mut self, index: usize, steps: &mut Steps) {
        self.stop_one(index, steps);
        match self.graph.get_mut(index) {
            Some(entry) if !entry.dependents.is_empty() => entry.cancels_alone = true,
            _ => steps.cancel.push(index),
        }
    }

    /// Returns true if a service is to be cancelled once those that need it are gone.
    pub(crate) fn cancels_alone(&self, index: usize) -> bool {
        let entry = self.graph.get(index);
        entry.is_some_and(|entry| entry.cancels_alone)
    }

    /// Returns true if a service is to stop, or is stopped, though the group is not, and has not
    /// ended.
    pub(crate) fn stops_alone(&self, index: usize) -> bool {
        self.graph
            .get(index)
            .is_some_and(|entry| entry.stops_alone && !entry.standing.is_gone)
    }

    /// Stops the group: from now on those that no other service needs any more are told.
    pub(crate) fn stop(&mut self, whom: Stopping) {
        if self.stopping == Stopping::None {
            self.graph.find_last();
        }
        self.stopping = whom;
    }

    /// Cancels the group: from now on those that are told to stop are cancelled too.
    pub(crate) fn cancel(&mut self) {
        self.is_cancelling = true;
    }

    pub(crate) fn is_cancelling(&self) -> bool {
        self.is_cancelling
    }

    /// Returns true if all that need a service are gone.
    pub(crate) fn may_stop(&self, index: usize) -> bool {
        self.graph
            .get(index)
            .is_none_or(|entry| entry.dependents.is_empty())
    }

    /// Returns true if a service in the background is stopped after all that are not.
    pub(crate) fn is_last(&self, index: usize) -> bool {
        self.graph.get(index).is_none_or(|entry| entry.is_last)
    }
}
