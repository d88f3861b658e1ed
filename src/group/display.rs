//! What a group says of itself.

use std::fmt;

use super::Group;

/// The plan: a line for each service, in the order in which they were added, with those after which
/// it starts, and before which it is stopped.
///
/// # Examples
///
/// ```
/// use neap::Group;
///
/// let mut group = Group::new().limit(4);
/// let db = group.add("db", |_| async {}).id();
/// group.add("metrics", |_| async {}).background();
/// group.add("http", |_| async {}).needs(db);
/// assert_eq!(
///     group.to_string(),
///     "at most 4 at once\n`db`\n`metrics` (background)\n`http` after `db`"
/// );
/// ```
impl fmt::Display for Group<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.hub.plan.fmt(&self.roster.snapshot(), f)
    }
}

impl fmt::Debug for Group<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members = self.roster.snapshot();
        let names: Vec<_> = members.iter().map(|member| member.name()).collect();
        f.debug_struct("Group")
            .field("services", &names)
            .field("cause", &self.hub.cause())
            .finish()
    }
}
