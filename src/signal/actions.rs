//! What the signal handler does for one set.

use std::os::raw::c_int;
use std::sync::Arc;

use async_signal::Signal;
use signal_hook::SigId;
use signal_hook::low_level::unregister;

use super::claim::{self, Claim};
use super::deliveries::Deliveries;
use super::handler;
use crate::outcome::error::Error;

/// The actions of one set in the signal handler, until this is dropped.
pub(super) struct Actions {
    ids: Vec<SigId>,
    claim: Arc<Claim>,
}

impl Actions {
    /// Counts the deliveries of some signals. After `last` of them, the claim on the signals ends.
    pub(super) fn new(
        signals: &[Signal],
        deliveries: &Arc<Deliveries>,
        last: Option<u32>,
    ) -> Result<Actions, Error> {
        let numbers = signals.iter().map(|&signal| signal as c_int).collect();
        // If a later registration fails, the drop of this undoes the earlier ones.
        let mut actions = Actions {
            ids: Vec::new(),
            claim: Arc::new(Claim::new(numbers)),
        };
        for &signal in signals {
            let id = actions
                .register(signal, Arc::clone(deliveries), last)
                .map_err(|error| Error::signal(signal, error))?;
            actions.ids.push(id);
        }
        Ok(actions)
    }

    /// Has the deliveries of one signal counted.
    fn register(
        &self,
        signal: Signal,
        deliveries: Arc<Deliveries>,
        last: Option<u32>,
    ) -> std::io::Result<SigId> {
        // First, as the actions of a signal run in the order of their registration.
        let number = signal as c_int;
        claim::prepare(number)?;
        let claim = Arc::clone(&self.claim);
        let is_last = move |count| last.is_some_and(|last| count >= last);
        handler::register(number, move || {
            if deliveries.note(signal).is_some_and(&is_last) {
                claim.end();
            }
        })
    }

    /// Keeps the signals from their default action. Call it once everything is registered.
    pub(super) fn claim(&self) {
        self.claim.begin();
    }
}

impl Drop for Actions {
    fn drop(&mut self) {
        self.claim.end();
        for &id in &self.ids {
            unregister(id);
        }
    }
}
