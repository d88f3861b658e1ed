//! Values of a service that panic where user code runs.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::thread;

use crate::record::What;
use crate::scenario::{Act, Hazard};
use crate::world::World;

/// What every planned panic says; the panic hook is silent about it.
pub const PLANNED: &str = "planned";

/// Panics as planned, and has that written down first.
pub fn panic_as_planned(world: &World, index: usize) -> ! {
    world.note(What::Panics(index));
    panic!("{PLANNED}")
}

/// Does what its hazard says when it is dropped.
pub struct OnDrop {
    pub world: Arc<World>,
    pub index: usize,
    pub hazard: Hazard,
}

impl Drop for OnDrop {
    fn drop(&mut self) {
        match self.hazard {
            Hazard::DropStops => self.world.act(Act::Stop(0)),
            // A second panic while one unwinds would end the process.
            _ if !thread::panicking() => panic_as_planned(&self.world, self.index),
            _ => {}
        }
    }
}

/// What is written down when it is dropped: the last field of whatever it is about.
pub struct Mark(pub Arc<World>, pub What);

impl Drop for Mark {
    fn drop(&mut self) {
        self.0.note(self.1.clone());
    }
}

/// The payload of a panic, which panics when it is dropped.
pub struct Payload;

impl Drop for Payload {
    fn drop(&mut self) {
        if !thread::panicking() {
            panic!("{PLANNED}: the drop of a payload");
        }
    }
}

/// The error of a service: it may panic when it is converted.
#[derive(Debug)]
pub struct Failure(pub Hazard);

impl From<Failure> for Box<dyn Error + Send + Sync> {
    fn from(failure: Failure) -> Self {
        assert!(failure.0 != Hazard::ErrorConversion, "{PLANNED}");
        Box::new(Converted(failure.0))
    }
}

/// The same as an error: it may panic when it is displayed or dropped.
#[derive(Debug)]
struct Converted(Hazard);

impl fmt::Display for Converted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        assert!(self.0 != Hazard::ErrorDisplay, "{PLANNED}");
        f.write_str("an error")
    }
}

impl Error for Converted {}

impl Drop for Converted {
    fn drop(&mut self) {
        if self.0 == Hazard::ErrorDrop && !thread::panicking() {
            panic!("{PLANNED}: the drop of an error");
        }
    }
}
