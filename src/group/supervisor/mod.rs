//! The loop at the heart of a group: stop, drain, cancel, join.

mod clock;
mod sources;
mod starting;
mod timer;

use std::future::Future;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_lite::future;

use self::sources::{Causes, Item, Sources};
use self::starting::Starting;
use self::timer::{Due, Timer};
use crate::executor::kind::TaskKind;
use crate::members::core::{Core, Member};
use crate::members::log;
use crate::members::notices::Notice;
use crate::outcome::Outcome;
use crate::outcome::error::Error;
use crate::plan::Stopping;
use crate::stop::cause::Cause;
use crate::stop::force::Force;
use crate::time::deadline_after;

/// How often to log which services are still draining.
const TICK: Duration = Duration::from_secs(1);

/// After how many wakes the supervisor yields, so that the services always have their turn.
const BUDGET: u32 = 64;

/// Everything that wakes the supervisor.
enum Wake {
    /// A service or a handle has told something.
    Notice(Notice),

    /// A source of stops has an item.
    Item(Item),

    /// A deadline may have come.
    Time,
}

/// How far the group is.
enum Stage {
    /// Nothing has stopped it.
    Running,

    /// Its services were told to stop. At each tick it logs which it waits for.
    Draining { tick: Instant },

    /// Its services are being dropped, and it waits no longer than this.
    Cancelling { until: Option<Instant> },

    /// It does not wait any more.
    Over,
}

/// What starts as part of a [`Group`](crate::Group), and becomes the future of its `run`.
///
/// Dropping it before its end cancels all services.
pub(super) struct Supervisor<'a, K: TaskKind> {
    core: Arc<Core>,
    sources: Sources<'a, K>,

    /// How many notices were read in a row.
    notices: u32,

    stage: Stage,

    /// True if what is being cancelled has had a last turn, which in place others may have blocked.
    is_last_turn: bool,

    timer: Timer,
    starting: Starting,

    /// The message of the first source that has panicked.
    source_panic: Option<String>,

    /// When the group started, by its own clock.
    origin: u64,
}

impl<'a, K: TaskKind> Supervisor<'a, K> {
    pub(super) fn new(core: Arc<Core>) -> Supervisor<'a, K> {
        Supervisor {
            core,
            sources: Sources::new(),
            notices: 0,
            is_last_turn: false,
            stage: Stage::Running,
            timer: Timer::new(),
            starting: Starting::new(),
            source_panic: None,
            origin: 0,
        }
    }

    pub(super) fn add_source(&mut self, items: Causes<'a, K>) {
        self.sources.add(items);
    }

    /// Sees the group through.
    pub(super) async fn run(mut self) -> Result<Outcome, Error> {
        if self.core.plan().limit() == Some(0) {
            return Err(Error::zero_limit());
        }
        self.origin = self.core.open();
        self.settle();

        // Until the group has stopped, for whatever cause, and the last service has gone, and what
        // it owned with it. A service that fails stops the group itself, before this is told.
        let mut wakes = 0;
        while !self.is_over() {
            wakes += 1;
            if wakes % BUDGET == 0 {
                future::yield_now().await;
            }
            match self.next().await {
                Wake::Notice(Notice::Stopped) => self.drain().await,
                Wake::Notice(Notice::Quiet) => self.settle(),
                Wake::Notice(Notice::Cancel) => self.cancel(Force::Request),
                Wake::Notice(Notice::Cancelling) => self.extend(),
                Wake::Notice(Notice::Starting(index)) => self.await_ready(index),
                Wake::Notice(Notice::Stopping(index)) => self.await_end(index),
                Wake::Notice(Notice::CancelledAlone(index)) => {
                    self.await_turn(index, self.core.timeline.now_instant());
                }
                Wake::Item(Item::First(cause)) => self.stop(cause),
                Wake::Item(Item::Again { first, second }) => {
                    self.cancel(Force::Again { first, second });
                }
                Wake::Item(Item::Panicked(message)) => self.fail_source(message),
                Wake::Time => self.look_at_clock().await,
            }
        }
        let (outcome, panic) = (self.conclude(), self.source_panic.take());
        Error::check(outcome, panic)
    }

    fn is_over(&self) -> bool {
        let has_ended = || self.core.is_stopped() && self.core.is_empty();
        matches!(self.stage, Stage::Over) || has_ended()
    }

    /// Waits for whatever comes next.
    fn next(&mut self) -> impl Future<Output = Wake> {
        self.set_timer();
        future::poll_fn(|cx| self.poll_next(cx))
    }

    /// Polls for what comes next. What has happened comes before the clock, so that a service which
    /// has ended in time is not late because the supervisor is; but only so often in a row, so that
    /// a flood of notices keeps no deadline from being kept.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Wake> {
        self.notices += 1;
        if self.notices <= BUDGET {
            let notice = self.core.notices.poll_next(cx).map(Wake::Notice);
            if notice.is_ready() {
                return notice;
            }
        }
        let is_flood = mem::take(&mut self.notices) > BUDGET;
        let mut polled = self.sources.poll_next(cx).map(Wake::Item);
        if polled.is_pending() {
            polled = self.timer.poll(cx).map(|()| Wake::Time);
        }
        if polled.is_pending() && is_flood {
            polled = self.core.notices.poll_next(cx).map(Wake::Notice);
        }
        polled
    }

    /// Stops the group for an item of a source, unless it was stopped before.
    fn stop(&self, cause: Cause) {
        if !self.core.stop(cause.clone()) {
            log::stopping_already(&self.core, &cause);
        }
    }

    /// Stops the group, as one of its sources has panicked.
    fn fail_source(&mut self, message: String) {
        log::source_panicked(&self.core, &message);
        self.core.stop(Cause::Panicked("a source of stops".into()));
        self.source_panic.get_or_insert(message);
    }

    /// The stop has been latched: tells the services, and starts the clock.
    async fn drain(&mut self) {
        if self.begin_drain() {
            // Every service has a turn before the clock is looked at, so that those that end at
            // once are not cancelled, however short the time.
            future::yield_now().await;
        }
    }

    /// Tells the functions of the user's of the stop, unless the drain has begun, which does that.
    fn emit_stopping(&self) {
        if matches!(self.stage, Stage::Running) {
            self.core.emit_stopping();
        }
    }

    /// Tells the services to stop; false if they have been told.
    ///
    /// Those in the background are told in `settle`, those that others need by the plan.
    fn begin_drain(&mut self) -> bool {
        if !matches!(self.stage, Stage::Running) {
            return false;
        }
        log::stopping(&self.core, |cause| self.sources.may_repeat(cause));
        let members = self.core.registry.snapshot();
        self.core.emit_stopping();
        self.core.plan().stop(Stopping::Foreground);
        let now = self.core.timeline.now();
        let tick = self.core.timeline.instant(now) + TICK;
        self.stage = Stage::Draining { tick };
        self.tell(now, &members, |member| !member.is_last());
        self.settle();
        true
    }

    /// Tells those services to stop that were not told yet and that no other needs any more, and
    /// notes their own deadlines.
    fn tell(&mut self, now: u64, members: &[Arc<Member>], is_meant: impl Fn(&Member) -> bool) {
        // Where most tasks are to be woken, it is cheaper to poll them all than to queue them.
        let is_most = self.core.scheduler.is_most(members.len());
        for member in members.iter().filter(|member| is_meant(member)) {
            if !member.stop_unless_needed(now) {
                continue;
            }
            member.pass_stop_on();
            if !is_most {
                member.wake_task();
            }
            if let Some(own) = member.own_deadline() {
                self.timer.push(&self.core, own, Due::End(member.index()));
            }
        }
        if is_most {
            self.core.scheduler.wake_all();
        }
    }

    /// If no service keeps the group alive, it stops, and the background with it.
    fn settle(&mut self) {
        if !self.core.is_quiet() {
            return;
        }
        match self.stage {
            Stage::Running => self.core.close(Cause::Ended),
            Stage::Draining { .. } => self.tell_all(),
            Stage::Cancelling { .. } => self.cancel_next(),
            Stage::Over => {}
        }
    }

    /// Tells all that are left, the background too.
    fn tell_all(&mut self) {
        self.core.plan().stop(Stopping::All);
        let members = self.core.registry.snapshot();
        self.tell(self.core.timeline.now(), &members, |_| true);
    }

    /// Has every service dropped that has not ended, and waits for that.
    fn cancel(&mut self, force: Force) {
        if matches!(self.stage, Stage::Cancelling { .. }) {
            return;
        }
        self.begin_drain();
        if !self.core.counts.is_empty() {
            log::cancelling(&self.core, &force);
            self.core.forces.note_group(force, self.core.timeline.now());
        }
        self.core.plan().cancel();
        self.cancel_next();
    }

    /// Cancels those that no other service needs. Those that they need themselves follow when they
    /// are gone, see [`plan`](crate::plan), and the background when all others are.
    fn cancel_next(&mut self) {
        if self.core.is_quiet() {
            self.tell_all();
        } else {
            let members = self.core.registry.snapshot();
            let now = self.core.timeline.now();
            self.tell(now, &members, |member| !member.is_last());
        }
        for member in self.core.registry.snapshot().iter() {
            member.cancel();
        }
        self.core.scheduler.wake_all();
        self.stage = Stage::Cancelling { until: None };
        self.extend();
    }

    /// Gives those that are being cancelled their time.
    fn extend(&mut self) {
        if let Stage::Cancelling { until } = &mut self.stage {
            let now = self.core.timeline.now_instant();
            *until = deadline_after(now, self.core.timeouts.cancel());
            self.is_last_turn = false;
        }
    }

    /// Gives up those that were cancelled and are still there. If there are others, which these
    /// needed, it is their turn.
    fn abandon(&mut self) {
        let members = self.core.registry.snapshot();
        log::abandoned(&self.core);
        self.core.plan().stop(Stopping::All);
        for member in members.iter() {
            member.abandon();
        }
        if members
            .iter()
            .all(|member| member.data.lifecycle().is_gone())
        {
            self.stage = Stage::Over;
        } else {
            self.tell_all();
            self.cancel_next();
        }
    }

    /// Puts the outcome together.
    fn conclude(&mut self) -> Outcome {
        self.emit_stopping();
        self.stage = Stage::Over;
        // Those that were abandoned are still to be found by the plan, and by the outer group.
        let members = if self.core.counts.is_empty() {
            self.core.registry.take()
        } else {
            self.core.registry.kept()
        };
        let failures = self.core.failures.take();
        let outcome = Outcome::new(&self.core, members, failures, self.origin);
        log::outcome(&self.core, &outcome);
        outcome
    }
}

impl<K: TaskKind> Drop for Supervisor<'_, K> {
    fn drop(&mut self) {
        if !matches!(self.stage, Stage::Over) {
            self.core.stop(Cause::Dropped);
            self.emit_stopping();
            // Nothing will see to the background later.
            self.core.plan().cancel();
            self.tell_all();
            self.cancel_next();
        }
        self.core.end();
    }
}
