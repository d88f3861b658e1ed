//! A gate that holds handlers back until a test opens it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::eventually;
use crate::runtimes::Gate;

/// A gate in the [`app`](super::app) at which handlers wait until the test opens it.
pub struct HandlerGate {
    number: usize,
    inside: Arc<Inside>,
}

struct Inside {
    gate: Gate,
    arrived: AtomicUsize,
}

/// All gates of this process. A request names one by its index.
static GATES: Mutex<Vec<Arc<Inside>>> = Mutex::new(Vec::new());

impl HandlerGate {
    /// Makes a gate that is shut.
    pub fn new() -> HandlerGate {
        let inside = Arc::new(Inside {
            gate: Gate::new(),
            arrived: AtomicUsize::new(0),
        });
        let mut gates = GATES.lock().unwrap();
        gates.push(inside.clone());
        HandlerGate {
            number: gates.len() - 1,
            inside,
        }
    }

    /// Returns the path of requests that wait here.
    pub fn path(&self) -> String {
        format!("/gate/{}", self.number)
    }

    /// Returns the path of requests that wait here and block their thread.
    pub fn blocking_path(&self) -> String {
        format!("/block/{}", self.number)
    }

    /// Waits until a handler is at this gate.
    #[track_caller]
    pub fn wait(&self) {
        eventually("a handler at the gate", || {
            self.inside.arrived.load(Ordering::Relaxed) > 0
        });
    }

    pub fn open(&self) {
        self.inside.gate.open();
    }
}

impl Drop for HandlerGate {
    /// Opens the gate, so that no handler outlives its test.
    fn drop(&mut self) {
        self.open();
    }
}

/// Returns the gate of this number, and counts the arrival.
pub(super) fn arrive(number: u64) -> Gate {
    let inside = GATES.lock().unwrap()[number as usize].clone();
    inside.arrived.fetch_add(1, Ordering::Relaxed);
    inside.gate.clone()
}
