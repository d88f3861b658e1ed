//! Telling the observers of a group what happens.
//!
//! The recorder is told in one step with what happens, under its lock. The functions of the user's
//! are called after that and under no lock.

use std::time::Duration;

use super::core::Core;
use super::event::{Event, Occurrence};
use super::observers::Observers;
use super::recorder::Recorder;
use crate::executor::node::Node;
use crate::executor::panic::{Panicked, catch};
use crate::service::exit::Exit;
use crate::service::id::ServiceId;
use crate::service::lifecycle::{Event as Change, Lifecycle};
use crate::service::record::Record;

impl Core {
    /// Returns those that are told of each event. Made when there is a first one.
    pub(crate) fn add_observers(&self) -> &Observers {
        self.observers.get_or_init(|| Box::new(Observers::new()))
    }

    /// Tells the functions of the user's, of the group, that it stops.
    pub(crate) fn emit_stopping(&self) {
        if let (Some(observers), Some(cause)) = (self.observers.get(), self.cause()) {
            let at = self.stopped_at().unwrap_or_else(|| self.timeline.now());
            self.call(observers, Event::Stopping(cause), None, at);
        }
    }

    /// Calls the functions of the user's.
    fn call(&self, observers: &Observers, event: Event, id: Option<ServiceId>, at: u64) {
        if observers.has_hooks() {
            let since = self.readiness.opened_at();
            let at = since.map_or(0, |since| at.saturating_sub(since));
            observers.call(&Occurrence::new(event, id, Duration::from_nanos(at)));
        }
    }
}

impl Node<Core, Record> {
    fn observers(&self) -> Option<&Observers> {
        self.host.observers.get().map(|observers| &**observers)
    }

    pub(super) fn is_observed(&self) -> bool {
        self.observers().is_some()
    }

    fn recorder(&self) -> Option<&Recorder> {
        self.observers()
            .and_then(|observers| observers.recorder.get())
    }

    /// Moves the service on, and records that in the same step. The caller
    /// [emits](Self::emit_change) it, once it holds no lock.
    pub(super) fn advance(&self, change: Change, event: fn(String) -> Event) -> Option<Lifecycle> {
        match self.recorder() {
            None => self.data.apply(change),
            Some(recorder) => {
                let event = || event(self.name().to_owned());
                recorder.push_if(|| self.data.apply(change), event)
            }
        }
    }

    /// Tells the observers that the service has moved on, and when it did. Not to be called under
    /// a lock.
    pub(super) fn emit_change(&self, event: fn(String) -> Event, at: Option<u64>) {
        if self.is_observed() {
            if let Some(recorder) = self.recorder() {
                recorder.notify();
            }
            let at = at.unwrap_or_else(|| self.host.timeline.now());
            self.emit(event(self.name().to_owned()), at);
        }
    }

    /// Records an event that moves the service nowhere; returns it and when it was. Not to be
    /// called under a lock.
    pub(super) fn record(&self, event: Event) -> (Event, u64) {
        let at = self.host.timeline.now();
        if let Some(recorder) = self.recorder() {
            recorder.push(event.clone());
        }
        (event, at)
    }

    /// Calls the functions of the user's. Not to be called under a lock.
    pub(super) fn emit(&self, event: Event, at: u64) {
        if let Some(observers) = self.observers() {
            let id = ServiceId::new(self.host.id, self.index());
            self.host.call(observers, event, Some(id), at);
        }
    }

    /// Tells the observers of an event that moves the service nowhere. Not to be called under a
    /// lock.
    pub(super) fn report(&self, event: impl FnOnce(String) -> Event) {
        if self.is_observed() {
            let (event, at) = self.record(event(self.name().to_owned()));
            self.emit(event, at);
        }
    }

    /// Tells the observers that a run of the service has ended, and that there will be another.
    pub(crate) fn report_restart(&self, last: &Exit) {
        self.report(|name| {
            // It displays an error of the user's.
            let message = catch(|| last.to_string());
            let message = message.unwrap_or_else(|Panicked(message)| message);
            Event::Restarting(name, message)
        });
    }
}
