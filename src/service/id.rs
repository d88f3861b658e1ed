//! What identifies a service.

/// Identifies a service within its group.
///
/// # Examples
///
/// ```
/// use neap::Group;
///
/// let mut group = Group::new();
/// let first = group.add("worker", async |_| {}).id();
/// let second = group.add("worker", async |_| {}).id();
/// assert_ne!(first, second, "a name is a label; an id is not");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ServiceId {
    /// The number of the group, so that the id of another group is told apart.
    group: u64,
    index: usize,
}

impl ServiceId {
    pub(crate) fn new(group: u64, index: usize) -> ServiceId {
        ServiceId { group, index }
    }

    /// Returns the index of the service, if it is one of this group.
    pub(crate) fn index_in(self, group: u64) -> Option<usize> {
        (self.group == group).then_some(self.index)
    }
}
