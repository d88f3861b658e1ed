//! All services of a group.

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use super::index_set::IndexSet;
use crate::sync::{Mutex, MutexGuard, lock};

/// Why a service, or what is asked for it, is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The group has been stopped.
    Stopped,

    /// It would have to wait for its turn, which it was not to.
    Full,

    /// It needs a service of another group.
    Foreign,

    /// It needs itself.
    Itself,

    /// It needs a service that was added after it.
    Later,

    /// It needs a service that was told to stop, and has not ended.
    Stopping,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::Stopped => "the group has been stopped",
            Reason::Full => "as many services run as the group allows",
            Reason::Foreign => "it needs a service of another group",
            Reason::Itself => "it needs itself",
            Reason::Later => "it needs a service that was added after it",
            Reason::Stopping => "it needs a service that is being stopped",
        })
    }
}

/// How few forgotten services are left in the lists whatever their length.
const FEW: usize = 64;

/// What a registry has to know of a service.
pub(crate) trait Registered {
    /// Returns its index, which is greater than those of all services added before.
    fn index(&self) -> usize;

    /// Returns true if it was forgotten.
    fn is_forgotten(&self) -> bool;
}

/// All services of a group, in the order in which they were added.
///
/// One that is forgotten is taken out with others, later, so that each costs a constant time; at
/// any time no more than half of the lists are such, or [`FEW`].
pub(crate) struct Registry<M> {
    lists: Mutex<Lists<M>>,
}

struct Lists<M> {
    /// Shared with what looks at it, so that nothing is called under the lock. `None` is an empty
    /// list, without an allocation.
    settled: Option<Arc<Vec<Arc<M>>>>,

    /// Those that were added after the last look.
    recent: Vec<Arc<M>>,

    /// The index of the next service.
    next: usize,

    /// Those that were forgotten and had not been ready.
    in_vain: IndexSet,

    /// How many of the lists are forgotten, and how many there have been in all.
    stale: usize,
    forgotten: u64,
}

impl<M: Registered> Registry<M> {
    pub(crate) fn new() -> Registry<M> {
        Registry {
            lists: Mutex::new(Lists {
                settled: None,
                recent: Vec::new(),
                next: 0,
                in_vain: IndexSet::default(),
                stale: 0,
                forgotten: 0,
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Lists<M>> {
        lock(&self.lists)
    }

    /// Adds the service that `make` makes, which is given its index.
    pub(crate) fn add<E>(
        &self,
        make: impl FnOnce(usize) -> Result<Arc<M>, E>,
    ) -> Result<Arc<M>, E> {
        let mut lists = self.lock();
        let member = make(lists.next)?;
        lists.next += 1;
        lists.recent.push(Arc::clone(&member));
        Ok(member)
    }

    /// Returns the service with this index, unless it was forgotten.
    pub(crate) fn get(&self, index: usize) -> Option<Arc<M>> {
        let lists = self.lock();
        let found = find(&lists.recent, index).or_else(|| find(lists.settled(), index));
        found.filter(|member| !member.is_forgotten()).cloned()
    }

    /// Runs `look` while no service is added.
    pub(crate) fn while_closed<T>(&self, look: impl FnOnce() -> T) -> T {
        let _lists = self.lock();
        look()
    }

    /// Returns the services as they are now; some of them may be forgotten.
    pub(crate) fn snapshot(&self) -> Arc<Vec<Arc<M>>> {
        let mut lists = self.lock();
        Arc::clone(lists.settle())
    }

    /// Returns the index of the first service from `index` on for which `is_done` is false; `None`
    /// if it is true for all.
    pub(crate) fn first_not(&self, index: usize, is_done: impl Fn(&M) -> bool) -> Option<usize> {
        let lists = self.lock();
        let rest = |list: &[Arc<M>]| list.partition_point(|member| member.index() < index);
        let settled = lists.settled()[rest(lists.settled())..].iter();
        let recent = lists.recent[rest(&lists.recent)..].iter();
        let mut all = settled.chain(recent);
        all.find(|member| !is_done(member))
            .map(|member| member.index())
    }

    /// Notes that a service that is about to be forgotten has never been ready.
    pub(crate) fn note_in_vain(&self, index: usize) {
        self.lock().in_vain.insert(index);
    }

    /// Returns true if the service with this index was forgotten and had never been ready.
    pub(crate) fn was_in_vain(&self, index: usize) -> bool {
        self.lock().in_vain.contains(index)
    }

    /// Forgets a service, which says itself that it is.
    pub(crate) fn forget(&self) {
        let mut lists = self.lock();
        lists.stale += 1;
        lists.forgotten += 1;
        let stale = lists.take_stale();
        drop(lists);
        // Dropped outside the lock.
        drop(stale);
    }

    /// Returns how many services were forgotten.
    pub(crate) fn forgotten(&self) -> u64 {
        self.lock().forgotten
    }

    /// Returns the services that are not forgotten.
    pub(crate) fn kept(&self) -> Vec<Arc<M>> {
        let members = self.snapshot();
        let kept = members.iter().filter(|member| !member.is_forgotten());
        kept.cloned().collect()
    }

    /// Empties the registry, so that handles which outlive the group do not keep its services.
    pub(crate) fn take(&self) -> Vec<Arc<M>> {
        let mut lists = self.lock();
        if lists.len() == 0 {
            return Vec::new();
        }
        lists.settle();
        let settled = lists.settled.take();
        let has_stale = std::mem::take(&mut lists.stale) > 0;
        drop(lists);
        let mut members = settled.map_or(Vec::new(), Arc::unwrap_or_clone);
        if has_stale {
            members.retain(|member| !member.is_forgotten());
        }
        members
    }
}

impl<M: Registered> Lists<M> {
    fn settled(&self) -> &[Arc<M>] {
        self.settled.as_ref().map_or(&[], |settled| settled)
    }

    fn len(&self) -> usize {
        self.settled().len() + self.recent.len()
    }

    /// Puts all into the list that is shared, and returns it. Copies it if something else looks at
    /// it.
    fn settle(&mut self) -> &mut Arc<Vec<Arc<M>>> {
        let recent = &mut self.recent;
        let settled = self
            .settled
            .get_or_insert_with(|| Arc::new(std::mem::take(recent)));
        if !recent.is_empty() {
            Arc::make_mut(settled).append(recent);
        }
        settled
    }

    /// Takes out those that were forgotten, if they are many and nothing else looks at the list.
    fn take_stale(&mut self) -> Vec<Arc<M>> {
        if self.stale < FEW || self.stale * 2 < self.len() {
            return Vec::new();
        }
        let Some(list) = Arc::get_mut(self.settle()) else {
            return Vec::new();
        };
        let members = std::mem::take(list).into_iter();
        let (stale, kept) = members.partition(|member| member.is_forgotten());
        *list = kept;
        self.stale = 0;
        stale
    }
}

/// Finds a service by its index in a list that is sorted by it.
fn find<M: Registered>(list: &[Arc<M>], index: usize) -> Option<&Arc<M>> {
    let first = list.first()?.index();
    // Where nothing was taken out.
    let guess = list.get(index.checked_sub(first)?);
    guess.filter(|member| member.index() == index).or_else(|| {
        let at = list.binary_search_by_key(&index, |member| member.index());
        at.ok().map(|at| &list[at])
    })
}
