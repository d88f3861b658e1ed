//! The loop at the heart of a group: stop, drain, cancel, join.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_lite::{Stream, future};

use crate::deadlines::{Deadlines, Due};
use crate::hub::{Hub, after, earliest, nanos};
use crate::member::Member;
use crate::notices::Notice;
use crate::roster::Roster;
use crate::test::clock::Alarm;
use crate::{Cause, Error, Outcome, journal};

/// How often to say who is still draining.
const TICK: Duration = Duration::from_secs(1);

/// Everything that wakes the supervisor.
enum Wake {
    /// One of the services, or a handle, has something to say.
    Notice(Notice),

    /// A source of stops has its first item.
    Stop(Cause),

    /// A source of stops has another.
    Again(Cause),

    /// A deadline may have come.
    Time,
}

/// How far the group is.
enum Stage {
    /// Nothing has stopped it.
    Running,

    /// Its services have been told to stop. From time to time it says who it waits for.
    Draining { tick: Instant },

    /// Its services are being dropped, and it waits no longer than this.
    Cancelling { until: Option<Instant> },

    /// It does not wait any more.
    Over,
}

/// A stream whose first item stops the group, and whose second cancels it.
struct Source<'a> {
    items: Pin<Box<dyn Stream<Item = Cause> + Send + 'a>>,
    first: bool,
}

/// What starts as part of a [`Group`](crate::Group), and becomes the future of its `run`.
///
/// Dropping it before its end cancels all services.
pub(crate) struct Supervisor<'a> {
    hub: Arc<Hub>,
    roster: Arc<Roster>,
    sources: Vec<Source<'a>>,
    stage: Stage,

    /// Made when there is a first deadline.
    timer: Option<Alarm>,

    /// The deadlines of single services.
    deadlines: Deadlines,

    /// When the group started, by the hub's clock.
    origin: u64,
}

impl<'a> Supervisor<'a> {
    pub(crate) fn new(hub: Arc<Hub>, roster: Arc<Roster>) -> Supervisor<'a> {
        Supervisor {
            hub,
            roster,
            sources: Vec::new(),
            stage: Stage::Running,
            timer: None,
            deadlines: Deadlines::default(),
            origin: 0,
        }
    }

    pub(crate) fn add_source(&mut self, items: Pin<Box<dyn Stream<Item = Cause> + Send + 'a>>) {
        self.sources.push(Source { items, first: true });
    }

    /// Sees the group through.
    pub(crate) async fn run(mut self) -> Result<Outcome, Error> {
        if self.hub.plan.limit() == Some(0) {
            return Err(Error::zero_limit());
        }
        self.origin = self.hub.open(&self.roster.snapshot());
        self.settle();

        // Until it has stopped, by itself or otherwise, and the last service has gone, and what it
        // owned with it. A service that fails stops the group on its own, before we hear of it.
        while !self.is_over() {
            match self.next().await {
                Wake::Notice(Notice::Stopped) => self.drain().await,
                Wake::Notice(Notice::Quiet) => self.settle(),
                Wake::Notice(Notice::Cancel) => self.cancel(),
                Wake::Notice(Notice::Cancelling) => self.extend(),
                Wake::Notice(Notice::Starting(index)) => self.await_ready(index),
                Wake::Notice(Notice::Stopping(index)) => self.await_end(index),
                Wake::Stop(cause) => self.stop(cause),
                Wake::Again(cause) => self.force(&cause),
                Wake::Time => self.look_at_clock(),
            }
        }
        Error::check(self.conclude())
    }

    fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over) || (self.hub.is_stopped() && self.hub.is_empty())
    }

    /// Waits for whatever comes next.
    fn next(&mut self) -> impl Future<Output = Wake> {
        self.set_timer();
        future::poll_fn(|cx| self.poll_next(cx))
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Wake> {
        if let Poll::Ready(notice) = self.hub.notices.poll_next(cx) {
            return Poll::Ready(Wake::Notice(notice));
        }
        let mut index = 0;
        while let Some(source) = self.sources.get_mut(index) {
            match source.items.as_mut().poll_next(cx) {
                Poll::Ready(Some(cause)) if source.first => {
                    source.first = false;
                    return Poll::Ready(Wake::Stop(cause));
                }
                Poll::Ready(Some(cause)) => return Poll::Ready(Wake::Again(cause)),
                Poll::Ready(None) => drop(self.sources.swap_remove(index)),
                Poll::Pending => index += 1,
            }
        }
        match &mut self.timer {
            Some(timer) => Pin::new(timer).poll(cx).map(|_| Wake::Time),
            None => Poll::Pending,
        }
    }

    /// Sets the timer to the next thing that is due.
    fn set_timer(&mut self) {
        let due = match self.stage {
            Stage::Running => self.deadlines.next(),
            Stage::Over => None,
            Stage::Draining { tick } => {
                let end = earliest(self.deadlines.next(), self.hub.deadline());
                earliest(Some(tick), end)
            }
            Stage::Cancelling { until } => until,
        };
        self.hub.set_due(due);
        match (due, &mut self.timer) {
            (Some(due), Some(timer)) => timer.set_at(due),
            (Some(due), timer) => *timer = Some(self.hub.alarm(due)),
            (None, timer) => *timer = None,
        }
    }

    /// Stops the group for an item of a source, unless it is stopping for something else.
    fn stop(&self, cause: Cause) {
        if !self.hub.stop(cause.clone()) {
            journal::stopping_already(&cause);
        }
    }

    /// The stop has been latched: tells the services, and starts the clock.
    ///
    /// Those in the background are left to serve the others, see [`settle`](Self::settle); and
    /// those that others need are told once these have ended, see [`Plan`](crate::plan::Plan).
    async fn drain(&mut self) {
        if matches!(self.stage, Stage::Running) {
            let members = self.roster.snapshot();
            journal::stopping(self.hub.cause().as_ref(), &members);
            self.hub.plan.set_stopping(false);
            let now = self.hub.now();
            let tick = self.hub.instant(now) + TICK;
            self.stage = Stage::Draining { tick };
            self.tell(now, &members, |member| !member.hub.plan.is_last(member));
            self.settle();

            // Everybody has a turn before the clock is looked at, so that those who end at once
            // are not cancelled, however short the time.
            future::yield_now().await;
        }
    }

    /// Tells those services to stop that are not told yet and that nobody needs any more, and
    /// notes their own deadlines.
    fn tell(&mut self, now: u64, members: &[Arc<Member>], whom: impl Fn(&Member) -> bool) {
        // Where most tasks are to be woken, it is cheaper to poll them all than to queue them.
        let all = self.hub.dispatch.is_most(members.len());
        for member in members.iter().filter(|member| whom(member)) {
            if !self.hub.plan.may_stop(member) || !member.stop(now) {
                continue;
            }
            if !all {
                member.wake_task();
            }
            if let Some(own) = member.own_deadline() {
                self.deadlines.push(own, Due::End(member.index()));
            }
        }
        if all {
            self.hub.dispatch.wake_all();
        }
    }

    /// A service has started that is to be ready within a time.
    fn await_ready(&mut self, index: usize) {
        let members = self.roster.snapshot();
        let started = members.get(index).and_then(|member| member.started());
        let timeout = self.hub.plan.start_timeout(index);
        if let (Some(started), Some(timeout)) = (started, timeout) {
            if let Some(at) = after(self.hub.instant(started), nanos(timeout)) {
                self.deadlines.push(at, Due::Ready(index));
            }
        }
    }

    /// A service has been told to stop by somebody else, and has a deadline of its own.
    fn await_end(&mut self, index: usize) {
        let members = self.roster.snapshot();
        if let Some(own) = members.get(index).and_then(|member| member.own_deadline()) {
            self.deadlines.push(own, Due::End(index));
        }
    }

    /// Nobody may be left who keeps the group alive: then it stops, and the background with it.
    fn settle(&mut self) {
        if !self.hub.is_quiet() {
            return;
        }
        match self.stage {
            Stage::Running => self.roster.close(&self.hub, Cause::Ended),
            Stage::Draining { .. } => self.tell(self.hub.now(), &self.roster.snapshot(), |_| true),
            Stage::Cancelling { .. } => self.cancel_next(),
            Stage::Over => {}
        }
    }

    /// A second signal: there is no more waiting.
    fn force(&mut self, cause: &Cause) {
        journal::forced(cause);
        self.cancel();
    }

    /// Has every service dropped that has not ended, and waits for that.
    fn cancel(&mut self) {
        if matches!(self.stage, Stage::Cancelling { .. }) {
            return;
        }
        journal::cancelling(&self.roster.snapshot());
        self.hub.plan.set_cancelling();
        self.cancel_next();
    }

    /// Cancels those that nobody needs any more. Those that they need themselves follow when they
    /// are gone, see [`Plan`](crate::plan::Plan), and the background when all others are.
    fn cancel_next(&mut self) {
        let members = self.roster.snapshot();
        let quiet = self.hub.is_quiet();
        self.tell(self.hub.now(), &members, |member| {
            quiet || !member.hub.plan.is_last(member)
        });
        for member in members.iter() {
            member.cancel();
        }
        self.hub.dispatch.wake_all();
        self.stage = Stage::Cancelling { until: None };
        self.extend();
    }

    /// Gives those that are being cancelled their time.
    fn extend(&mut self) {
        if let Stage::Cancelling { until } = &mut self.stage {
            *until = after(self.hub.clock_now(), self.hub.cancel_timeout());
        }
    }

    /// Gives up those that were cancelled and are still there. If there are others, which these
    /// needed, it is their turn.
    fn abandon(&mut self) {
        let members = self.roster.snapshot();
        journal::abandoned(&members);
        self.hub.plan.set_stopping(true);
        for member in members.iter() {
            member.abandon();
        }
        if members.iter().all(|member| member.is_gone()) {
            self.stage = Stage::Over;
        } else {
            self.tell(self.hub.now(), &members, |_| true);
            self.cancel_next();
        }
    }

    /// Does what is due.
    fn look_at_clock(&mut self) {
        let now = self.hub.clock_now();
        match &mut self.stage {
            Stage::Draining { .. } if self.hub.deadline().is_some_and(|end| end <= now) => {
                self.cancel();
            }
            Stage::Draining { tick } => {
                if *tick <= now {
                    *tick = now + TICK;
                    journal::draining(&self.roster.snapshot(), self.hub.deadline(), now);
                }
                self.keep_deadlines(now);
            }
            Stage::Running => self.keep_deadlines(now),
            Stage::Cancelling { until } if until.is_some_and(|until| until <= now) => {
                self.abandon();
            }
            Stage::Cancelling { .. } | Stage::Over => {}
        }
    }

    /// Cancels those that should have ended by now, and fails those that should be ready.
    fn keep_deadlines(&mut self, now: Instant) {
        let members = self.roster.snapshot();
        let mut any = false;
        while let Some(due) = self.deadlines.pop(now) {
            match due {
                Due::End(index) => any |= members.get(index).is_some_and(|member| member.cancel()),
                Due::Ready(index) => {
                    let timeout = self.hub.plan.start_timeout(index).unwrap_or_default();
                    if let Some(member) = members.get(index) {
                        member.fail_start(timeout);
                    }
                }
            }
        }
        if any {
            self.hub.dispatch.wake_all();
        }
    }

    /// Puts the story together.
    fn conclude(&mut self) -> Outcome {
        self.stage = Stage::Over;
        let members = self.roster.take();
        let outcome = Outcome::new(&self.hub, members, self.hub.take_failures(), self.origin);
        journal::outcome(&outcome);
        outcome
    }
}

impl Drop for Supervisor<'_> {
    fn drop(&mut self) {
        if !matches!(self.stage, Stage::Over) {
            self.hub.stop(Cause::Dropped);
            // Nobody will be there to see to the background later.
            self.hub.plan.set_stopping(true);
            self.hub.plan.set_cancelling();
            self.tell(self.hub.now(), &self.roster.snapshot(), |_| true);
            self.cancel_next();
        }
        drop(self.roster.take());
        self.hub.set_over();
    }
}
