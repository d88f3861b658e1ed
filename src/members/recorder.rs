//! A record of what happens to services, in order.

use std::fmt;
use std::sync::Arc;

use super::event::Event;
use crate::sync::{Event as Notifier, Mutex, MutexGuard, lock};

/// Records every event of the services of a group; see
/// [`Group::record`](crate::Group::record). Those of the group itself are not recorded.
///
/// Clones are the same recorder, and several groups can share one. `{}` has a line for each event.
///
/// # Examples
///
/// ```
/// use futures_lite::future;
/// use neap::Group;
/// use neap::test::{Event, Recorder};
///
/// let recorder = Recorder::new();
/// let mut group = Group::new().record(&recorder);
/// group.add("job", async |_| { Err("xxx") });
/// future::block_on(group.run()).unwrap_err();
///
/// assert_eq!(recorder.events()[0], Event::Started("job".into()));
/// assert_eq!(recorder.to_string(), "`job` started\n`job` failed: xxx\n`job` ended");
/// ```
#[derive(Clone, Default)]
pub struct Recorder {
    tape: Arc<Tape>,
}

#[derive(Default)]
struct Tape {
    events: Mutex<Vec<Event>>,

    /// Notified at each event.
    listeners: Notifier,
}

impl Recorder {
    /// Makes a recorder without events.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(neap::test::Recorder::new().events().is_empty());
    /// ```
    pub fn new() -> Recorder {
        Recorder::default()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Event>> {
        lock(&self.tape.events)
    }

    pub(crate) fn push(&self, event: Event) {
        self.push_if(|| Some(()), || event);
        self.notify();
    }

    /// Records an event if `advance` returns something, in one step with it: of two events, the one
    /// that happened first stands first. The caller [notifies](Recorder::notify), once it holds no
    /// lock.
    pub(crate) fn push_if<T>(
        &self,
        advance: impl FnOnce() -> Option<T>,
        event: impl FnOnce() -> Event,
    ) -> Option<T> {
        let mut events = self.lock();
        let advanced = advance();
        if advanced.is_some() {
            events.push(event());
        }
        advanced
    }

    /// Tells those that wait for events. Not to be called under a lock: it runs their wakers.
    pub(crate) fn notify(&self) {
        self.tape.listeners.notify(usize::MAX);
    }

    /// Returns all events so far.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    /// use neap::test::{Event, Recorder};
    ///
    /// let recorder = Recorder::new();
    /// let mut group = Group::new().record(&recorder);
    /// group.add("job", async |_| {});
    /// future::block_on(group.run())?;
    /// assert_eq!(recorder.events().last(), Some(&Event::Ended("job".into())));
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub fn events(&self) -> Vec<Event> {
        self.lock().clone()
    }

    /// Waits until an event has come, or had come before, for which `is_it` returns true.
    ///
    /// # Cancel safety
    ///
    /// The future can be dropped and made anew at any time.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::future;
    /// use neap::Group;
    /// use neap::test::{Event, Recorder};
    ///
    /// let recorder = Recorder::new();
    /// let mut group = Group::new().record(&recorder);
    /// let (handle, events) = (group.handle(), recorder.clone());
    /// group.add("server", async move |scope| { scope.stopped().await; });
    /// group.add("test", async move |_| {
    ///     events.wait_for(|event| *event == Event::Ready("server".into())).await;
    ///     handle.stop();
    /// });
    /// future::block_on(group.run())?;
    /// # Ok::<(), neap::Error>(())
    /// ```
    pub async fn wait_for(&self, is_it: impl Fn(&Event) -> bool) {
        let mut seen = 0;
        loop {
            let listener = self.tape.listeners.listen();
            // Copied out: `is_it` may look at this very recorder.
            let unseen = self.lock()[seen..].to_vec();
            if unseen.iter().any(&is_it) {
                return;
            }
            seen += unseen.len();
            listener.await;
        }
    }
}

impl fmt::Display for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, event) in self.events().iter().enumerate() {
            let newline = if index == 0 { "" } else { "\n" };
            write!(f, "{newline}{event}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.events()).finish()
    }
}
