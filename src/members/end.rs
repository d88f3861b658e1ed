//! The end of a service and of its children, with their failures.

use super::core::{ChildRecord, Core};
use super::event::Event as Recorded;
use super::log;
use crate::executor::node::Node;
use crate::executor::panic::{Panicked, catch};
use crate::service::children::Left;
use crate::service::exit::{End, Exit, Failure};
use crate::service::lifecycle::{Event, Flag};
use crate::service::record::Record;
use crate::service::result::{OnExit, OnFailure};
use crate::stop::cause::Cause;
use crate::sync::Ordering;

impl Node<Core, Record> {
    /// Counts a child out. If it was the last one, wakes the service that waits for just that; or
    /// ends it, if it has no task any more.
    pub(crate) fn leave_child(&self) {
        match self.data.children.leave() {
            Left::Nothing => {}
            Left::Awaited => self.wake_task(),
            Left::Orphaned => self.end_orphaned(),
        }
    }

    /// Ends the service, whose task was dropped, if no child is left; or else with the last one.
    pub(super) fn end_orphaned(&self) {
        if self.data.children.join_orphaned() {
            self.end(false);
        }
    }

    /// Counts a child in; false if the service has ended, or is cancelled.
    pub(crate) fn enter_child(&self) -> bool {
        !self.is_cancelled() && self.data.children.enter()
    }

    /// Records a failure of the service and stops the group for it.
    ///
    /// The error is the user's: that it cannot be displayed is one more failure.
    pub(crate) fn fail(&self, failure: Failure) {
        let exit = Exit::from(failure);
        let told = catch(|| {
            log::failed(self, &exit);
            self.is_observed().then(|| exit.message())
        });
        match told {
            Ok(message) => self.fail_group(exit, message),
            Err(Panicked(message)) => {
                self.fail_group(exit, None);
                let exit = Exit::Panicked(message);
                let message = self.is_observed().then(|| exit.message());
                self.fail_group(exit, message);
            }
        }
    }

    /// Takes a failure as [`fail`](Node::fail) does, also of a service whose failures are ignored.
    pub(crate) fn fail_always(&self, failure: Failure) {
        self.data.set_on_failure(OnFailure::Stop);
        self.fail(failure);
    }

    /// Stops the group for a failure, unless those of this service are ignored. The functions of the
    /// user's are told once the failure counts, as they may stop the group too, and before anything is
    /// told to stop.
    fn fail_group(&self, exit: Exit, message: Option<String>) {
        let name = self.data.name().clone();
        let event = message.map(|message| Recorded::Failed(name.clone().into_owned(), message));
        let recorded = event.map(|event| self.record(event));
        let cause = match exit {
            Exit::Panicked(_) => Cause::Panicked(name),
            _ => Cause::Failed(name),
        };
        let tell = || {
            if let Some((event, at)) = recorded {
                self.emit(event, at);
            }
        };
        if self.data.ignores_failures() {
            // The group goes on, also if it was to stop once this one finished well.
            self.data.set_on_exit(OnExit::Continue);
            self.host.failures.ignore(self.index(), exit);
            tell();
        } else {
            self.host.fail(self.index(), exit, cause, tell);
        }
    }

    /// Records the failures among the end of a future of the service and the drop of what it owned.
    pub(crate) fn fail_at_end(&self, end: End, dropped: Result<(), Panicked>) {
        if let End::Failed(failure) = end {
            self.fail(failure);
        }
        if let Err(panicked) = dropped {
            self.fail(panicked.into());
        }
    }

    /// Fails the service if it was not to be dropped: an executor did that, and its work is not
    /// done.
    pub(crate) fn fail_if_lost(&self) {
        if !self.host.is_stopped() {
            self.fail(Failure::Error("its executor dropped it".into()));
        }
    }

    /// Notes the end of the service: nothing of it is left.
    ///
    /// `finished` says that it returned, with or without an error; otherwise it was dropped. One
    /// that finished is ready if it never said so: it has done what the others need of it. If it
    /// failed, the stop has come before they start.
    pub(crate) fn end(&self, finished: bool) {
        self.data.set_ended(self.host.timeline.now());
        let recorded: fn(String) -> Recorded = match finished {
            true => Recorded::Ended,
            false => Recorded::Cancelled,
        };
        let before = self.advance(Event::End { finished }, recorded);
        if before.is_some() {
            self.emit_change(recorded, self.data.ended());
        }
        let before = before.unwrap_or_else(|| self.data.lifecycle());
        let stops_group = before.has(Flag::StopsGroup) && !before.has(Flag::StoppedAlone);
        if finished && stops_group {
            self.host.stop(Cause::Finished(self.data.name().clone()));
        }
        if before.has(Flag::HasTokens) {
            self.leave_tokens();
        }
        self.host.progress.remove(self.index());
        log::ended(self, finished);
        if before.has(Flag::Planned) {
            let is_ready = self.has(Flag::Ready);
            self.host.service_gone(self.index(), is_ready);
        }
        if !before.has(Flag::Ready) {
            self.host.readiness.announce();
        }
        if before.has(Flag::Added) {
            self.forget();
        }
        self.host.departures.announce(self.index());
        self.host.leave(before.has(Flag::Background));
    }

    /// Leaves nothing of a service that was added by a handle and has ended, so that a group that
    /// runs for months does not grow. Once the group stops, all that is left is kept for its
    /// outcome: a failure stops it before it ends the service.
    fn forget(&self) {
        let now = self.data.lifecycle();
        let ignores_failures = self.data.ignores_failures();
        if now.is_forgettable(ignores_failures) && !self.host.is_stopped() {
            if !now.has(Flag::Ready) {
                // First: who looks for it finds it, or finds this.
                self.host.registry.note_in_vain(self.index());
            }
            self.data.set(Flag::Forgotten);
            self.host.failures.forget(self.index());
            self.host.forces.forget(self.index());
            self.host.registry.forget();
        }
    }
}

impl Node<Core, ChildRecord> {
    /// Has the child dropped at its next poll.
    pub(crate) fn abort(&self) {
        self.data.is_aborted.store(true, Ordering::Release);
        self.wake_task();
    }

    /// Returns true if the child is to be dropped, alone or with its service.
    pub(super) fn is_cancelled(&self) -> bool {
        self.data.is_aborted.load(Ordering::Acquire) || self.data.member.is_cancelled()
    }

    /// Counts the child out.
    pub(crate) fn leave(&self) {
        let ChildRecord { member, key, .. } = &self.data;
        self.host.families().remove(member.index(), *key);
        member.leave_child();
    }
}
