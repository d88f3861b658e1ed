//! The state of a server, from its first accept to its last close.

use std::future::{self, Future};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::quiet::{Noted, Quiet};
use crate::stop::cause::Cause;
use crate::stop::source::StopSource;
use crate::stop::token::StopToken;
use crate::time::time_source::TimeSource;

/// The state of a server. It only moves down this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
enum ServerState {
    /// No stop has come.
    Serving,
    /// Serves everything, but closes each connection after its response.
    LameDuck,
    /// Accepts no new connection; finishes the requests it has.
    Draining,
    /// The time is over: what is left is dropped.
    Cancelling,
}

/// The state of a server, and the tokens that announce its changes.
#[derive(Debug)]
pub(in crate::http) struct ServerLifecycle {
    /// The name of the service. Only a record of `tide_service` has need of it.
    #[cfg_attr(not(feature = "tide"), allow(dead_code))]
    pub(in crate::http) name: Arc<str>,
    /// A [`ServerState`]. It is stored before `drain` or `cancel` wakes a waiter.
    state: AtomicU8,
    /// True once all other services of the group have started. Nothing is ordered by it.
    has_started: AtomicBool,
    /// The clock of the group.
    time: TimeSource,
    /// The service's own token: stopped before the server has noticed the stop.
    stop: StopToken,
    /// Stopped with the group of the service, and with those around it. A server that others need is stopped later.
    groups: Vec<StopToken>,
    /// The groups of connections, one after the other of which drains: the first at once. There is only one
    /// if the drain is not spread.
    turns: Box<[Turn]>,
    /// The number of connections so far, which are given to the groups by turns.
    connections: AtomicUsize,
    /// Stopped when the server itself cancels.
    cancel: StopSource,
    quiet: Quiet,
}

/// A group of connections that drains at once.
#[derive(Debug, Default)]
struct Turn {
    /// Stopped when its drain begins. Handlers hold its token, and idle connections wait for it.
    drain: StopSource,
    began: OnceLock<Instant>,
}

/// The number of a group of connections.
pub(in crate::http) type TurnNumber = usize;

/// In how many groups connections drain, if the drain is spread.
const TURNS: usize = 32;

impl ServerLifecycle {
    /// Makes the lifecycle of a service with this name and stop token. `quiet` is that of a lame duck.
    pub(in crate::http) fn new(
        name: Arc<str>,
        stop: StopToken,
        groups: Vec<StopToken>,
        time: TimeSource,
        is_spread: bool,
        quiet: Duration,
    ) -> Self {
        let turns = if is_spread { TURNS } else { 1 };
        Self {
            name,
            stop,
            groups,
            quiet: Quiet::new(time.now(), quiet),
            time,
            state: AtomicU8::new(ServerState::Serving as u8),
            has_started: AtomicBool::new(false),
            turns: (0..turns).map(|_| Turn::default()).collect(),
            connections: AtomicUsize::new(0),
            cancel: StopSource::new(),
        }
    }

    /// Returns the present state.
    fn state(&self) -> ServerState {
        match self.state.load(Ordering::Acquire) {
            0 => ServerState::Serving,
            1 => ServerState::LameDuck,
            2 => ServerState::Draining,
            _ => ServerState::Cancelling,
        }
    }

    /// Returns the clock of the group.
    pub(in crate::http) fn time(&self) -> &TimeSource {
        &self.time
    }

    /// Returns the time by the clock of the group.
    pub(in crate::http) fn now(&self) -> Instant {
        self.time.now()
    }

    /// Returns true until the service is told to stop.
    pub(in crate::http) fn is_serving(&self) -> bool {
        self.state() == ServerState::Serving && !self.stop.is_stopped()
    }

    /// Notes when all other services of the group have started, which `started` waits for. This has no end.
    pub(in crate::http) async fn start<T>(self: Arc<Self>, started: impl Future<Output = ()>) -> T {
        started.await;
        self.has_started.store(true, Ordering::Relaxed);
        future::pending().await
    }

    /// Returns true once all other services of the group have started.
    pub(in crate::http) fn has_started(&self) -> bool {
        self.has_started.load(Ordering::Relaxed)
    }

    /// Returns true until the service, or a group around it, is told to stop.
    pub(in crate::http) fn is_wanted(&self) -> bool {
        self.is_serving() && !self.groups.iter().any(StopToken::is_stopped)
    }

    /// Returns true once the drain has begun.
    pub(in crate::http) fn is_draining(&self) -> bool {
        self.state() >= ServerState::Draining
    }

    /// Is a lame duck: for `most`, or until a load balancer was told, and no request has come for the quiet time.
    pub(in crate::http) async fn lame_duck(&self, most: Duration) {
        self.enter(ServerState::LameDuck);
        self.quiet.wait(&self.time, most).await;
    }

    /// Notes a request to a lame duck.
    #[inline(always)]
    pub(in crate::http) fn note_request(&self, noted: &Noted) {
        if self.state() == ServerState::LameDuck {
            self.quiet.note(self.now(), noted);
        }
    }

    /// Takes a request to a lame duck back, which was a health check: one that was told whether the server is
    /// ready, or only asked whether it is alive.
    pub(in crate::http) fn take_back(&self, noted: &Noted, told: bool) {
        if self.state() == ServerState::LameDuck {
            self.quiet.take_back(noted);
            if told {
                self.quiet.tell(self.now());
            }
        }
    }

    /// Begins the drain: wakes idle connections, and tells the handlers until when they have time. Those of
    /// the first group, if it is [spread](ServerLifecycle::spread).
    pub(in crate::http) fn drain(&self, cause: Cause, deadline: Option<Instant>) {
        self.enter(ServerState::Draining);
        self.begin(&self.turns[0], cause, deadline);
    }

    /// Has the other groups drain, one after the other. This has no end.
    pub(in crate::http) async fn spread(&self, window: Duration) {
        let first = self.draining(0);
        for turn in &self.turns[1..] {
            self.time.sleep(window / TURNS as u32).await;
            let cause = first.cause().unwrap_or(Cause::Requested);
            self.begin(turn, cause, first.deadline());
        }
        future::pending().await
    }

    fn begin(&self, turn: &Turn, cause: Cause, deadline: Option<Instant>) {
        let _ = turn.began.set(self.now());
        turn.drain.stop_by(cause, deadline);
    }

    /// Gives a new connection to a group.
    pub(in crate::http) fn turn(&self) -> TurnNumber {
        self.connections.fetch_add(1, Ordering::Relaxed) % self.turns.len()
    }

    /// Returns the moment the drain of a group began, if it has.
    pub(in crate::http) fn drain_began(&self, turn: TurnNumber) -> Option<Instant> {
        self.turns[turn].began.get().copied()
    }

    /// Begins the cancel.
    pub(in crate::http) fn cancel(&self) {
        self.end();
        self.cancel.stop(Cause::Requested);
    }

    /// Stops all that has not begun to drain: the server ends, or cancels.
    ///
    /// What a handler has spawned may hold its token, and wait for nothing else.
    pub(in crate::http) fn end(&self) {
        self.enter(ServerState::Cancelling);
        self.begin_all(Some(self.now()));
    }

    /// Begins the drain of all groups at once: nothing is left to do it in turn.
    pub(in crate::http) fn leave(&self) {
        self.enter(ServerState::Draining);
        self.begin_all(self.stop.deadline());
    }

    fn begin_all(&self, deadline: Option<Instant>) {
        let cause = self.draining(0).cause().or_else(|| self.stop.cause());
        let cause = cause.unwrap_or(Cause::Requested);
        for turn in &self.turns {
            self.begin(turn, cause.clone(), deadline);
        }
    }

    fn enter(&self, state: ServerState) {
        self.state.fetch_max(state as u8, Ordering::AcqRel);
    }

    /// Returns a token that is stopped when the drain of a group begins.
    pub(in crate::http) fn draining(&self, turn: TurnNumber) -> StopToken {
        self.turns[turn].drain.token()
    }

    /// Returns a token that is stopped when the server itself cancels.
    pub(in crate::http) fn cancelling(&self) -> StopToken {
        self.cancel.token()
    }
}
