//! Draws scenarios from seeds.

use fastrand::Rng;

use crate::scenario::{
    Act, GroupPlan, Hazard, LAST, Place, Planned, Scenario, ServicePlan, Step, When,
};
use crate::seed::is_without;

impl Scenario {
    pub fn random(seed: u64, place: Place) -> Scenario {
        let mut rng = Rng::with_seed(seed);
        let timeless = place == Place::Threads && rng.u8(0..4) > 0;
        let mut scenario = Scenario {
            seed,
            place,
            timeless,
            recorded: rng.u8(0..3) == 0,
            groups: vec![group(&mut rng, place, timeless)],
            services: Vec::new(),
            actions: Vec::new(),
            dropped_at: (rng.u8(0..8) == 0).then(|| rng.u64(0..LAST)),
        };
        for _ in 0..rng.usize(0..9) {
            scenario.add_service(&mut rng, 0);
        }
        scenario.add_nested(&mut rng);
        scenario.add_actions(&mut rng);
        scenario.add_more(&mut Rng::with_seed(!seed));
        scenario.leave_out();
        // Short of time, a service that blocks its thread is abandoned.
        if place == Place::Threads && scenario.has_blocker() && rng.bool() {
            scenario.groups[0].cancel_timeout = rng.u64(1..10);
        }
        scenario
    }

    fn add_service(&mut self, rng: &mut Rng, group: usize) {
        let density = rng.f32() * 0.6;
        let same = |index: &usize| self.services[*index].group == group;
        let needs = (0..self.services.len()).filter(same);
        let needs = needs.filter(|_| rng.f32() < density).collect();
        let (timed, threads) = (!self.timeless, self.place == Place::Threads);
        let start_timeout = (timed && rng.u8(0..10) == 0).then(|| rng.u64(1..30));
        let starting = start_timeout.is_some() || rng.u8(0..3) == 0;
        let mut service = ServicePlan {
            absent: false,
            group,
            needs,
            background: rng.u8(0..5) == 0,
            stops_group: rng.u8(0..12) == 0,
            ignores: false,
            start_timeout,
            drain_timeout: (timed && rng.u8(0..6) == 0).then(|| rng.u64(0..20)),
            // More of them on threads, where an addition can race with all else.
            late: group == 0 && rng.u8(0..6) < if threads { 3 } else { 1 },
            restarts: (rng.u8(0..8) == 0).then(|| rng.usize(0..3)),
            nested: None,
            starting,
            steps: Vec::new(),
            hazard: hazard(rng),
        };
        for _ in 0..rng.usize(0..6) {
            let step = self.step(rng, group, true);
            service.steps.push(step);
        }
        if rng.u8(0..3) > 0 {
            service.steps.push(Step::Stopped);
            for _ in 0..rng.usize(0..3) {
                service.steps.push(Step::Yield);
            }
        }
        self.services.push(service);
    }

    /// Leaves out what the search is to do without.
    fn leave_out(&mut self) {
        let is_cancel = |act: &Act| matches!(act, Act::Cancel(_) | Act::Item);
        let no_cancel = is_without("cancel");
        if is_without("cancel_one") {
            let is_it = |act: &Act| matches!(act, Act::CancelOne(_));
            self.actions.retain(|planned| !is_it(&planned.act));
            for service in &mut self.services {
                let is_it = |step: &Step| matches!(step, Step::Act(act) if is_it(act));
                service.steps.retain(|step| !is_it(step));
            }
        }
        if no_cancel {
            // Its second item cancels.
            self.groups
                .iter_mut()
                .for_each(|group| group.eager_source = false);
            self.actions
                .retain(|planned| !planned.may_go() || !is_cancel(&planned.act));
        }
        for service in &mut self.services {
            if is_without("restart") {
                service.restarts = None;
            }
            service.ignores &= !is_without("ignore");
            if is_without("nested") {
                service.absent |= service.group != 0;
                service.nested = None;
            }
            if no_cancel {
                let may_stay = |step: &Step| !matches!(step, Step::Act(act) if is_cancel(act));
                service.steps.retain(|step| match step {
                    Step::Spawn(steps) | Step::Keep(steps) => steps.iter().all(may_stay),
                    step => may_stay(step),
                });
            }
        }
    }

    fn step(&self, rng: &mut Rng, group: usize, may_spawn: bool) -> Step {
        match rng.u8(0..26) {
            0..6 => Step::Yield,
            6..9 if !self.timeless => Step::Sleep(rng.u64(0..20)),
            9 | 10 => Step::Ready,
            11 | 12 => Step::Stopped,
            13 => Step::TokenStopped,
            14 => Step::GiveAway,
            15 => Step::Look,
            16 => Step::Until,
            17 | 18 if may_spawn => {
                let steps = (0..rng.usize(0..4)).map(|_| self.step(rng, group, false));
                Step::Spawn(steps.collect())
            }
            19 if !self.timeless && rng.u8(0..3) == 0 => Step::Block(rng.u64(1..30)),
            20 if rng.bool() => Step::Spin,
            21 if !self.timeless => Step::Forever,
            22 => Step::Started,
            23 | 24 => Step::Act(self.act(rng, group)),
            _ => Step::Yield,
        }
    }

    fn act(&self, rng: &mut Rng, group: usize) -> Act {
        let any = rng.usize(0..10);
        match rng.u8(0..16) {
            0 => Act::Stop(group),
            1 => Act::Cancel(group),
            2..6 => Act::StopOne(any),
            6..10 => Act::Add(any),
            10 => Act::TryAdd(any),
            11 => Act::Item,
            12 | 13 => Act::Child(group),
            _ => Act::Status(group),
        }
    }

    /// Adds what came later, drawn by a generator of its own: else each seed would mean another group.
    fn add_more(&mut self, rng: &mut Rng) {
        for index in 0..self.services.len() {
            if self.services[index].nested.is_some() {
                self.services[index].ignores = rng.u8(0..4) == 0;
                continue;
            }
            let group = self.services[index].group;
            let more: Vec<_> = (0..rng.usize(0..4))
                .map(|_| self.later_step(rng, group))
                .collect();
            let service = &mut self.services[index];
            service.ignores = rng.u8(0..3) == 0;
            if service.ignores && service.hazard == Hazard::None && rng.bool() {
                service.hazard = any_hazard(rng);
            }
            for step in more {
                service
                    .steps
                    .insert(rng.usize(0..=service.steps.len()), step);
            }
        }
        for _ in 0..rng.usize(0..4) {
            let any = rng.usize(0..10);
            let act = match rng.bool() {
                true => Act::CancelOne(any),
                false => Act::WatchEnd(any),
            };
            self.plan(rng, act);
        }
        self.give_reasons(rng);
        // Those that end the group come last.
        self.actions.sort_by_key(|planned| !planned.may_go());
    }

    /// Has some of the stops say why.
    fn give_reasons(&mut self, rng: &mut Rng) {
        let planned = self.actions.iter_mut().filter(|planned| planned.may_go());
        let steps = self.services.iter_mut().flat_map(|one| &mut one.steps);
        let steps = steps.filter_map(|step| match step {
            Step::Act(act) => Some(act),
            _ => None,
        });
        for act in planned.map(|planned| &mut planned.act).chain(steps) {
            if let (Act::Stop(group), true) = (*act, rng.bool()) {
                *act = Act::StopWith(group);
            }
        }
    }

    fn later_step(&self, rng: &mut Rng, group: usize) -> Step {
        let any = rng.usize(0..10);
        match rng.u8(0..9) {
            0..2 => {
                let steps = (0..rng.usize(0..4)).map(|_| self.step(rng, group, false));
                Step::Keep(steps.collect())
            }
            2..4 => Step::Join,
            4 => Step::Abort,
            5 => Step::EndOf(any),
            6 => Step::Act(Act::WatchEnd(any)),
            _ => Step::Act(Act::CancelOne(any)),
        }
    }

    /// Makes one of the services a group of its own.
    fn add_nested(&mut self, rng: &mut Rng) {
        let owner = rng.usize(0..12);
        if owner >= self.services.len() || rng.bool() {
            return;
        }
        self.groups.push(group(rng, self.place, self.timeless));
        let inner = self.groups.len() - 1;
        let service = &mut self.services[owner];
        service.nested = Some(inner);
        service.restarts = None;
        service.hazard = Hazard::None;
        for _ in 0..rng.usize(0..4) {
            self.add_service(rng, inner);
        }
    }

    fn add_actions(&mut self, rng: &mut Rng) {
        for late in 0..self.services.len() {
            if self.services[late].late {
                let act = match rng.u8(0..6) {
                    0 => Act::TryAdd(late),
                    _ => Act::Add(late),
                };
                self.plan(rng, act);
            }
        }
        for _ in 0..rng.usize(0..6) {
            let act = self.act(rng, 0);
            self.plan(rng, act);
        }
        // Whatever else happens, the group is to end.
        let last = |at, act| Planned {
            when: When::At(at),
            hand: 0,
            act,
        };
        self.actions.push(last(LAST, Act::Stop(0)));
        if !self.timeless {
            self.actions.push(last(2 * LAST, Act::Cancel(0)));
        }
    }

    fn plan(&mut self, rng: &mut Rng, act: Act) {
        let when = match rng.u8(0..10) {
            0 => When::BeforeRun,
            1 => When::OnStop,
            2..6 => When::At(0),
            _ => When::At(rng.u64(0..LAST)),
        };
        let hand = rng.usize(0..3);
        self.actions.push(Planned { when, hand, act });
    }
}

fn group(rng: &mut Rng, place: Place, timeless: bool) -> GroupPlan {
    let threads = place == Place::Threads;
    GroupPlan {
        here: place == Place::Here || rng.u8(0..3) == 0,
        limit: (rng.u8(0..4) == 0).then(|| rng.usize(1..4)),
        drain_timeout: match rng.u8(0..6) {
            _ if timeless => None,
            0 => None,
            1 => Some(0),
            _ => Some(rng.u64(1..40)),
        },
        cancel_timeout: if threads { 20_000 } else { rng.u64(5..30) },
        eager_source: rng.u8(0..12) == 0,
        spawn_panics: (rng.u8(0..30) == 0).then(|| rng.usize(0..4)),
    }
}

fn hazard(rng: &mut Rng) -> Hazard {
    if rng.u8(0..5) > 0 {
        return Hazard::None;
    }
    any_hazard(rng)
}

fn any_hazard(rng: &mut Rng) -> Hazard {
    let all = [
        Hazard::Error,
        Hazard::ErrorConversion,
        Hazard::ErrorDisplay,
        Hazard::ErrorDrop,
        Hazard::CallPanics,
        Hazard::FirstPollPanics,
        Hazard::EndPanics,
        Hazard::PayloadPanics,
        Hazard::ChildFails,
        Hazard::ChildPanics,
        Hazard::ChildDropPanics,
        Hazard::FutureDropPanics,
        Hazard::CaptureDropPanics,
        Hazard::DropStops,
    ];
    all[rng.usize(0..all.len())]
}
