//! Clients that connect all at the same moment, each for one request.

use std::thread::{self, JoinHandle};
use std::time::Duration;

use compare::Failure;

use crate::clients::{self, Tally, Target};

/// The stack of a client's thread, in bytes: there are many.
const STACK: usize = 128 * 1024;
/// The time between two waves: more than the handshakes of one take.
const BETWEEN: Duration = Duration::from_millis(500);

/// Clients that have begun to connect.
pub(crate) struct Burst(Vec<JoinHandle<Tally>>);

impl Burst {
    /// Has this many clients connect at once, in each of several waves.
    ///
    /// # Errors
    ///
    /// The system has no room for their threads.
    pub(crate) fn begin(target: &Target, clients: usize, waves: u32) -> Result<Burst, Failure> {
        let mut all = Vec::new();
        for wave in 0..waves {
            if wave > 0 {
                thread::sleep(BETWEEN);
            }
            for _ in 0..clients {
                let target = target.clone();
                let thread = thread::Builder::new().stack_size(STACK);
                all.push(thread.spawn(move || clients::ask_once(&target))?);
            }
        }
        Ok(Burst(all))
    }

    /// Waits for all, and returns what they have seen.
    ///
    /// # Errors
    ///
    /// One has panicked.
    pub(crate) fn join(self) -> Result<Tally, Failure> {
        let mut tally = Tally::default();
        for client in self.0 {
            tally.add(&client.join().map_err(|_| "a client has panicked")?);
        }
        Ok(tally)
    }
}
