//! How a group is displayed.

use std::fmt;

use super::Group;
use crate::executor::kind::TaskKind;

/// The plan: a line for each service, in the order in which they were added, with those after which
/// it starts, and before which it is stopped.
///
/// # Examples
///
/// ```
/// use neap::Group;
///
/// let mut group = Group::new().limit(4);
/// let db = group.add("db", async |_| {}).id();
/// group.add("metrics", async |_| {}).background();
/// group.add("http", async |_| {}).needs(db);
/// assert_eq!(
///     group.to_string(),
///     "at most 4 at once\n`db`\n`metrics` (background)\n`http` after `db`"
/// );
/// ```
impl<K: TaskKind> fmt::Display for Group<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members = self.core.registry.snapshot();
        let (limit, needs) = self.core.copy_plan(&members);
        let mut newline = "";
        if let Some(limit) = limit {
            write!(f, "at most {limit} at once")?;
            newline = "\n";
        }
        for (member, needs) in members.iter().zip(needs) {
            write!(f, "{newline}`{}`", member.name())?;
            newline = "\n";
            let needs = needs.iter().filter_map(|&index| members.get(index));
            for (index, needed) in needs.enumerate() {
                let after = if index == 0 { " after" } else { "," };
                write!(f, "{after} `{}`", needed.name())?;
            }
            if member.is_background() {
                f.write_str(" (background)")?;
            }
        }
        Ok(())
    }
}

impl<K: TaskKind> fmt::Debug for Group<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members = self.core.registry.snapshot();
        let names: Vec<_> = members.iter().map(|member| member.name()).collect();
        f.debug_struct("Group")
            .field("services", &names)
            .field("cause", &self.core.cause())
            .finish()
    }
}
