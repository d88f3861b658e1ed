//! What the guarantees are asked about: a run that is over, by service and by number of event.

use crate::record::{Ending, Event, History, Kind, Line, Told, What};
use crate::scenario::{Place, ServicePlan};

/// The number of an event: of two, the smaller was first.
pub type Number = usize;

impl History {
    /// The numbers of the events that are such.
    pub fn all(&self, is_it: impl Fn(&What) -> bool) -> impl Iterator<Item = Number> {
        let found = self.events.iter().enumerate();
        found
            .filter(move |(_, event)| is_it(&event.what))
            .map(|(number, _)| number)
    }

    pub fn first(&self, is_it: impl Fn(&What) -> bool) -> Option<Number> {
        self.all(is_it).next()
    }

    pub fn find(&self, what: &What) -> Option<Number> {
        self.first(|other| other == what)
    }

    pub fn has(&self, is_it: impl Fn(&What) -> bool) -> bool {
        self.first(is_it).is_some()
    }

    /// When an event was, in milliseconds by the hand clock.
    pub fn at(&self, number: Number) -> u64 {
        self.events.get(number).map_or(0, |event: &Event| event.at)
    }

    pub fn called(&self, index: usize) -> Option<Number> {
        self.find(&What::Called(index))
    }

    pub fn gone(&self, index: usize) -> Option<Number> {
        self.find(&What::Gone(index))
    }

    /// When a service was about to be added.
    pub fn added(&self, index: usize) -> Option<Number> {
        self.first(|what| is_addition(what, index))
    }

    pub fn told(&self, index: usize) -> Option<Number> {
        self.first(|what| matches!(what, What::Told(of, _) if *of == index))
    }

    /// When a service and its children had all gone; `None` if they are not.
    pub fn ended(&self, index: usize) -> Option<Number> {
        let spawned = self.all(|what| matches!(what, What::ChildSpawned(of, _) if *of == index));
        let gone = self.all(|what| matches!(what, What::ChildGone(of, _) if *of == index));
        let (spawned, gone): (_, Vec<_>) = (spawned.count(), gone.collect());
        let own = self.gone(index)?;
        (gone.len() == spawned).then(|| gone.into_iter().max().map_or(own, |last| last.max(own)))
    }

    /// From when on others may take a service for ready; `None` if it never was.
    pub fn ready(&self, index: usize) -> Option<Number> {
        let own = self.first(|what| {
            [
                What::SaysReady(index),
                What::PolledOnce(index),
                What::ReturnsWell(index),
            ]
            .contains(what)
        });
        let nested = self
            .plan(index)
            .nested
            .and_then(|group| self.nested_ready(index, group));
        earliest(own, nested)
    }

    /// A group is ready when each of its services is, or has ended.
    fn nested_ready(&self, owner: usize, group: usize) -> Option<Number> {
        let mut last = self.called(owner)?;
        for (index, service) in self.scenario.present() {
            if service.group == group {
                last = last.max(earliest(self.ready(index), self.gone(index))?);
            }
        }
        Some(last)
    }

    /// What was planned for a service; `try_add` took none of its options.
    pub fn plan(&self, index: usize) -> ServicePlan {
        let mut plan = self.scenario.services[index].clone();
        if self.has(|what| *what == What::Trying(index)) {
            plan.background = false;
            plan.stops_group = false;
            plan.ignores = false;
            plan.start_timeout = None;
            plan.drain_timeout = None;
            plan.restarts = None;
        }
        plan
    }

    /// The services of a group that were taken in.
    pub fn members(&self, group: usize) -> Vec<usize> {
        let taken = |index: &usize| {
            let begun = self.has(|what| is_addition(what, *index));
            begun && self.find(&What::Refused(*index)).is_none()
        };
        let of_group = self
            .scenario
            .present()
            .filter(|(_, one)| one.group == group);
        of_group.map(|(index, _)| index).filter(taken).collect()
    }

    /// Every need that was taken in: a service, and one that it needs.
    pub fn needs(&self) -> Vec<(usize, usize)> {
        let mut needs = Vec::new();
        for event in &self.events {
            if let What::Adding(user, below) = &event.what {
                if self.find(&What::Refused(*user)).is_none() {
                    needs.extend(below.iter().map(|&needed| (*user, needed)));
                }
            }
        }
        needs
    }

    /// A service with all that it needs, and what those need.
    pub fn below(&self, index: usize) -> Vec<usize> {
        let needs = self.needs();
        let mut all = vec![index];
        let mut next = 0;
        while let Some(&user) = all.get(next) {
            let more = needs.iter().filter(|(other, _)| *other == user);
            let more: Vec<_> = more.map(|(_, needed)| *needed).collect();
            all.extend(
                more.into_iter()
                    .filter(|needed| !all.contains(needed))
                    .collect::<Vec<_>>(),
            );
            next += 1;
        }
        all
    }

    /// When a service failed first, as far as it said so itself.
    pub fn failed(&self, index: usize) -> Option<Number> {
        self.first(|what| {
            [
                What::ReturnsError(index),
                What::Panics(index),
                What::ChildFails(index),
            ]
            .contains(what)
        })
    }

    /// Whether a service, or a run of it, came to an end of its own.
    pub fn ended_itself(&self, index: usize) -> bool {
        // The panic of a nested group is one of the service, without a word of it in the log.
        let panicked = self.nested_panicked(index);
        let well = self.find(&What::ReturnsWell(index)).is_some();
        well || panicked || self.failed(index).is_some()
    }

    /// Whether a panic went through the `run` of the group that a service is.
    pub fn nested_panicked(&self, index: usize) -> bool {
        let named = format!("`s{index}` panicked");
        let told = self.told_outcome();
        self.plan(index).nested.is_some() && told.is_some_and(|told| told.text.contains(&named))
    }

    pub fn told_outcome(&self) -> Option<&Told> {
        match &self.ending {
            Ending::Returned(told) => Some(told),
            _ => None,
        }
    }

    pub fn line(&self, index: usize) -> Option<Line> {
        let found = self
            .told_outcome()?
            .reports
            .iter()
            .find(|(of, _)| *of == index);
        found.map(|(_, line)| *line)
    }

    /// When a service was first asked to stop, or to be cancelled, alone.
    pub fn alone(&self, index: usize) -> Option<Number> {
        self.first(
            |what| matches!(what, What::StoppingOne(of) | What::CancellingOne(of) if *of == index),
        )
    }

    /// When a service started that is stopped alone, without a word of it, if it is not ready in time.
    pub fn may_be_late(&self, index: usize) -> Option<Number> {
        let plan = self.plan(index);
        let is_so = plan.ignores && plan.start_timeout.is_some();
        self.called(index).filter(|_| is_so)
    }

    /// Whether a service, or one that it needs, was asked to go alone, or may have been late with its
    /// start.
    pub fn went_alone(&self, index: usize) -> bool {
        let mut below = self.below(index).into_iter();
        below.any(|index| self.alone(index).is_some() || self.may_be_late(index).is_some())
    }

    /// Whether a service was abandoned, or may have been: where `run` was dropped, nothing tells.
    pub fn is_abandoned(&self, index: usize) -> bool {
        let line = self.line(index);
        line.is_some_and(|line| line.exit == Kind::Abandoned) || self.may_have_abandoned()
    }

    pub fn any_abandoned(&self) -> bool {
        let reports = self.told_outcome().map(|told| told.reports.iter());
        let mut lines = reports.into_iter().flatten();
        lines.any(|(_, line)| line.exit == Kind::Abandoned) || self.may_have_abandoned()
    }

    fn may_have_abandoned(&self) -> bool {
        let blocks = self.scenario.place == Place::Threads && self.scenario.has_blocker();
        blocks && self.told_outcome().is_none()
    }

    /// Whether times by the hand clock say how long something took.
    pub fn is_timed(&self) -> bool {
        self.scenario.place != Place::Threads && !self.scenario.has_blocker()
    }

    /// The service that is the first to be late with its start, if it is, and by when it had to be
    /// ready, in milliseconds.
    pub fn first_start_timeout(&self) -> Option<(usize, u64)> {
        let due = self.members(0).into_iter().filter_map(|index| {
            let timeout = self.plan(index).start_timeout?;
            Some((index, self.at(self.called(index)?) + timeout))
        });
        due.min_by_key(|(_, due)| *due)
    }

    /// No stop came earlier than this, in milliseconds.
    pub fn first_stop_time(&self) -> Option<u64> {
        let by_event = self.first_stop().map(|stop| self.at(stop) as usize);
        let by_time = self.first_start_timeout().map(|(_, due)| due as usize);
        earliest(by_event, by_time).map(|at| at as u64)
    }

    /// The first event that may have stopped the outer group, or one of its services.
    pub fn first_stop(&self) -> Option<Number> {
        self.first(|what| match what {
            What::Stopping(0) | What::Cancelling(0) | What::Item | What::Dropping => true,
            What::StopSeen => true,
            What::StoppingOne(_) | What::CancellingOne(_) | What::SpawnPanics(_) => true,
            What::ReturnsError(_) | What::Panics(_) | What::ChildFails(_) => true,
            What::ReturnsWell(index) => self.scenario.services[*index].stops_group,
            // The last to go may end the group; whether it was the last is not looked at.
            What::Gone(_) => true,
            _ => false,
        })
    }
}

/// Whether this is the addition of a service, by whatever way.
pub fn is_addition(what: &What, index: usize) -> bool {
    matches!(what, What::Adding(of, _) | What::Trying(of) if *of == index)
}

/// The earlier of two, where `None` is never.
pub fn earliest(a: Option<Number>, b: Option<Number>) -> Option<Number> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
