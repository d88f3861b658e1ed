//! A look at services that were asked to go alone, while their group runs.

use neap::{ServiceStatus, State};

use crate::record::What;
use crate::world::World;

impl World {
    /// Looks at those that were stopped or cancelled alone, and at those that need them: each that no
    /// other needs has been told. Only by hand, and between two polls: else they are on the move.
    pub fn look_at_those_alone(&self) {
        let alone = self.keep(|kept| std::mem::take(&mut kept.alone));
        for (index, is_cancelled) in alone {
            self.look_at_one(index, is_cancelled);
        }
    }

    fn look_at_one(&self, index: usize, is_cancelled: bool) {
        let mut all = vec![index];
        let mut next = 0;
        while let Some(&of) = all.get(next) {
            next += 1;
            let (users, now) = (self.users(of), self.state(of));
            let is_told = matches!(now, None | Some(State::Draining | State::Cancelling));
            let has_started = self.log.has(&What::Called(of));
            let drains = of == index && is_cancelled && has_started && now == Some(State::Draining);
            if users.is_empty() && self.is_live(of) && (!is_told || drains) {
                let how = format!("s{index} was asked to go, and s{of} is {now:?}");
                self.broken("alone_told", how);
            }
            // Once it is gone it can be needed again, if it was ready.
            if self.is_live(of) {
                all.extend(users);
            }
        }
    }

    fn state(&self, index: usize) -> Option<State> {
        let (handle, id) = self.of_service(index)?;
        let status = handle.status();
        let found = status.services().iter().find(|one| one.id() == id);
        found.map(ServiceStatus::state)
    }

    fn is_live(&self, index: usize) -> bool {
        !matches!(
            self.state(index),
            None | Some(State::Ended | State::Abandoned)
        )
    }

    /// The services that need this one, and have not ended.
    fn users(&self, of: usize) -> Vec<usize> {
        let mut users = Vec::new();
        for event in self.log.events() {
            if let What::Adding(user, needs) = event.what {
                let is_refused = self.log.has(&What::Refused(user));
                if needs.contains(&of) && !is_refused && self.is_live(user) {
                    users.push(user);
                }
            }
        }
        users
    }
}
