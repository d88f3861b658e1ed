//! The children of services, to be woken with their service.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use slab::Slab;

use crate::sync::{Mutex, lock};

/// The children that have not ended, by the index of their service.
///
/// A service that is cancelled wakes its children, and no others. Beside the services, most of
/// which have no children and would pay for the room.
pub(crate) struct Families<C> {
    children: Mutex<BTreeMap<usize, Slab<Weak<C>>>>,
}

impl<C> Families<C> {
    pub(crate) fn new() -> Families<C> {
        Families {
            children: Mutex::new(BTreeMap::new()),
        }
    }

    /// Adds the child that `make` makes, which is given the key it has among its siblings.
    pub(crate) fn add(&self, service: usize, make: impl FnOnce(usize) -> Arc<C>) -> Arc<C> {
        let mut families = lock(&self.children);
        let entry = families.entry(service).or_default().vacant_entry();
        let child = make(entry.key());
        entry.insert(Arc::downgrade(&child));
        child
    }

    pub(crate) fn remove(&self, service: usize, key: usize) {
        let mut families = lock(&self.children);
        if let Some(children) = families.get_mut(&service) {
            // Of a weak pointer at most the memory is freed here: nothing of the child's is run.
            children.try_remove(key);
            if children.is_empty() {
                families.remove(&service);
            }
        }
    }

    /// Returns the children of a service.
    pub(crate) fn of(&self, service: usize) -> Vec<Arc<C>> {
        let families = lock(&self.children);
        let children = families.get(&service).into_iter().flatten();
        children.filter_map(|(_, child)| child.upgrade()).collect()
    }
}
