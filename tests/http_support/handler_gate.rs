//! What holds a handler back until a test has arranged the rest.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::eventually;
use crate::runtimes::Gate;

/// A gate in the [`app`](super::app) at which requests wait until the test opens it.
pub struct HandlerGate {
    number: usize,
    inside: Arc<Inside>,
}

struct Inside {
    gate: Gate,
    arrived: AtomicUsize,
}

/// Every gate of this process: a request names it by its place.
static GATES: Mutex<Vec<Arc<Inside>>> = Mutex::new(Vec::new());

impl HandlerGate {
    /// A new gate, shut.
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

    /// The path of requests that wait here.
    pub fn path(&self) -> String {
        format!("/gate/{}", self.number)
    }

    /// The path of requests that wait here and hold up their thread.
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
    /// Nobody stays behind a test.
    fn drop(&mut self) {
        self.open();
    }
}

/// The gate of the gate that a request names.
pub(super) fn arrive(request: &tide::Request<()>) -> tide::Result<Gate> {
    let number: usize = request.param("n")?.parse()?;
    let inside = GATES.lock().unwrap()[number].clone();
    inside.arrived.fetch_add(1, Ordering::Relaxed);
    Ok(inside.gate.clone())
}
