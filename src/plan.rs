//! The plan of a group: who needs whom, and whose turn it is.
//!
//! Only services that need others, are needed, have a start timeout, or are in a group with a
//! limit are in here: they are *tied*. All others are started, told and joined without a look at
//! it. Whoever makes one of the tied ready, or sees it end, finds here who follows, and carries
//! that out, with no way round by the supervisor.

mod ties;
mod turns;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use self::ties::{Steps, Tie, Ties};
use crate::hub::Hub;
use crate::member::Member;

/// Who needs whom in a group, and whose turn it is.
#[derive(Default)]
pub(crate) struct Plan {
    ties: Mutex<Ties>,

    /// Whether the group is being cancelled: who is told to stop from now on is cancelled too.
    cancelling: AtomicBool,
}

impl Plan {
    fn lock(&self) -> MutexGuard<'_, Ties> {
        self.ties.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ties a service to one that it needs, and holds it until that is ready.
    pub(crate) fn need(&self, member: &Arc<Member>, needed: &Arc<Member>) {
        let mut ties = self.lock();
        if !ties.tie(needed).needed_by.contains(&member.index()) {
            ties.bind(member, needed);
        }
    }

    pub(crate) fn set_start_timeout(&self, member: &Arc<Member>, timeout: Duration) {
        member.set_starting();
        self.lock().tie(member).start_timeout = Some(timeout);
    }

    pub(crate) fn start_timeout(&self, index: usize) -> Option<Duration> {
        self.lock().ties.get(&index)?.start_timeout
    }

    pub(crate) fn ready_at(&self, index: usize) -> Option<u64> {
        self.lock().ties.get(&index)?.ready_at
    }

    /// Lets no more services than that run at once.
    pub(crate) fn set_limit(&self, limit: usize) {
        self.lock().turns.set_limit(limit);
    }

    /// How many services may run at once; `None` for any number.
    pub(crate) fn limit(&self) -> Option<usize> {
        self.lock().turns.limit()
    }

    /// The group starts: the first turns are given.
    pub(crate) fn open(&self, members: &[Arc<Member>]) {
        let mut steps = Steps::default();
        let mut ties = self.lock();
        ties.turns.open();
        if ties.has_early || ties.turns.limit().is_some() {
            for member in members {
                ties.line_up(member, &mut steps);
            }
        }
        drop(ties);
        steps.carry_out();
    }

    /// A service was added by way of a handle. If the group is yet to start, so is the service.
    pub(crate) fn admit(&self, member: &Arc<Member>) {
        let mut steps = Steps::default();
        let mut ties = self.lock();
        if ties.turns.is_open() {
            ties.line_up(member, &mut steps);
        } else {
            ties.has_early = true;
            member.hold();
        }
        drop(ties);
        steps.carry_out();
    }

    /// Takes a turn for the service that will have this index; false if it had to wait for one.
    pub(crate) fn take_turn(&self, index: usize) -> bool {
        self.lock().turns.take(index)
    }

    /// A service is ready: those that waited for it alone may start.
    pub(crate) fn ready(&self, hub: &Hub, index: usize) {
        let mut steps = Steps::default();
        self.lock().ready(index, hub.now(), &mut steps);
        steps.carry_out();
    }

    /// A service has ended, or was given up: those that it alone needed may be told, and somebody
    /// has its turn. One that is gone without having been ready never will be.
    pub(crate) fn gone(&self, hub: &Hub, member: &Member, finished: bool) {
        let mut steps = Steps::default();
        let quiet = hub.is_quiet();
        let mut ties = self.lock();
        if finished {
            ties.ready(member.index(), hub.now(), &mut steps);
        }
        ties.gone(member.index(), quiet, &mut steps);
        drop(ties);
        steps.carry_out();
    }

    /// Stops one service, after all that need it; whether that is news.
    pub(crate) fn stop_one(&self, member: &Arc<Member>) -> bool {
        let mut steps = Steps::default();
        let mut ties = self.lock();
        let news = match ties.ties.get(&member.index()) {
            None => {
                steps.stop.push(Arc::clone(member));
                true
            }
            Some(tie) => {
                let news = !tie.stops_alone;
                ties.stop_alone(member.index(), &mut steps);
                news
            }
        };
        drop(ties);
        let news = news && !member.is_stopped();
        steps.carry_out();
        news
    }

    /// The group is being stopped. From now on, whoever is needed no longer is told; those in the
    /// background later, unless it is to be `at_once`.
    pub(crate) fn set_stopping(&self, at_once: bool) {
        let mut ties = self.lock();
        ties.stopping = true;
        if at_once {
            ties.ties.values_mut().for_each(|tie| tie.is_last = false);
        } else {
            ties.find_last();
        }
    }

    pub(crate) fn set_cancelling(&self) {
        self.cancelling.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_cancelling(&self) -> bool {
        self.cancelling.load(Ordering::SeqCst)
    }

    /// Whether a service may be told to stop: all who need it are gone.
    pub(crate) fn may_stop(&self, member: &Member) -> bool {
        !member.is_tied() || self.tie_of(member, |tie| tie.users == 0, true)
    }

    /// Whether a service is to be stopped after all that are not in the background.
    pub(crate) fn is_last(&self, member: &Member) -> bool {
        member.is_background()
            && (!member.is_tied() || self.tie_of(member, |tie| tie.is_last, true))
    }

    /// The indices of those that a service needs, in the order in which they were added.
    pub(crate) fn needs_of(&self, index: usize) -> Vec<usize> {
        let ties = self.lock();
        let mut needs = ties
            .ties
            .get(&index)
            .map_or(Vec::new(), |tie| tie.needs.clone());
        needs.sort_unstable();
        needs
    }

    /// A line for each service, with those after which it starts.
    pub(crate) fn fmt(&self, members: &[Arc<Member>], f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut newline = "";
        if let Some(limit) = self.limit() {
            write!(f, "at most {limit} at once")?;
            newline = "\n";
        }
        for member in members {
            write!(f, "{newline}`{}`", member.name())?;
            newline = "\n";
            let needs = self.needs_of(member.index());
            let needs = needs.iter().filter_map(|&index| members.get(index));
            for (index, needed) in needs.enumerate() {
                let after = if index == 0 { " after" } else { "," };
                write!(f, "{after} `{}`", needed.name())?;
            }
            if member.is_background() {
                f.write_str(" (background)")?;
            }
        }
        Ok(())
    }

    fn tie_of<T>(&self, member: &Member, look: impl FnOnce(&Tie) -> T, without: T) -> T {
        self.lock().ties.get(&member.index()).map_or(without, look)
    }
}
