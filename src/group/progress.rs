//! What a service says of its drain.

use std::sync::Arc;

use super::scope::Scope;

/// # While it drains
impl Scope<'_> {
    /// Has `report` say what the service still waits for once it was told to stop: a few words, such
    /// as `2 connections`.
    ///
    /// It is called once a second while the group drains, for the one record that the log, and a
    /// group that [narrates](crate::Group::narrate), has of all services. It should be brief: it runs
    /// in the task of the group. An empty text says nothing, and neither does a panic. A later
    /// `report` takes the place of this one, and it is dropped when the service has ended.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    /// use futures_lite::future;
    /// use neap::Group;
    ///
    /// let mut group = Group::new();
    /// group.add("mailer", async move |scope| {
    ///     let unsent = Arc::new(AtomicUsize::new(3));
    ///     let seen = unsent.clone();
    ///     // still draining: `mailer` (for 1.0s, 3 mails to send, added at ..); cancelled in 9.0s
    ///     scope.waits_for(move || match seen.load(Ordering::Relaxed) {
    ///         1 => "1 mail to send".into(),
    ///         mails => format!("{mails} mails to send"),
    ///     });
    ///     while unsent.load(Ordering::Relaxed) > 0 {
    ///         unsent.fetch_sub(1, Ordering::Relaxed); // send one
    ///     }
    /// });
    /// future::block_on(group.run())?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn waits_for(&self, report: impl Fn() -> String + Send + Sync + 'static) {
        let member = self.member();
        let progress = &member.host.progress;
        progress.set(member.index(), Arc::new(report));
        // It may have ended meanwhile: a clone of the scope outlives it.
        if member.data.lifecycle().is_gone() {
            progress.remove(member.index());
        }
    }
}
