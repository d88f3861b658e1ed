//! Notes of what happens in a test, in order.

use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A list of events that a test and its services write to. Clones share the list.
#[derive(Clone, Debug, Default)]
pub struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    pub fn new() -> Notes {
        Notes::default()
    }

    /// Adds an event.
    pub fn note(&self, event: impl Into<String>) {
        self.0.lock().unwrap().push(event.into());
    }

    /// Returns all events so far.
    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// Returns a guard that adds an event when it is dropped.
    pub fn on_drop(&self, event: &str) -> impl Send + use<> {
        struct OnDrop(Notes, String);
        impl Drop for OnDrop {
            fn drop(&mut self) {
                self.0.note(std::mem::take(&mut self.1));
            }
        }
        OnDrop(self.clone(), event.into())
    }

    /// Waits until there are `count` events.
    pub async fn wait_for(&self, count: usize) {
        while self.all().len() < count {
            async_io::Timer::after(Duration::from_millis(1)).await;
        }
    }
}
