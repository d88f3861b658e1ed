//! What is being done: on a terminal one line that is overwritten, elsewhere a line for each step.

use std::io::{IsTerminal, Write, stderr};

/// The steps of a measurement, as they are written to standard error.
#[derive(Debug)]
pub struct Progress {
    done: usize,
    total: usize,
    terminal: bool,
}

impl Progress {
    /// Begins a measurement of `total` steps.
    pub fn new(total: usize) -> Progress {
        Progress {
            done: 0,
            total,
            terminal: stderr().is_terminal(),
        }
    }

    /// Writes what comes next.
    pub fn step(&mut self, what: &str) {
        let percent = 100 * self.done / self.total.max(1);
        self.done += 1;
        match self.terminal {
            // Back to the beginning of the line, and clear it (ECMA-48, EL).
            true => self.write(&format!("\r\x1b[K{percent:3} %  {what}")),
            false => self.write(&format!("{percent:3} %  {what}\n")),
        }
    }

    /// Writes a line that stays.
    pub fn say(&self, what: &str) {
        let clear = if self.terminal { "\r\x1b[K" } else { "" };
        self.write(&format!("{clear}{what}\n"));
    }

    /// Clears the line that is overwritten.
    pub fn done(&self) {
        if self.terminal {
            self.write("\r\x1b[K");
        }
    }

    fn write(&self, text: &str) {
        // Standard error may be closed, which is no reason to fail.
        let _ = stderr().write_all(text.as_bytes());
        let _ = stderr().flush();
    }
}
