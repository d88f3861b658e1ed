//! Tasks in place: kept, and polled by whoever awaits the group.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use slab::Slab;

use super::node::Keyed;
use super::{ARRIVAL, Boxed, Dispatch, Node, Place, SUPERVISOR, Task, lock};
use crate::hub::Hub;

/// How many tasks are polled before whoever awaits the group lets others have a turn.
const BUDGET: usize = 256;

/// A task on its way to the driver.
pub(crate) struct Arrival<'a> {
    pub(super) node: Arc<dyn Keyed>,
    pub(super) slot: Slot<'a>,
}

/// A task in place.
pub(crate) struct Slot<'a> {
    future: Boxed<'a>,
    waker: Waker,
}

impl<'a> Slot<'a> {
    pub(super) fn new<T: Send + Sync + 'static>(
        node: &Arc<Node<T>>,
        future: Boxed<'a>,
    ) -> Slot<'a> {
        Slot {
            future,
            waker: Waker::from(Arc::clone(node)),
        }
    }

    fn poll(&mut self) -> Poll<()> {
        self.future
            .as_mut()
            .poll(&mut Context::from_waker(&self.waker))
    }
}

/// The tasks of a group: before its start those that wait for it, then those in place.
///
/// Dropping it drops them, and from then on nothing can be spawned in place.
pub(crate) struct Driver<'a> {
    hub: Arc<Hub>,
    place: Arc<Place<'a>>,

    /// The tasks in place.
    slots: Slab<Slot<'a>>,

    /// The keys of those of them that were woken, and whose turn has yet to come.
    turns: VecDeque<u32>,

    /// The tasks that are for the given executor, until the start.
    waiting: Vec<Task<'a>>,

    /// What wakes the supervisor in place, where it is polled among the tasks: a poll of it for
    /// every poll of theirs would cost a system call for each source of signals.
    supervisor: Arc<Node<()>>,

    started: bool,
}

impl<'a> Driver<'a> {
    pub(crate) fn new(hub: Arc<Hub>, place: Arc<Place<'a>>) -> Driver<'a> {
        let supervisor = Node::new(Arc::clone(&hub), ());
        supervisor.set_key(SUPERVISOR as usize);
        let (slots, waiting) = (Slab::new(), Vec::new());
        Driver {
            hub,
            place,
            slots,
            turns: VecDeque::new(),
            waiting,
            supervisor,
            started: false,
        }
    }

    /// Adds a task that is to start with the group.
    pub(crate) fn add<T: Send + Sync + 'static>(&mut self, node: &Arc<Node<T>>, future: Boxed<'a>) {
        match &*self.place {
            Place::Here(_) => node.set_key(self.slots.insert(Slot::new(node, future))),
            Place::Given(_) => self.waiting.push(Task::new(node, future)),
        }
    }

    /// Runs the supervisor, whose output ends it all, and the tasks if they are in place.
    ///
    /// The supervisor has the first turn: it may know of a stop, and then nothing starts.
    pub(crate) fn poll<R>(
        &mut self,
        supervisor: Pin<&mut dyn Future<Output = R>>,
        cx: &mut Context<'_>,
    ) -> Poll<R> {
        let first = !std::mem::replace(&mut self.started, true);
        match &self.hub.dispatch {
            Dispatch::Here(ready) => {
                ready.register(cx.waker());
                self.poll_here(supervisor, first, cx)
            }
            Dispatch::Given(_) => self.poll_given(supervisor, first, cx),
        }
    }

    fn poll_given<R>(
        &mut self,
        supervisor: Pin<&mut dyn Future<Output = R>>,
        first: bool,
        cx: &mut Context<'_>,
    ) -> Poll<R> {
        let result = supervisor.poll(cx);
        if self.hub.is_stopped() {
            self.waiting.clear();
        }
        if let (Place::Given(spawn), true) = (&*self.place, first) {
            self.waiting.drain(..).for_each(spawn);
        }
        result
    }

    fn poll_here<R>(
        &mut self,
        mut supervisor: Pin<&mut dyn Future<Output = R>>,
        first: bool,
        cx: &mut Context<'_>,
    ) -> Poll<R> {
        let own = Waker::from(Arc::clone(&self.supervisor));
        let mut own = Context::from_waker(&own);
        if first {
            if let Poll::Ready(result) = supervisor.as_mut().poll(&mut own) {
                return Poll::Ready(result);
            }
            if self.hub.is_stopped() {
                self.slots.clear();
            }
            self.sweep();
        }
        for _ in 0..BUDGET {
            match self.next() {
                Next::Task(SUPERVISOR) => {
                    self.supervisor.begin_poll();
                    if let Poll::Ready(result) = supervisor.as_mut().poll(&mut own) {
                        return Poll::Ready(result);
                    }
                }
                Next::Task(ARRIVAL) => self.adopt(),
                Next::Task(key) => self.poll_task(key as usize),
                Next::Sweep => self.sweep(),
                Next::Nothing => return Poll::Pending,
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// What to do next. After [`Next::Nothing`], whoever has something to do wakes the driver.
    fn next(&mut self) -> Next {
        let Dispatch::Here(ready) = &self.hub.dispatch else {
            return Next::Nothing;
        };
        loop {
            if ready.take_sweep() {
                return Next::Sweep;
            }
            if self.turns.is_empty() {
                ready.take(&mut self.turns);
            }
            if let Some(key) = self.turns.pop_front() {
                return Next::Task(key);
            }
            if ready.fall_asleep() {
                return Next::Nothing;
            }
        }
    }

    /// Polls every task.
    fn sweep(&mut self) {
        self.slots.retain(|_, slot| slot.poll().is_pending());
        self.count();
    }

    /// Lets the waking side know how many tasks there are, roughly.
    fn count(&self) {
        if let Dispatch::Here(ready) = &self.hub.dispatch {
            ready.tasks.store(self.slots.len(), Ordering::Relaxed);
        }
    }

    /// Polls a task, unless it has ended since it was woken. If its key has gone to another one
    /// meanwhile, that one is polled once for nothing.
    fn poll_task(&mut self, key: usize) {
        if self
            .slots
            .get_mut(key)
            .is_some_and(|slot| slot.poll().is_ready())
        {
            self.slots.remove(key);
        }
    }

    /// Takes in the task that arrived first, and polls it.
    fn adopt(&mut self) {
        let Place::Here(arrivals) = &*self.place else {
            return;
        };
        let arrival = lock(arrivals).as_mut().and_then(VecDeque::pop_front);
        if let Some(Arrival { node, slot }) = arrival {
            let key = self.slots.insert(slot);
            node.set_key(key);
            self.count();
            self.poll_task(key);
        }
    }
}

/// What the driver does next.
enum Next {
    Task(u32),
    Sweep,
    Nothing,
}

impl Drop for Driver<'_> {
    fn drop(&mut self) {
        if let Place::Here(arrivals) = &*self.place {
            // Closed first: the last act of a task may be to spawn another. What has arrived owns
            // the list that it is in, so it has to be taken out.
            let arrivals = lock(arrivals).take();
            let slots = std::mem::take(&mut self.slots).into_iter();
            let mut slots: Vec<_> = slots.map(|(_, slot)| slot).collect();
            slots.sort_by_cached_key(|slot| Reverse(slot.future.depth()));
            slots.into_iter().for_each(drop);
            drop(arrivals);
        }
    }
}
