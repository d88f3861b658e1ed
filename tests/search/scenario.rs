//! What a random group is made of: plain data, drawn from a seed, that can be printed and shrunk.

use fastrand::Rng;

use crate::seed::is_without;

/// Where the services of a group run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In place, under the hand clock: the same seed is the same run.
    Here,
    /// On an executor that the test drives itself, under the hand clock: the same.
    Ticked,
    /// On an executor that four threads run.
    Threads,
}

/// When the last actions begin, in milliseconds: those that see to it that the group ends.
pub const LAST: u64 = 50;

/// A random group, with what is done to it.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub seed: u64,
    pub place: Place,
    /// On threads only: the clock never moves, so a group that waits for a deadline hangs.
    pub timeless: bool,
    /// Whether a `Recorder` is attached, which has each failure displayed.
    pub recorded: bool,
    /// The first is the outer group; the others are services of it.
    pub groups: Vec<GroupPlan>,
    pub services: Vec<ServicePlan>,
    pub actions: Vec<Planned>,
    /// When the future of `run` is dropped, if it has not ended.
    pub dropped_at: Option<u64>,
}

#[derive(Clone, Debug)]
pub struct GroupPlan {
    /// Whether the group is in place, wherever the outer one is.
    pub here: bool,
    pub limit: Option<usize>,
    /// In milliseconds; `None` is for ever.
    pub drain_timeout: Option<u64>,
    pub cancel_timeout: u64,
    /// Whether it has a source that gives the stop each time it is asked, once there is one.
    pub eager_source: bool,
    /// The task at which the spawn function panics.
    pub spawn_panics: Option<usize>,
}

#[derive(Clone, Debug)]
pub struct ServicePlan {
    /// Left out by the shrinking: the numbers of the others stay as they are.
    pub absent: bool,
    pub group: usize,
    pub needs: Vec<usize>,
    pub background: bool,
    pub stops_group: bool,
    pub start_timeout: Option<u64>,
    pub drain_timeout: Option<u64>,
    /// Added by an action, through a handle.
    pub late: bool,
    /// How many runs fail before one that does not; `None` without `restart`.
    pub restarts: Option<usize>,
    /// The group that this service is.
    pub nested: Option<usize>,
    pub starting: bool,
    pub steps: Vec<Step>,
    pub hazard: Hazard,
}

/// What a service, or a child of one, does.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Yield,
    Sleep(u64),
    Ready,
    /// Waits for its stop, by way of its scope.
    Stopped,
    /// The same by way of a token.
    TokenStopped,
    /// Gives a token, and a clone of its scope, to somebody who outlives the service.
    GiveAway,
    /// Checks what the service can see of its stop.
    Look,
    Until,
    Spawn(Vec<Step>),
    /// Blocks the thread; by the hand clock, which jumps.
    Block(u64),
    /// Yields until it is told to stop, and is always ready.
    Spin,
    Forever,
    /// Waits until the group has started.
    Started,
    Act(Act),
}

/// What can be done to a group from anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    Stop(usize),
    Cancel(usize),
    StopOne(usize),
    Add(usize),
    TryAdd(usize),
    /// An item of the source of stops of the outer group: the second cancels.
    Item,
    /// Makes a child of the token of a group, and keeps it.
    Child(usize),
    Status(usize),
}

/// When an action of the outside is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    BeforeRun,
    /// Milliseconds by the hand clock, or microseconds of pause on threads.
    At(u64),
    /// In the waker of a task that awaits the stop of the outer group.
    OnStop,
}

#[derive(Clone, Copy, Debug)]
pub struct Planned {
    pub when: When,
    /// The thread that takes the action.
    pub hand: usize,
    pub act: Act,
}

/// What goes wrong in a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hazard {
    None,
    Error,
    /// An error that panics when it is converted, displayed, or dropped.
    ErrorConversion,
    ErrorDisplay,
    ErrorDrop,
    CallPanics,
    FirstPollPanics,
    EndPanics,
    /// A panic whose payload panics when it is dropped.
    PayloadPanics,
    ChildFails,
    ChildPanics,
    ChildDropPanics,
    /// A local of the future panics when it is dropped.
    FutureDropPanics,
    /// A value that the service function captured panics when it is dropped.
    CaptureDropPanics,
    /// A destructor stops the group.
    DropStops,
}

impl Planned {
    /// Whether the scenario may do without: the last actions end the group.
    pub fn may_go(&self) -> bool {
        !matches!(self.when, When::At(at) if at >= LAST)
    }
}

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
        scenario.leave_out();
        scenario
    }

    /// Whether nothing but the stop ends a service that waits, so that time has to pass for none.
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
            if is_without("nested") {
                service.absent |= service.group != 0;
                service.nested = None;
            }
            if no_cancel {
                let may_stay = |step: &Step| !matches!(step, Step::Act(act) if is_cancel(act));
                service.steps.retain(|step| match step {
                    Step::Spawn(steps) => steps.iter().all(may_stay),
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

    /// What there is of it, a line for each service and action.
    pub fn summary(&self) -> String {
        let place = self.place.name();
        let mut text = format!("{place}, seed {}, timeless {}", self.seed, self.timeless);
        text += &format!(
            ", recorded {}, dropped {:?}\n",
            self.recorded, self.dropped_at
        );
        for (index, group) in self.groups.iter().enumerate() {
            if !self.in_absent(index) {
                text += &format!("  group {index}: {group:?}\n");
            }
        }
        for (index, service) in self.present() {
            text += &format!("  s{index}: {}\n", service.summary());
        }
        for planned in &self.actions {
            text += &format!(
                "  {:?} by hand {}: {:?}\n",
                planned.when, planned.hand, planned.act
            );
        }
        text
    }

    /// The services that are there, by number.
    pub fn present(&self) -> impl Iterator<Item = (usize, &ServicePlan)> {
        let all = self.services.iter().enumerate();
        all.filter(|(_, service)| !service.absent && !self.in_absent(service.group))
    }

    pub fn is_present(&self, index: usize) -> bool {
        self.present().any(|(other, _)| other == index)
    }

    /// The service that a group is.
    pub fn owner(&self, group: usize) -> Option<usize> {
        let is_owner = |service: &ServicePlan| service.nested == Some(group);
        self.services.iter().position(is_owner)
    }

    fn in_absent(&self, group: usize) -> bool {
        group != 0
            && self
                .owner(group)
                .is_none_or(|owner| self.services[owner].absent)
    }

    /// Whether any service blocks its thread.
    pub fn has_blocker(&self) -> bool {
        let blocks = |step: &Step| matches!(step, Step::Block(_));
        self.present().any(|(_, service)| {
            service.steps.iter().any(|step| match step {
                Step::Spawn(steps) => steps.iter().any(blocks),
                step => blocks(step),
            })
        })
    }
}

impl ServicePlan {
    fn summary(&self) -> String {
        let mut text = format!("group {} {:?}", self.group, self.steps);
        let mut also = |is_so: bool, what: String| {
            if is_so {
                text += &format!(", {what}");
            }
        };
        also(!self.needs.is_empty(), format!("needs {:?}", self.needs));
        also(self.hazard != Hazard::None, format!("{:?}", self.hazard));
        also(self.background, "background".into());
        also(self.stops_group, "stops the group".into());
        also(self.late, "late".into());
        also(self.starting, "starting".into());
        also(self.nested.is_some(), format!("is group {:?}", self.nested));
        also(
            self.restarts.is_some(),
            format!("restarts {:?}", self.restarts),
        );
        also(
            self.start_timeout.is_some(),
            format!("start timeout {:?}", self.start_timeout),
        );
        also(
            self.drain_timeout.is_some(),
            format!("drain timeout {:?}", self.drain_timeout),
        );
        text
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
