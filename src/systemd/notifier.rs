//! What tells the service manager how a group is.
//!
//! It is a source of stops that never has an item: the group polls it in its own task, and drops it at
//! its end. So a sign of life is one of that task.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_lite::{Stream, ready};

use super::channel::Channel;
use super::environment::Environment;
use super::message::{Message, one_line};
use super::reloads::Reloads;
use super::words;
use crate::group::handle::Handle;
use crate::members::log;
use crate::stop::cause::Cause;
use crate::stop::token::Stopped;
use crate::time::alarm::Alarm;
use crate::time::earliest;

/// How often the status is looked at while the group starts or drains.
const TICK: Duration = Duration::from_secs(1);

/// The most time that is asked for at once in a drain. It is asked for again at each tick, as long as
/// the group is polled.
const LONGEST_PATIENCE: Duration = Duration::from_secs(30);

/// The time that is asked for beyond the end of the group, for what the program does after it.
const AFTERWARDS: Duration = Duration::from_secs(5);

/// The shortest time between two signs of life.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(1);

/// How far the group is, as the service manager knows it.
enum Stage {
    /// It was not polled.
    New,

    /// Not all of its services have started.
    Starting,

    /// They have.
    Running { is_reloading: bool },

    /// It stops, since then.
    Stopping { since: Instant },
}

/// Tells the service manager how a group is.
pub(super) struct Notifier<'a> {
    handle: Handle<'a>,
    channel: Channel,
    reloads: Arc<Reloads>,
    stage: Stage,

    /// Ready once all services have started, which is true, or the group has stopped.
    started: Pin<Box<dyn Future<Output = bool> + Send + 'a>>,
    stopped: Stopped,

    /// The time between two signs of life, if any are wanted.
    interval: Option<Duration>,

    /// When the next sign of life is due.
    alive: Option<Instant>,

    /// When the status is to be looked at.
    tick: Option<Instant>,

    /// A wait for the earlier of these, and when it is.
    alarm: Option<(Instant, Alarm)>,

    /// The last status that was told.
    status: String,
}

impl<'a> Notifier<'a> {
    /// Makes what tells of this group, as the environment says.
    pub(super) fn new(handle: Handle<'a>, environment: &Environment) -> Notifier<'a> {
        let starting = handle.clone();
        let half = |timeout: Duration| (timeout / 2).max(SHORTEST_INTERVAL);
        Notifier {
            channel: Channel::new(&environment.socket),
            reloads: Reloads::of_this_process(),
            stage: Stage::New,
            started: Box::pin(async move { starting.started().await.is_ok() }),
            stopped: handle.token().stopped(),
            interval: environment.watchdog.map(half),
            alive: None,
            tick: None,
            alarm: None,
            status: String::new(),
            handle,
        }
    }

    /// Returns the time by the clock of the group.
    fn now(&self) -> Instant {
        self.handle.core().timeline.now_instant()
    }

    /// Looks at what has happened. Each of these wakes the task when there is something new.
    fn look(&mut self, cx: &mut Context<'_>) {
        if matches!(self.stage, Stage::New) {
            self.stage = Stage::Starting;
            self.tick = Some(self.now());
            self.alive = self.interval.map(|_| self.now());
        }
        if matches!(self.stage, Stage::Starting) {
            match self.started.as_mut().poll(cx) {
                Poll::Ready(true) => self.start(),
                Poll::Ready(false) => self.stop(),
                Poll::Pending => {}
            }
        }
        self.look_at_reloads(cx);
        if !matches!(self.stage, Stage::Stopping { .. })
            && Pin::new(&mut self.stopped).poll(cx).is_ready()
        {
            self.stop();
        }
    }

    /// All services have started.
    fn start(&mut self) {
        self.stage = Stage::Running {
            is_reloading: false,
        };
        self.tick = None;
        self.status = words::running(&self.handle);
        self.channel.push(Message::ready(&self.status));
        self.reloads.forget_done();
    }

    fn look_at_reloads(&mut self, cx: &mut Context<'_>) {
        self.reloads.teller.register(cx.waker());
        let Stage::Running { is_reloading } = &mut self.stage else {
            return;
        };
        let Some((news, is_in_progress)) = self.reloads.take() else {
            return;
        };
        if let Some(moment) = news {
            *is_reloading = true;
            self.channel.push(Message::reloading(moment, "reloading"));
        }
        if *is_reloading && !is_in_progress {
            *is_reloading = false;
            self.status = words::running(&self.handle);
            self.channel.push(Message::reloaded(&self.status));
        }
    }

    /// The group stops.
    fn stop(&mut self) {
        let since = self.now();
        if matches!(self.stage, Stage::Starting) && is_well(self.handle.cause().as_ref()) {
            self.start();
        }
        self.stage = Stage::Stopping { since };
        self.tick = Some(since + TICK);
        self.status = one_line(&words::draining(&self.handle, since));
        let patience = self.patience();
        self.channel.push(Message::stopping(&self.status, patience));
    }

    /// Returns how long the service manager is to wait for the next message in a drain.
    fn patience(&self) -> Duration {
        let core = self.handle.core();
        let left = core.deadline().map(|deadline| {
            let left = deadline.saturating_duration_since(self.now());
            let cancel = Duration::from_nanos(core.timeouts.cancel());
            left.saturating_add(cancel).saturating_add(AFTERWARDS)
        });
        left.unwrap_or(LONGEST_PATIENCE).min(LONGEST_PATIENCE)
    }

    /// Waits for the time of the next message, and sends it.
    fn poll_time(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(due) = earliest(self.alive, self.tick) {
            let handle = &self.handle;
            let new = || (due, handle.core().timeline.alarm(due));
            let (at, alarm) = self.alarm.get_or_insert_with(new);
            // To set it costs more than to look at it.
            if *at != due {
                *at = due;
                alarm.set_at(due);
            }
            ready!(Pin::new(alarm).poll(cx));
            self.tell_what_is_due();
        }
        self.alarm = None;
        Poll::Pending
    }

    fn tell_what_is_due(&mut self) {
        let now = self.now();
        if let Some(interval) = self
            .interval
            .filter(|_| self.alive.is_some_and(|at| at <= now))
        {
            // Not the time at which it was due plus the interval: late ones are not made up for.
            self.alive = now.checked_add(interval);
            self.channel.push(Message::alive());
        }
        if self.tick.is_none_or(|at| at > now) {
            return;
        }
        self.tick = Some(now + TICK);
        if let Stage::Stopping { since } = self.stage {
            self.status = one_line(&words::draining(&self.handle, since));
            let patience = self.patience();
            self.channel.push(Message::draining(&self.status, patience));
        } else {
            let status = one_line(&words::starting(&self.handle));
            if status != self.status {
                self.channel.push(Message::status(&status));
                self.status = status;
            }
        }
    }

    /// Tells of a message that was not sent: where records of the group go, and only of the first.
    fn tell_error(&mut self) {
        if let Some(error) = self.channel.take_error() {
            let address = self.channel.address().to_string_lossy();
            log::not_notified(self.handle.core(), &address, &error);
        }
    }
}

/// Returns true if a group has ended as it was meant to, perhaps before anyone saw that it had started.
/// For a service manager one that ends without having started has failed.
fn is_well(cause: Option<&Cause>) -> bool {
    matches!(cause, Some(Cause::Ended | Cause::Finished(_)))
}

impl Stream for Notifier<'_> {
    type Item = Cause;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Cause>> {
        self.look(cx);
        let _ = self.poll_time(cx);
        let _ = self.channel.poll_flush(cx);
        self.tell_error();
        Poll::Pending
    }
}

/// The group has ended: what was not told in time is told now.
impl Drop for Notifier<'_> {
    fn drop(&mut self) {
        let has_run = self.handle.core().readiness.opened_at().is_some();
        if !has_run {
            return;
        }
        if !matches!(self.stage, Stage::Stopping { .. }) {
            self.stop();
        }
        self.channel
            .push(Message::status(&one_line(&words::stopped(&self.handle))));
        self.channel.flush();
        self.tell_error();
    }
}
