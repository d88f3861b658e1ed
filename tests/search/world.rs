//! What the services of one run and those who act on them from outside share.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use async_channel::Sender;
use async_executor::Executor;
use neap::test::Clock;
use neap::{Cause, Handle, Refused, Scope, ServiceId, StopSource, StopToken};

use crate::record::{Log, What};
use crate::scenario::{Act, Place, REASON, Scenario};
use crate::service;

/// One run, as its services see it.
pub struct World {
    pub scenario: Scenario,
    pub log: Log,
    pub clock: Clock,
    begin: Instant,
    /// The executor of groups that are not in place.
    pub executor: Arc<Executor<'static>>,
    pub source: Sender<Cause>,
    handles: Mutex<Vec<Option<Handle<'static>>>>,
    pub ids: Vec<OnceLock<ServiceId>>,
    /// Who has been added, or refused, already.
    adding: Vec<OnceLock<()>>,
    pub kept: Mutex<Kept>,
    /// How often the outer group has been polled by hand.
    pub turn: AtomicUsize,
    /// The next number of a child, or of somebody who awaits an end.
    number: AtomicUsize,
}

/// What outlives the services that gave it away.
#[derive(Default)]
pub struct Kept {
    /// With the number of the service.
    pub tokens: Vec<(usize, StopToken)>,
    pub scopes: Vec<(usize, Scope<'static>)>,
    /// Services that were asked to go alone, and whether they were cancelled.
    pub alone: Vec<(usize, bool)>,
    /// Children of the tokens of groups, with the number of the group.
    pub children: Vec<(usize, StopSource)>,
}

impl World {
    pub fn new(
        scenario: &Scenario,
        executor: Arc<Executor<'static>>,
        source: Sender<Cause>,
    ) -> World {
        let clock = Clock::new();
        let count = scenario.services.len();
        World {
            scenario: scenario.clone(),
            log: Log::default(),
            begin: clock.now(),
            clock,
            executor,
            source,
            handles: Mutex::new(vec![None; scenario.groups.len()]),
            ids: (0..count).map(|_| OnceLock::new()).collect(),
            adding: (0..count).map(|_| OnceLock::new()).collect(),
            kept: Mutex::default(),
            turn: AtomicUsize::new(0),
            number: AtomicUsize::new(0),
        }
    }

    pub fn note(&self, what: What) {
        let at = self.clock.now().saturating_duration_since(self.begin);
        self.log.push(at.as_millis() as u64, what);
    }

    pub fn broken(&self, guarantee: &'static str, how: impl Into<String>) {
        self.note(What::Broken(guarantee, how.into()));
    }

    /// Whether the groups go by the hand clock.
    pub fn has_hand_clock(&self) -> bool {
        self.scenario.place != Place::Threads || self.scenario.timeless
    }

    /// How long a thread waits where the hand clock would move by this many milliseconds.
    pub fn pause(&self, millis: u64) -> Duration {
        Duration::from_micros(millis * if self.scenario.timeless { 1 } else { 10 })
    }

    /// Lets go of all that would keep this alive.
    pub fn clear(&self) {
        for group in 0..self.scenario.groups.len() {
            self.set_handle(group, None);
        }
        drop(self.keep(std::mem::take));
    }

    pub fn set_handle(&self, group: usize, handle: Option<Handle<'static>>) {
        let mut handles = self.handles.lock().unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::replace(&mut handles[group], handle);
        drop(handles);
        drop(old);
    }

    pub fn handle(&self, group: usize) -> Option<Handle<'static>> {
        let handles = self.handles.lock().unwrap_or_else(PoisonError::into_inner);
        handles.get(group).cloned().flatten()
    }

    pub fn keep<T>(&self, keep: impl FnOnce(&mut Kept) -> T) -> T {
        keep(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Does one thing to a group.
    pub fn act(self: &Arc<World>, act: Act) {
        match act {
            Act::Stop(group) => self.stop(group, Cause::Requested),
            Act::StopWith(group) => self.stop(group, REASON.into()),
            Act::Cancel(group) => {
                if let Some(handle) = self.handle(group) {
                    self.note(What::Cancelling(group));
                    handle.cancel();
                }
            }
            Act::StopOne(index) => self.stop_one(index),
            Act::CancelOne(index) => self.cancel_one(index),
            Act::WatchEnd(index) => self.watch_end(index),
            Act::Add(index) => self.add(index, false),
            Act::TryAdd(index) => self.add(index, true),
            Act::Item => {
                self.note(What::Item);
                let _ = self.source.try_send(Cause::Requested);
            }
            Act::Child(group) => {
                if let Some(handle) = self.handle(group) {
                    let child = handle.token().child();
                    self.keep(|kept| kept.children.push((group, child)));
                }
            }
            Act::Status(group) => {
                if let Some(handle) = self.handle(group) {
                    drop(handle.status().to_string());
                }
            }
        }
    }

    fn stop(&self, group: usize, cause: Cause) {
        let Some(handle) = self.handle(group) else {
            return;
        };
        let of_group =
            |(other, child): &(usize, StopSource)| (*other == group).then(|| child.token());
        let before: Vec<_> = self.keep(|kept| kept.children.iter().filter_map(of_group).collect());
        self.note(What::Stopping(group));
        let news = handle.stop_with(cause.clone());
        if news && handle.cause() != Some(cause) {
            self.broken("g04", "`stop` returned true, and the cause is another");
        }
        if news && before.iter().any(|token| !token.is_stopped()) {
            self.broken(
                "g04",
                "`stop` returned true, and a token below is not stopped",
            );
        }
        self.note(What::Stopped(group, news));
    }

    fn stop_one(&self, index: usize) {
        let id = self.ids.get(index).and_then(OnceLock::get);
        let group = self.scenario.services.get(index).map(|one| one.group);
        if let (Some(id), Some(handle)) = (id, group.and_then(|group| self.handle(group))) {
            self.note(What::StoppingOne(index));
            if handle.stop_one(*id) {
                self.keep(|kept| kept.alone.push((index, false)));
            }
        }
    }

    fn cancel_one(&self, index: usize) {
        if let Some((handle, id)) = self.of_service(index) {
            self.note(What::CancellingOne(index));
            let news = handle.cancel_one(id);
            self.note(What::CancelledOne(index, news));
            if news {
                self.keep(|kept| kept.alone.push((index, true)));
            }
        }
    }

    /// The group of a service that has been added, and what identifies it there.
    pub fn of_service(&self, index: usize) -> Option<(Handle<'static>, ServiceId)> {
        let id = self.ids.get(index)?.get()?;
        let handle = self.handle(self.scenario.services[index].group)?;
        Some((handle, *id))
    }

    pub fn next_number(&self) -> usize {
        self.number.fetch_add(1, Ordering::SeqCst)
    }

    /// Has a task that is no service await the end of one.
    fn watch_end(self: &Arc<World>, of: usize) {
        if let Some((handle, id)) = self.of_service(of) {
            let (world, watch) = (Arc::clone(self), self.next_number());
            self.note(What::EndAwaited {
                watch,
                of,
                by: None,
            });
            let task = async move {
                handle.ended(id).await;
                world.note(What::EndSeen(watch));
            };
            self.executor.spawn(task).detach();
        }
    }

    /// Adds one of the late services, once.
    fn add(self: &Arc<World>, index: usize, only_if_free: bool) {
        let is_late = self
            .scenario
            .services
            .get(index)
            .is_some_and(|one| one.late);
        if !is_late || !self.scenario.is_present(index) || self.adding[index].set(()).is_err() {
            return;
        }
        let Some(handle) = self.handle(self.scenario.services[index].group) else {
            return;
        };
        match (only_if_free, self.scenario.services[index].restarts) {
            (true, _) => {
                self.note(What::Trying(index));
                let service = service::once(self, index);
                self.take(index, handle.try_add(service::name(index), service));
            }
            (false, None) => {
                let options = service::options(self, index);
                let service = service::once(self, index);
                self.take(
                    index,
                    handle.add_with(service::name(index), options, service),
                );
            }
            (false, Some(failing)) => {
                let options = service::options(self, index);
                let service = service::restarting(self, index, failing);
                self.take(
                    index,
                    handle.add_with(service::name(index), options, service),
                );
            }
        }
    }

    /// Notes how an addition went.
    fn take<S>(&self, index: usize, added: Result<ServiceId, Refused<S>>) {
        match added {
            Ok(id) => {
                self.note(What::Added(index));
                let _ = self.ids[index].set(id);
            }
            Err(refused) => {
                self.note(What::Refused(index));
                let service = refused.into_service();
                self.note(What::CameBack(index));
                let _ = catch_unwind(AssertUnwindSafe(|| drop(service)));
            }
        }
    }
}
