//! A task as a given executor gets it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::node::Keyed;
use super::{Boxed, Dispatch, NO_KEY, Node, lock};
use crate::hub::Hub;

/// A task of a group, for an executor to run to its end.
///
/// What the function given to [`Group::on`](crate::Group::on) is called with. It never panics and
/// returns nothing. Dropping it cancels the service it belongs to.
#[must_use = "a task does nothing unless an executor runs it"]
pub struct Task<'a> {
    future: Boxed<'a>,
    hub: Arc<Hub>,
    key: usize,

    /// The waker that the dispatch has, to see whether it is still the right one.
    waker: Option<Waker>,
}

impl<'a> Task<'a> {
    pub(super) fn new<T: Send + Sync + 'static>(node: &Node<T>, future: Boxed<'a>) -> Task<'a> {
        let hub = Arc::clone(&node.hub);
        let key = match &hub.dispatch {
            Dispatch::Given(wakers) => lock(wakers).insert(None),
            Dispatch::Here(_) => NO_KEY as usize,
        };
        node.set_key(key);
        Task {
            future,
            hub,
            key,
            waker: None,
        }
    }

    /// Leaves the waker where the group finds it.
    fn register(&mut self, waker: &Waker) {
        if let Dispatch::Given(wakers) = &self.hub.dispatch {
            if let Some(slot) = lock(wakers).get_mut(self.key) {
                *slot = Some(waker.clone());
            }
        }
        self.waker = Some(waker.clone());
    }
}

impl Future for Task<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if !self
            .waker
            .as_ref()
            .is_some_and(|waker| waker.will_wake(cx.waker()))
        {
            self.register(cx.waker());
        }
        self.future.as_mut().poll(cx)
    }
}

impl Drop for Task<'_> {
    fn drop(&mut self) {
        if let Dispatch::Given(wakers) = &self.hub.dispatch {
            // Taken out first: dropping a waker may drop a task, and that one locks again.
            let waker = lock(wakers).try_remove(self.key);
            drop(waker);
        }
    }
}

impl fmt::Debug for Task<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").finish_non_exhaustive()
    }
}
