//! Services that were abandoned: they may still run, and the group does not wait for them.

use super::core::{Core, Member};
use crate::service::lifecycle::Phase;
use crate::sync::Ordering;

impl Core {
    pub(super) fn note_abandoned(&self) {
        self.has_abandoned.store(true, Ordering::SeqCst);
    }

    /// Returns how many of the services that are counted as keeping the group alive were abandoned. One
    /// load where none was.
    pub(super) fn count_abandoned(&self) -> usize {
        if !self.has_abandoned.load(Ordering::SeqCst) {
            return 0;
        }
        // One that has ended all the same is counted out, or will be in a moment: that calls again.
        let is_counted = |member: &&Member| {
            let is_abandoned = member.data.lifecycle().phase() == Phase::Abandoned;
            is_abandoned && !member.is_background() && !member.data.has_returned()
        };
        let members = self.registry.snapshot();
        members.iter().map(|one| &**one).filter(is_counted).count()
    }

    /// Returns true if no service keeps the group alive, but for those that were abandoned.
    pub(crate) fn is_quiet(&self) -> bool {
        self.counts.is_quiet() || self.counts.foreground() <= self.count_abandoned()
    }

    /// Returns true if every service has ended, or was abandoned.
    pub(crate) fn is_empty(&self) -> bool {
        let are_gone = || {
            let members = self.registry.snapshot();
            members
                .iter()
                .all(|member| member.data.lifecycle().is_gone())
        };
        self.counts.is_empty() || self.has_abandoned.load(Ordering::SeqCst) && are_gone()
    }
}
