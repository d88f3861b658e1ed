//! What a random group is made of: plain data, drawn from a seed, that can be printed and shrunk.

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

/// The words of a stop that has any.
pub const REASON: &str = "a reason";

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
    /// Its failures do not stop the group.
    pub ignores: bool,
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
    /// The same, keeping the handle of the child.
    Keep(Vec<Step>),
    /// Aborts the child that was kept last, and keeps it.
    Abort,
    /// Awaits the child that was kept last.
    Join,
    /// Awaits the end of a service, unless its own stop comes first.
    EndOf(usize),
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
    /// The same, with a reason in words.
    StopWith(usize),
    Cancel(usize),
    StopOne(usize),
    CancelOne(usize),
    /// Awaits the end of a service from outside.
    WatchEnd(usize),
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
                Step::Spawn(steps) | Step::Keep(steps) => steps.iter().any(blocks),
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
        also(self.ignores, "its failures are ignored".into());
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
