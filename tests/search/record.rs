//! What happened in one run, in one order: every event is written down under one lock.
//!
//! An event that the group waits for (a service is gone, or says that it is ready) is written down
//! before the group can know of it; one that the group brings about (a service is called, or sees
//! its stop), after. So wherever the group has to do one after the other, their numbers say so.

use std::sync::{Mutex, MutexGuard, PoisonError};

use neap::Cause;

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Event {
    /// Milliseconds by the hand clock.
    pub at: u64,
    pub what: What,
}

/// What happened. The numbers are those of services, of groups where it says so.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A service is about to be added, needing these; or by `try_add`, which takes no options.
    Adding(usize, Vec<usize>),
    Trying(usize),
    /// It has been added; was refused; came back from the refusal.
    Added(usize),
    Refused(usize),
    CameBack(usize),
    /// The service function was called.
    Called(usize),
    /// The first poll of the service's future, or of a run of it, is about to return.
    PolledOnce(usize),
    SaysReady(usize),
    /// The service saw its stop, with this cause.
    Told(usize, Option<Cause>),
    /// The service, or a run of it, returns.
    ReturnsWell(usize),
    ReturnsError(usize),
    /// Code of the service is about to panic.
    Panics(usize),
    ChildFails(usize),
    /// A child of a service, and its own number.
    ChildSpawned(usize, usize),
    ChildGone(usize, usize),
    /// A child, by its own number, is about to return its value; is about to be aborted.
    ChildReturns(usize),
    ChildAborting(usize),
    /// A service is about to await a child; it has, and whether there was a value.
    ChildJoining(usize, usize),
    ChildJoined(usize, bool),
    /// All that a run owned is gone.
    RunGone(usize),
    /// All that the service owned is gone; it may never have been called.
    Gone(usize),
    /// The spawn function of this group is about to panic.
    SpawnPanics(usize),
    /// `started` of this group returned well.
    Started(usize),
    /// A group is asked to stop; the call has returned, and whether it was news.
    Stopping(usize),
    Stopped(usize, bool),
    Cancelling(usize),
    /// One service is asked to stop alone.
    StoppingOne(usize),
    /// One service is to be cancelled alone; the call has returned, and whether it was news.
    CancellingOne(usize),
    CancelledOne(usize, bool),
    /// The end of a service is awaited, by another or from outside; it was seen; the stop came first.
    EndAwaited {
        watch: usize,
        of: usize,
        by: Option<usize>,
    },
    EndSeen(usize),
    EndGivenUp(usize),
    /// An item is sent to the source of stops.
    Item,
    /// The stop of the outer group woke somebody.
    StopSeen,
    /// The outer group is about to run.
    Opening,
    /// The future of the outer `run` is ready; or is dropped.
    Returned,
    Dropping,
    Dropped,
    /// A guarantee was seen broken while the group ran.
    Broken(&'static str, String),
}

/// The events of one run.
#[derive(Debug, Default)]
pub struct Log(Mutex<Vec<Event>>);

impl Log {
    fn lock(&self) -> MutexGuard<'_, Vec<Event>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn push(&self, at: u64, what: What) {
        self.lock().push(Event { at, what });
    }

    pub fn len(&self) -> usize {
        self.lock().len()
    }

    pub fn events(&self) -> Vec<Event> {
        self.lock().clone()
    }

    pub fn has(&self, what: &What) -> bool {
        self.lock().iter().any(|event| event.what == *what)
    }

    /// Whether everyone outside who awaits the end of a service has seen it.
    pub fn have_all_watches_ended(&self) -> bool {
        let events = self.lock();
        events.iter().all(|event| match event.what {
            What::EndAwaited {
                watch, by: None, ..
            } => events
                .iter()
                .any(|other| other.what == What::EndSeen(watch)),
            _ => true,
        })
    }

    /// Whether all that was about to be added is gone, with its children.
    pub fn are_all_gone(&self) -> bool {
        let count = |is_it: fn(&What) -> bool| {
            let events = self.lock();
            events.iter().filter(|event| is_it(&event.what)).count()
        };
        // The ends first: what begins between the two looks is not missed.
        let ends = count(|what| matches!(what, What::Gone(_) | What::ChildGone(..)));
        let begins = count(|what| {
            matches!(
                what,
                What::Adding(..) | What::Trying(_) | What::ChildSpawned(..)
            )
        });
        begins == ends
    }
}

/// How the future of `run` ended.
#[derive(Debug)]
pub enum Ending {
    Returned(Told),
    Dropped,
    /// Neither, although every service could end.
    Hung(String),
    /// A panic went through it.
    Panicked(String),
}

/// What the outcome tells.
#[derive(Debug)]
pub struct Told {
    pub is_ok: bool,
    pub cause: Option<Cause>,
    /// By the number of the service.
    pub reports: Vec<(usize, Line)>,
    /// How many services have no report.
    pub unreported: u64,
    /// The services that failed, in order; and those whose failures were ignored.
    pub failures: Vec<usize>,
    pub ignored: Vec<usize>,
    /// All of it, in words.
    pub text: String,
}

/// What the outcome tells of one service.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    pub exit: Kind,
    pub is_straggler: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Finished,
    Failed,
    Panicked,
    Cancelled,
    Abandoned,
    NotStarted,
}

/// A run that is over: what was planned, what happened, and how it ended.
#[derive(Debug)]
pub struct History {
    pub scenario: crate::scenario::Scenario,
    pub events: Vec<Event>,
    pub ending: Ending,
}
